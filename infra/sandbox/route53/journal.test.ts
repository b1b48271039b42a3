/** The account outlives kill -9, a torn last line and a rewrite, and says so when the file was damaged otherwise. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createRoute53, type Route53 } from "./index.ts";
import { openJournal } from "./journal.ts";

let directory: string;
let journalPath: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "route53-journal-"));
  journalPath = join(directory, "route53.jsonl");
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const open = (): Route53 => createRoute53({ credentials: [{ accessKeyId: "a", secretAccessKey: "b" }], journalPath });
const zoneOf = ({ store }: Route53): string => {
  const created = store.createZone({ name: "example.test.", callerReference: "journal" });
  if (created.kind !== "created") throw new Error(created.kind);
  return created.zone.head.id;
};
const write = ({ store }: Route53, zoneId: string, label: string): void => {
  const outcome = store.change(zoneId, {
    changes: [{ action: "CREATE", set: { name: `${label}.example.test.`, type: "A", ttl: 5, values: ["192.0.2.1"] } }],
  });
  if (outcome.kind !== "accepted") throw new Error(outcome.kind);
};
const names = ({ store }: Route53): string[] =>
  [...(store.zones()[0]?.records.keys() ?? [])].filter((name) => name !== "example.test.").sort();

/** A process that writes one record set after another and tells each that was acknowledged, until it is killed. */
const writer = `
import { createRoute53 } from ${JSON.stringify(new URL("./index.ts", import.meta.url).href)};
const { store } = createRoute53({ credentials: [{ accessKeyId: "a", secretAccessKey: "b" }], journalPath: process.argv[1] });
const zone = store.zones()[0]?.head.id ?? store.createZone({ name: "example.test.", callerReference: "journal" }).zone.head.id;
for (let n = 0; ; n++) {
  const set = { name: process.argv[2] + n + ".example.test.", type: "A", ttl: 5, values: ["192.0.2.1"] };
  const { kind } = store.change(zone, { changes: [{ action: "CREATE", set }] });
  await new Promise((resolve) => process.stdout.write(kind + " " + set.name + "\\n", resolve));
}
`;

const killAfter = async (child: ChildProcess, acknowledged: number): Promise<string[]> => {
  const lines: string[] = [];
  const ended = once(child, "exit");
  for await (const line of createInterface({ input: child.stdout! })) {
    if (line.startsWith("accepted ")) lines.push(line.slice("accepted ".length));
    if (lines.length === acknowledged) child.kill("SIGKILL");
  }
  await ended;
  return lines;
};

describe("the journal", () => {
  test("holds everything that was acknowledged when the process is killed, three times over", async () => {
    const acknowledged: string[] = [];
    for (const round of ["a", "b", "c"]) {
      const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", writer, journalPath, round], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      acknowledged.push(...(await killAfter(child, 12)));
    }
    const route53 = open();
    expect(acknowledged.length).toBeGreaterThanOrEqual(36);
    expect(names(route53)).toEqual(expect.arrayContaining(acknowledged));
    // At most one in each round was on disk and not yet told.
    expect(names(route53).length).toBeLessThanOrEqual(acknowledged.length + 3);
    expect(route53.store.zones()).toHaveLength(1);
    await route53.close();
  });

  test("cut at any byte of its last line opens as if that line had never been", async () => {
    const first = open();
    const zoneId = zoneOf(first);
    write(first, zoneId, "kept");
    const before = statSync(journalPath).size;
    write(first, zoneId, "torn");
    await first.close();
    const whole = readFileSync(journalPath);
    for (let size = before; size < whole.length; size += 17) {
      writeFileSync(journalPath, whole);
      truncateSync(journalPath, size);
      const again = open();
      expect(names(again)).toEqual(["kept.example.test."]);
      write(again, zoneId, "next");
      await again.close();
      const last = open();
      expect(names(last)).toEqual(["kept.example.test.", "next.example.test."]);
      await last.close();
    }
  });

  test("damaged before its last line doesn't open", async () => {
    const route53 = open();
    zoneOf(route53);
    await route53.close();
    writeFileSync(journalPath, `{"kind":"zo\n${readFileSync(journalPath, "utf8")}`);
    expect(open).toThrow(/line 1 is damaged/);
  });

  test("rewritten as a snapshot says the same in fewer bytes", async () => {
    const route53 = open();
    const zoneId = zoneOf(route53);
    for (let n = 0; n < 20; n++) write(route53, zoneId, `n${n}`);
    const check = route53.store.createHealthCheck("ref", { type: "TCP", ipAddress: "192.0.2.1", port: 443 });
    if ("kind" in check) throw new Error(check.kind);
    const expected = names(route53);
    await route53.close();
    // One more byte than the limit at which opening compacts, in lines that say nothing new.
    const line = readFileSync(journalPath, "utf8")
      .split("\n")
      .findLast((text) => text.includes('"change"'))!;
    const repeats = Math.ceil((8 * 1024 * 1024 + 1) / (line.length + 1));
    appendFileSync(journalPath, `${line}\n`.repeat(repeats));
    const again = open();
    expect(statSync(journalPath).size).toBeLessThan(20_000);
    expect(names(again)).toEqual(expected);
    expect(again.store.healthCheck(check.id)).toEqual(check);
    write(again, zoneId, "after");
    await again.close();
    const { entries, journal } = openJournal(journalPath);
    journal.close();
    expect(entries.some((entry) => entry.kind === "change" && entry.names[0]?.[0] === "after.example.test.")).toBe(true);
  });
});
