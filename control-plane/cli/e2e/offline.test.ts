/**
 * A night without a control plane: its processes are stopped and its database is moved away. Operators have the command, AWS credentials and the
 * configuration file. Then everything comes back with the database of before, and obeys. Real processes, real Postgres, real DNS answers.
 */
import { execFile } from "node:child_process";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ask } from "../dns/ask.ts";
import { audit } from "../testing/audit.ts";
import type { DnsWatch } from "../testing/dns-watch.ts";
import { CREDENTIALS, type Fleet, startFleet, ZONE } from "../testing/fleet.ts";
import { allHealthy, allIn, settled } from "../testing/fleet-play.ts";

const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));

let fleet: Fleet;
let watch: DnsWatch;

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** `regent offline …` as a process of its own, which knows of no server and no database. */
const regent = (...args: readonly string[]): Promise<Ran> =>
  new Promise((resolve) => {
    const env = {
      PATH: process.env.PATH,
      HOME: fleet.folder,
      AWS_ENDPOINT_URL_ROUTE_53: fleet.sandbox.endpoint,
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
      AWS_REGION: "us-east-1",
      DATABASE_URL: "what the night has left of it",
    };
    const config = ["--config", join(fleet.folder, "regent.yaml")];
    execFile(process.execPath, [MAIN, "offline", ...args, ...config], { env }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    );
  });

const failover = (service: string, to: string, ...more: readonly string[]): Promise<Ran> =>
  regent("failover", service, "--to", to, "--reason", "the control plane is gone", ...more);

const postgres = (): readonly [string, string] => [join(fleet.folder, "postgres"), join(fleet.folder, "moved-away")];

const answers = async (service: string): Promise<readonly string[]> => {
  const asked = await ask(fleet.sandbox.nameServers[0] ?? "", `${service}.${ZONE}`, "A");
  return asked.kind === "answered" ? asked.values : [];
};

const untilAnswered = (service: string, address: string): Promise<unknown> =>
  fleet.until(
    `${service} is answered with ${address}`,
    () => answers(service),
    (values) => values.join() === address,
    5_000,
  );

const refusedByRoute53 = (): number =>
  fleet.sandbox
    .calls()
    .find(({ operation, outcome }) => `${operation} ${outcome}` === "ChangeResourceRecordSets InvalidChangeBatch")?.count ?? 0;

const versionsOf = async (service: string) => (await fleet.journal.read()).filter((version) => version.service === service);

beforeAll(async () => {
  fleet = await startFleet({ services: 4 });
  await Promise.all(["a", "b"].map((name) => fleet.start(name)));
  await allHealthy(fleet);
  await settled(fleet);
  watch = await fleet.watch();
}, 60_000);

afterAll(() => fleet.close(), 30_000);

test("with nothing but DNS left, it shows what stands, and refuses what it can't know to be right", async () => {
  await Promise.all(fleet.replicas().map((replica) => replica.stop()));
  await fleet.cluster().stop();
  await rename(...postgres());
  const shown = await regent("status");
  expect(shown).toMatchObject({ code: 0, err: "" });
  expect(shown.out).toContain("nothing is probed");
  for (const service of fleet.services) expect(shown.out).toMatch(new RegExp(`^${service} +auto +1 +\\d+ +r1 255, r2 0$`, "m"));
  const dry = await failover("s0", "r2", "--dry-run");
  expect(dry).toMatchObject({ code: 0, err: "" });
  expect(dry.out).toMatch(/ DELETE s0\.example\.test A 5 \[r1\] weight 255 192\.0\.2\.1\n/);
  expect(dry.out).toMatch(/ CREATE s0\.example\.test A 5 \[r2\] weight 255 192\.0\.2\.2\n/);
  const refusals = [
    [failover("s0", "r2"), 2, /no terminal to confirm/],
    [failover("s0", "r1", "--yes"), 1, /r1 serves s0\.example\.test alone already/],
    [failover("s0", "mars", "--yes"), 4, /no region mars of s0 in this file\. It declares r1, r2/],
    [failover("s9", "r2", "--yes"), 4, /no service s9 in this file/],
    [regent("failover", "s0", "--to", "r2", "--yes"), 2, /--reason is missing/],
    [regent("failover", "s0", "--reason", "x", "--yes"), 2, /--to is missing/],
    [regent("freeze", "--reason", "x", "--yes"), 2, /the service, or --all is missing/],
  ] as const;
  const ran = await Promise.all(refusals.map(([each]) => each));
  expect(ran.map(({ code, err }) => [code, err])).toEqual(refusals.map(([, code, why]) => [code, expect.stringMatching(why)]));
  expect((await fleet.journal.read()).every(({ epoch }) => epoch?.revision === 1)).toBe(true);
}, 40_000);

test("a failover moves DNS; of two operators at once one wins, and the other is told by what", async () => {
  const record = join(fleet.folder, "night.jsonl");
  const moved = await failover("s0", "r2", "--yes", "--record", record);
  expect(moved).toMatchObject({ code: 0, err: "" });
  expect(moved.out).toMatch(/✓ s0: written, revision 2 \(\w{26}\): Route 53 accepted it as change \w+/);
  await untilAnswered("s0", "192.0.2.2");
  expect((await readFile(record, "utf8")).trim().split("\n")).toHaveLength(2);

  // Nobody's change is taken until both have read the same epoch record.
  fleet.sandbox.faults.set({ kind: "throttle", count: 6 });
  const refused = refusedByRoute53();
  const [one, other] = await Promise.all([failover("s1", "r2", "--yes"), regent("freeze", "s1", "--reason", "both", "--yes")]);
  expect([one.code, other.code].sort()).toEqual([0, 1]);
  expect(refusedByRoute53()).toBe(refused + 1);
  const [won, lost] = one.code === 0 ? [one, other] : [other, one];
  const versions = await versionsOf("s1");
  expect(versions.map(({ epoch }) => epoch?.revision)).toEqual([1, 2]);
  const ulid = versions.at(-1)?.epoch?.ulid ?? "";
  expect(won.out).toContain(ulid);
  expect(lost.err).toMatch(
    /^s1: not written: somebody else wrote it first\. Now DNS holds revision 2 of term \d+ \(fleet, \w{26}\), frozen/,
  );
  expect(lost.err).toContain(ulid);
}, 40_000);

test("an answer that leaves doubt is settled by reading", async () => {
  fleet.sandbox.faults.set({ kind: "server-error", status: 503, isApplied: true, count: 1 });
  const ran = await failover("s2", "r2", "--yes");
  expect(ran).toMatchObject({ code: 0, err: expect.not.stringMatching(/not written/) });
  expect(ran.out).toMatch(/✓ s2: written, revision 2 \(\w{26}\): its epoch record stands in DNS/);
  await untilAnswered("s2", "192.0.2.2");
}, 40_000);

test("controllers that come back with the database of before obey: no write, frozen, told; unfrozen, they go on from there", async () => {
  const [home, away] = postgres();
  await rename(away, home);
  await fleet.cluster().start();
  const before = (await fleet.journal.read()).length;
  // The region in which the operators put it fails as soon as somebody looks.
  fleet.reports.say("s0", "r2", false);
  await Promise.all(["a", "b"].map((name) => fleet.start(name)));
  for (const service of ["s0", "s1", "s2"])
    await fleet.until(
      `${service} is frozen`,
      () => fleet.service(service),
      ({ frozen, revision }) => frozen?.by === "offline operator" && revision === 2,
      30_000,
    );
  const { frozen, regions } = await fleet.until(
    "s0 is seen to fail",
    () => fleet.service("s0"),
    (seen) => seen.regions.some(({ region, verdict }) => region === "r2" && verdict === "unhealthy"),
    20_000,
  );
  expect(frozen?.reason).toBe("frozen in DNS at revision 2 while the control plane did not know it");
  expect(regions.length).toBeGreaterThan(0);
  expect((await fleet.overview()).frozen).toBeNull();
  expect((await fleet.service("s3")).frozen).toBeNull();
  expect((await fleet.journal.read()).length).toBe(before);
  expect(await answers("s0")).toEqual(["192.0.2.2"]);
  const { client } = await fleet.leader();
  const history = await client.history({ service: "s0", kinds: ["freeze"] });
  expect(history).toMatchObject({
    kind: "ok",
    value: {
      events: [
        {
          page: true,
          actor: { kind: "operator", name: "offline operator" },
          why: expect.stringMatching(
            /^offline operator froze s0 in DNS at revision 2 while .* r1 0, r2 255 \(it was r1 255, r2 0\)/,
          ),
        },
      ],
    },
  });

  expect((await client.unfreeze({ service: "s0" }, "the control plane is back")).kind).toBe("ok");
  await allIn(fleet, new Map([["s0", "r1"]]), 20_000);
  await untilAnswered("s0", "192.0.2.1");
  expect((await versionsOf("s0")).at(-1)?.epoch).toMatchObject({ mode: "auto" });
  await settled(fleet);
  expect((await audit(fleet.database, await fleet.journal.read())).findings).toEqual([]);
}, 60_000);

test("beside a controller that leads, it obeys within its scan, and a foreign owner's name stays out of reach", async () => {
  const frozen = await regent("freeze", "--all", "--reason", "to be sure", "--yes", "--json");
  expect(frozen).toMatchObject({ code: 0, err: "" });
  expect(JSON.parse(frozen.out).map(({ service, outcome }: Record<string, string>) => [service, outcome])).toEqual([
    ["s0", "done"],
    ["s1", "standing"],
    ["s2", "standing"],
    ["s3", "done"],
  ]);
  const { client } = await fleet.leader();
  for (const service of ["s0", "s3"]) {
    // A dry run reads DNS, as the scan does by itself each 30 s.
    await client.failback(service, { reason: "a look", dryRun: true });
    await fleet.until(
      `${service} is frozen`,
      () => fleet.service(service),
      ({ frozen }) => frozen?.by === "offline operator",
      10_000,
    );
  }
  const config = await readFile(join(fleet.folder, "regent.yaml"), "utf8");
  await writeFile(join(fleet.folder, "regent.yaml"), config.replace("owner: fleet", "owner: others"));
  expect(await failover("s3", "r2", "--yes")).toMatchObject({
    code: 1,
    err: expect.stringMatching(/names owner fleet, and this installation is others/),
  });
  await settled(fleet);
  expect((await audit(fleet.database, await fleet.journal.read())).findings).toEqual([]);
}, 40_000);

test("all the while, DNS was legal at every sample and in every version", async () => {
  expect((await watch.stop()).faults).toEqual([]);
}, 30_000);
