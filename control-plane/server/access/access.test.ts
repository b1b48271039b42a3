/** Tokens, the first one, who is remembered while the database is away, and how fast one may ask. */
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createMemoryAccessStore } from "../adapters/memory/access-store.ts";
import { DatabaseAway } from "../adapters/postgres/errors.ts";
import { ADMIN_TOKEN_RENEW_MS, KNOWN_CREDENTIAL_MS, KNOWN_CREDENTIALS_MAX, RATE_KEYS_MAX, TOKEN_TTL_MS } from "../limits.ts";
import type { Credential } from "../ports/access-store.ts";
import { createCredentialReader } from "./credential-reader.ts";
import { ensureAdminToken } from "./first-token.ts";
import { createRateLimit } from "./rate-limit.ts";
import { isAtLeast, isInScope } from "./roles.ts";
import { createSecret, hashSecret, isSameSecret, isSecretOf, toCsrfToken } from "./secrets.ts";

let now = 0;
const clock = { now: () => now, monotonic: () => now };
beforeEach(() => {
  now = 1_700_000_000_000;
});

describe("the first admin token", () => {
  let home = "";
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), "regent-home-"));
  });
  afterEach(() => rm(home, { recursive: true }));
  const readToken = async () => (await readFile(join(home, "admin.token"), "utf8")).trim();

  test("lies in a file that only its owner reads, and the store has its hash alone", async () => {
    const access = createMemoryAccessStore({ clock });
    const put: Credential[] = [];
    const made = await ensureAdminToken({ home, clock, access: { ...access, put: async (c) => void put.push(c) } });
    expect(made).toEqual({ path: join(home, "admin.token"), isNew: true });
    expect((await stat(made.path)).mode & 0o777).toBe(0o600);
    const token = await readToken();
    expect(isSecretOf("token", token)).toBe(true);
    expect(put).toEqual([
      { hash: hashSecret(token), kind: "token", name: "admin", role: "admin", scope: null, expiresAt: now + TOKEN_TTL_MS },
    ]);
    expect(JSON.stringify([put, made])).not.toContain(token);
  });

  test("stays while it is good, and a file that others can read is closed again", async () => {
    const access = createMemoryAccessStore({ clock });
    const { path } = await ensureAdminToken({ home, clock, access });
    const token = await readToken();
    await writeFile(path, `${token}\n`, { mode: 0o644 });
    const { chmod } = await import("node:fs/promises");
    await chmod(path, 0o644);
    expect((await ensureAdminToken({ home, clock, access })).isNew).toBe(false);
    expect(await readToken()).toBe(token);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test.each<[string, (access: ReturnType<typeof createMemoryAccessStore>) => Promise<unknown>]>([
    ["its file is gone", () => rm(join(home, "admin.token"))],
    ["its file holds something else", () => writeFile(join(home, "admin.token"), "hello")],
    ["the store doesn't know it", async (access) => access.remove(hashSecret(await readToken()))],
    ["it soon expires", async () => (now += TOKEN_TTL_MS - ADMIN_TOKEN_RENEW_MS)],
  ])("is made anew when %s", async (_, spoil) => {
    const access = createMemoryAccessStore({ clock });
    await ensureAdminToken({ home, clock, access });
    const old = await readToken();
    await spoil(access);
    expect((await ensureAdminToken({ home, clock, access })).isNew).toBe(true);
    const token = await readToken();
    expect(token).not.toBe(old);
    expect(await access.find(hashSecret(token))).toMatchObject({ role: "admin" });
  });

  test("isn't written when the store can't take it", async () => {
    const access = { find: async () => null, put: () => Promise.reject(new DatabaseAway("ECONNREFUSED", null)) };
    await expect(ensureAdminToken({ home, clock, access })).rejects.toThrow(DatabaseAway);
    await expect(readToken()).rejects.toThrow(/ENOENT/);
  });
});

describe("while the database is away", () => {
  const credential = (name: string, expiresAt: number | null = null): Credential => ({
    hash: name,
    kind: "token",
    name,
    role: "viewer",
    scope: null,
    expiresAt,
  });
  let isAway = false;
  const access = {
    find: async (hash: string): Promise<Credential | null> => {
      if (isAway) throw new DatabaseAway("ECONNREFUSED", null);
      return hash === "nobody" ? null : credential(hash, hash === "brief" ? 1_700_000_001_000 : null);
    },
  };
  beforeEach(() => {
    isAway = false;
  });

  test("who was just seen may still look, and change nothing", async () => {
    const reader = createCredentialReader(access, clock);
    await reader.find("ann", true);
    isAway = true;
    expect(await reader.find("ann", true)).toMatchObject({ name: "ann" });
    await expect(reader.find("ann", false)).rejects.toThrow(DatabaseAway);
    await expect(reader.find("bob", true)).rejects.toThrow(DatabaseAway);
  });

  test("who wasn't seen for long, has expired, was signed out or refused is forgotten", async () => {
    const reader = createCredentialReader(access, clock);
    for (const hash of ["ann", "brief", "out", "nobody"]) await reader.find(hash, true);
    reader.forget("out");
    expect(["ann", "brief", "out", "nobody"].map(reader.isKnown)).toEqual([true, true, false, false]);
    now += 1_000;
    expect(reader.isKnown("brief")).toBe(false);
    now += KNOWN_CREDENTIAL_MS;
    isAway = true;
    await expect(reader.find("ann", true)).rejects.toThrow(DatabaseAway);
  });

  test("no more are remembered than may be", async () => {
    const reader = createCredentialReader(access, clock);
    for (let i = 0; i <= KNOWN_CREDENTIALS_MAX; i += 1) await reader.find(`p${i}`, true);
    expect([reader.isKnown("p0"), reader.isKnown("p1"), reader.isKnown(`p${KNOWN_CREDENTIALS_MAX}`)]).toEqual([
      false,
      true,
      true,
    ]);
  });
});

describe("a rate limit", () => {
  test("lets a burst through, then as many as flow back, each key for itself", () => {
    const limit = createRateLimit({ burst: 3, perSecond: 2 }, clock);
    expect([1, 2, 3].map(() => limit.take("a"))).toEqual([0, 0, 0]);
    expect(limit.take("a")).toBe(500);
    expect(limit.waitMs("b")).toBe(0);
    now += 499;
    expect(limit.take("a")).toBeGreaterThan(0);
    now += 1;
    expect(limit.waitMs("a")).toBe(0);
    expect(limit.take("a")).toBe(0);
    now += 1_000_000;
    expect([1, 2, 3, 4].map(() => limit.take("a") === 0)).toEqual([true, true, true, false]);
  });

  test("forgets first whom it hasn't heard for longest", () => {
    const limit = createRateLimit({ burst: 1, perSecond: 0.001 }, clock);
    for (let i = 0; i < RATE_KEYS_MAX; i += 1) limit.take(`k${i}`);
    limit.take("k0");
    limit.take("one more");
    expect([limit.waitMs("k0") > 0, limit.waitMs("k1") > 0, limit.waitMs("k2") > 0]).toEqual([true, false, true]);
  });
});

test("secrets of one kind never pass for another, and are compared whole", () => {
  const [token, session] = [createSecret("token"), createSecret("session")];
  expect(token).toMatch(/^rgt_[A-Za-z0-9_-]{43}$/);
  expect([
    isSecretOf("token", token),
    isSecretOf("token", session),
    isSecretOf("code", token),
    isSecretOf("token", `${token}A`),
  ]).toEqual([true, false, false, false]);
  expect(createSecret("token")).not.toBe(token);
  expect([isSameSecret(token, token), isSameSecret(token, session), isSameSecret(token, ""), isSameSecret("", "")]).toEqual([
    true,
    false,
    false,
    true,
  ]);
  expect(toCsrfToken(session)).not.toContain(session.slice(4));
  expect(toCsrfToken(session)).not.toBe(toCsrfToken(token));
});

test("each role may do what those below it may, and a scope reaches what it names", () => {
  const roles = ["viewer", "operator", "approver", "admin"] as const;
  for (const [i, role] of roles.entries())
    for (const [j, needed] of roles.entries()) expect(isAtLeast(role, needed)).toBe(i >= j);
  expect([isInScope(null, "shop"), isInScope(["shop"], "shop"), isInScope(["shop"], "shop2"), isInScope([], "shop")]).toEqual([
    true,
    true,
    false,
    false,
  ]);
});
