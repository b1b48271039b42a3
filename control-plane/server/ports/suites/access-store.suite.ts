/** What every access store promises. */
import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Credential } from "../access-store.ts";
import type { OpenStores, TestStores } from "./stores.ts";

const hashOf = (secret: string): string => createHash("sha256").update(secret).digest("hex");

const exampleCredential = (secret: string, credential: Partial<Credential> = {}): Credential => ({
  hash: hashOf(secret),
  kind: "token",
  name: "ann",
  role: "operator",
  scope: ["web", "api"],
  expiresAt: null,
  ...credential,
});

export const accessStoreSuite = (name: string, open: OpenStores): void => {
  describe(`${name} access store`, () => {
    let stores: TestStores;
    beforeAll(async () => {
      stores = await open();
    });
    afterAll(() => stores.close());

    credentialLaws(() => stores);
    idempotencyLaws(() => stores);
  });
};

const credentialLaws = (stores: () => TestStores): void => {
  test("a credential is found as it was put, replaced by the same hash, and gone when removed", async () => {
    const { access } = stores();
    await access.put(exampleCredential("one"));
    expect(await stores().other.access.find(hashOf("one"))).toEqual(exampleCredential("one"));
    const raised = exampleCredential("one", { role: "admin", scope: null, kind: "session", expiresAt: 8_000_000_000_000 });
    await access.put(raised);
    expect(await access.find(hashOf("one"))).toEqual(raised);
    await access.remove(hashOf("one"));
    expect(await access.find(hashOf("one"))).toBeNull();
  });

  test("an expired credential is neither found nor consumed", async () => {
    const { access } = stores();
    const expiresAt = (await stores().now()) + 40;
    await access.put(exampleCredential("brief", { kind: "code", expiresAt }));
    expect(await access.find(hashOf("brief"))).not.toBeNull();
    await stores().elapse(60);
    expect(await access.find(hashOf("brief"))).toBeNull();
    expect(await access.consume(hashOf("brief"))).toBeNull();
  });

  test("a code presented ten times at once is good once", async () => {
    const code = exampleCredential("code", { kind: "code", expiresAt: 8_000_000_000_000 });
    await stores().access.put(code);
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) => (n % 2 === 0 ? stores() : stores().other).access.consume(hashOf("code"))),
    );
    expect(answers.filter((answer) => answer !== null)).toEqual([code]);
  });

  test("what isn't a code can't be consumed", async () => {
    await stores().access.put(exampleCredential("token"));
    expect(await stores().access.consume(hashOf("token"))).toBeNull();
    expect(await stores().access.find(hashOf("token"))).not.toBeNull();
  });
};

const idempotencyLaws = (stores: () => TestStores): void => {
  test("a key begun ten times at once is fresh once", async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) => (n % 2 === 0 ? stores() : stores().other).access.begin("race-key", "digest", 10_000)),
    );
    expect(answers.map(({ kind }) => kind).sort()).toEqual(["fresh", ...Array(9).fill("under-way")]);
  });

  test("a key whose try did nothing is free again, and one that is answered stays answered", async () => {
    const { access } = stores();
    await access.begin("free-key", "digest", 60_000);
    await access.finish("free-key", "other", null);
    expect(await access.begin("free-key", "digest", 60_000)).toEqual({ kind: "under-way" });
    await access.finish("free-key", "digest", null);
    expect(await access.begin("free-key", "digest", 60_000)).toEqual({ kind: "fresh" });
    await access.finish("free-key", "digest", { httpStatus: 200, body: 1 });
    await access.finish("free-key", "digest", null);
    expect(await access.begin("free-key", "digest", 60_000)).toEqual({ kind: "answered", httpStatus: 200, body: 1 });
  });

  test("a finished key answers the same, field by field in order; another request under it is a mismatch", async () => {
    const { access } = stores();
    const body = { z: 1, a: [null, { nested: "ü\u2028" }], empty: {} };
    await access.begin("done-key", "digest", 10_000);
    await access.finish("done-key", "digest", { httpStatus: 201, body });
    const answer = await access.begin("done-key", "digest", 0);
    expect(answer).toEqual({ kind: "answered", httpStatus: 201, body });
    expect(JSON.stringify(answer.kind === "answered" && answer.body)).toBe(JSON.stringify(body));
    expect(await access.begin("done-key", "other", 0)).toEqual({ kind: "mismatch" });
  });

  test("the first answer stands, and none is kept for a key or digest that wasn't begun", async () => {
    const { access } = stores();
    await access.begin("first-key", "digest", 10_000);
    await access.finish("first-key", "other", { httpStatus: 500, body: "wrong digest" });
    await access.finish("first-key", "digest", { httpStatus: 200, body: null });
    await access.finish("first-key", "digest", { httpStatus: 500, body: "too late" });
    expect(await access.begin("first-key", "digest", 0)).toEqual({ kind: "answered", httpStatus: 200, body: null });
    await access.finish("never-begun", "digest", { httpStatus: 200, body: 1 });
    expect(await access.begin("never-begun", "digest", 0)).toEqual({ kind: "fresh" });
  });

  test("an unanswered key can be begun again when it is stale, by one", async () => {
    const { access } = stores();
    await access.begin("stale-key", "digest", 10_000);
    await stores().elapse(30);
    expect(await access.begin("stale-key", "digest", 10_000)).toEqual({ kind: "under-way" });
    expect(await access.begin("stale-key", "other", 10)).toEqual({ kind: "mismatch" });
    const answers = await Promise.all([1, 2, 3].map(() => access.begin("stale-key", "digest", 20)));
    expect(answers.map(({ kind }) => kind).sort()).toEqual(["fresh", "under-way", "under-way"]);
  });
};
