import { createPublicKey, randomBytes, sign, verify } from "node:crypto";
import { chmod, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createMemoryDatabase } from "../memory/database.ts";
import { openSigningKey, readMasterKey } from "./signing-key.ts";

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "regent-keys-"));
});
afterEach(() => rm(home, { recursive: true, force: true }));

const store = () =>
  createMemoryDatabase({ clock: { now: () => 0 }, ids: { ulid: () => "01JCXW2M7N0000000000000000" } }).configuration;

describe("master key", () => {
  test("is made once, private to its owner, and read again", async () => {
    const first = await readMasterKey(home, null);
    expect((await stat(join(home, "master.key"))).mode & 0o777).toBe(0o600);
    expect(await readMasterKey(home, null)).toEqual(first);
  });

  test("that others may read is refused", async () => {
    await writeFile(join(home, "master.key"), `${randomBytes(32).toString("base64")}\n`);
    await chmod(join(home, "master.key"), 0o644);
    await expect(readMasterKey(home, null)).rejects.toThrow(/chmod 600/);
  });
});

describe("signing key", () => {
  test("is made once, and opens again with the same master key", async () => {
    const configurations = store();
    const master = randomBytes(32);
    const first = await openSigningKey(configurations, master);
    const again = await openSigningKey(configurations, master);
    expect(again.publicKey).toBe(first.publicKey);
    const spki = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), Buffer.from(first.publicKey, "base64")]);
    const publicKey = createPublicKey({ key: spki, format: "der", type: "spki" });
    expect(verify(null, Buffer.from("x"), publicKey, sign(null, Buffer.from("x"), again.privateKey))).toBe(true);
  });

  test("sealed under another master key can't be opened, and says so", async () => {
    const configurations = store();
    await openSigningKey(configurations, randomBytes(32));
    await expect(openSigningKey(configurations, randomBytes(32))).rejects.toThrow(/master key/);
  });

  test("is not in the store in the clear", async () => {
    const configurations = store();
    await openSigningKey(configurations, randomBytes(32));
    expect(JSON.stringify(await configurations.readSigningKey())).not.toContain("PRIVATE KEY");
  });
});
