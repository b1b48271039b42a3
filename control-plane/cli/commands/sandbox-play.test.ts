/**
 * `regent sandbox` against a running sandbox with a real region: every word is set and mended, and scripts are played. The sandbox is a process of
 * its own; the supervisor's door is the real one over a part that only remembers what it was told.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { ListHostedZonesCommand, Route53Client } from "@aws-sdk/client-route-53";
import { createSandboxClient, type SandboxClient } from "@regent/sandbox/control-client.ts";
import { LinkCutMode, REGION_FAULT_NAMES } from "@regent/sandbox/faults.ts";
import { ROUTE53_FAULT_KINDS } from "@regent/sandbox/route53/faults.ts";
import { type SandboxConfigFile, SandboxReady } from "@regent/sandbox/sandbox-config.ts";
import type { SandboxState } from "@regent/sandbox/sandbox-state.ts";
import { testFetch } from "@regent/sandbox/testing/observe.ts";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { ENTRIES } from "../entries.ts";
import { runTyped } from "../testing/typed.ts";
import { answered } from "../testing/up-harness.ts";
import { type Door, openDoor } from "../up/door.ts";
import { AGENTS } from "../up/layout.ts";
import type { Part } from "../up/part.ts";
import type { UpState } from "../up/state.ts";

const TOKEN = "sandbox-play-token-1234";
const CREDENTIALS = { accessKeyId: "SANDBOX", secretAccessKey: "sandbox-secret" };
const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));

let home: string;
let child: ChildProcess;
let ready: SandboxReady;
let client: SandboxClient;
let door: Door;
/** What the supervisor was told to do with its server. */
let told: string[] = [];
let isDoorWilling = true;

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
};

const rememberingPart = (): Part => {
  const tell = (verb: string) => async () => {
    if (!isDoorWilling) throw new Error("not now");
    told.push(verb);
  };
  const view = () => ({ name: "server", state: "ready", pid: null, restarts: 0, lastEnd: null });
  return { stop: tell("stop"), kill: tell("kill"), start: tell("start"), view } as unknown as Part;
};

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "sandbox-play-"));
  await chmod(home, 0o711);
  await writeFile(join(home, "sandbox.token"), TOKEN, { mode: 0o600 });
  const config: SandboxConfigFile = {
    dataDir: join(home, "sandbox"),
    tokenFile: join(home, "sandbox.token"),
    zones: ["example.test"],
    credentials: [CREDENTIALS],
    regions: [{ id: "eu-west", apiPort: 0, databasePort: 0, controlPort: 0, publishedAddress: "192.0.2.10" }],
    vantages: AGENTS.map(({ vantage }) => vantage),
    agents: AGENTS.map(({ id, vantage }) => ({ id, vantage })),
    controlPlane: { port: await freePort() },
    spawnRegions: true,
  };
  await writeFile(join(home, "sandbox.json"), JSON.stringify(config), { mode: 0o600 });
  child = spawn(process.execPath, [ENTRIES.sandbox], {
    env: { ...process.env, REGENT_SANDBOX_CONFIG: join(home, "sandbox.json") },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(createInterface({ input: child.stdout! }), "line")) as [string];
  ready = SandboxReady.parse(JSON.parse(line));
  const sandbox = `http://127.0.0.1:${ready.ports.control}`;
  client = createSandboxClient({ url: sandbox, token: TOKEN });
  const doorPort = await freePort();
  const route53 = `http://127.0.0.1:${ready.ports.route53}`;
  const up: UpState = {
    ...{ pid: process.pid, startedAt: Date.now(), isReady: true, server: "http://127.0.0.1:1", sandbox, route53 },
    ...{ door: `http://127.0.0.1:${doorPort}`, zones: [], nameServers: [], resolver: "127.0.0.1:1", parts: [] },
  };
  door = await openDoor({ port: doorPort, token: TOKEN, parts: new Map([["server", rememberingPart()]]), state: () => up });
  await writeFile(join(home, "up.json"), JSON.stringify(up));
}, 90_000);

afterEach(async () => {
  told = [];
  isDoorWilling = true;
  answered(await client.mendEverything());
});

afterAll(async () => {
  await door?.close();
  if (child !== undefined && child.exitCode === null) {
    child.kill("SIGTERM");
    await once(child, "exit");
  }
  await rm(home, { recursive: true, force: true });
});

const regent = (...args: readonly string[]) => runTyped(args, { REGENT_HOME: home }, 200);

/** What is broken, in a few words; empty when nothing is. */
const broken = async (): Promise<readonly string[]> => {
  const { regions, links, agents, route53 }: SandboxState = answered(await client.read());
  return [
    ...regions.flatMap((region) => (region.process === "running" ? region.faults.map(({ fault }) => fault) : ["unreachable"])),
    ...links.filter(({ cut }) => cut !== undefined).map(({ from, to, cut }) => `${from} -> ${to} ${cut}`),
    ...agents.agents.filter(({ wanted }) => wanted === "killed").map(({ id }) => id),
    ...(route53 as { faults: { fault: { kind: string } }[] }).faults.map(({ fault }) => fault.kind),
  ];
};

const script = async (...steps: readonly string[]): Promise<string> => {
  const file = join(home, "script.yaml");
  await writeFile(
    file,
    ["outage: 1", "name: a short one", "seed: 5", "steps:", ...steps.map((step) => `  - ${step}`)].join("\n"),
  );
  return file;
};

describe("every word of the command line is set and mended", () => {
  const SHOWN: Readonly<Record<string, readonly string[]>> = {
    dead: ["refuse", "database-down"],
    "agents-dead": ["eu-west-a", "eu-west-b"],
  };
  test.each(REGION_FAULT_NAMES)("region fault %s", async (fault) => {
    expect(await regent("sandbox", "break", "eu-west", fault)).toMatchObject({ code: 0, err: "" });
    expect(await broken()).toEqual(SHOWN[fault] ?? [fault]);
    expect((await regent("sandbox", "mend", "eu-west", "--fault", fault)).code).toBe(0);
    expect(await broken()).toEqual([]);
  });

  test.each(LinkCutMode.options)("link cut %s", async (mode) => {
    const ends = ["--from", "us-east/net-a", "--to", "eu-west/api"];
    expect((await regent("sandbox", "cut", ...ends, "--mode", mode)).code).toBe(0);
    expect(await broken()).toEqual([`us-east/net-a -> eu-west/api ${mode}`]);
    expect((await regent("sandbox", "mend-link", ...ends)).code).toBe(0);
    expect(await broken()).toEqual([]);
  });

  const NUMBERS: Readonly<Record<string, readonly string[]>> = {
    "server-error": ["--status", "503", "--applied"],
    "late-apply": ["--delay-ms", "5"],
    strand: ["--delay-ms", "5"],
    "slow-propagation": ["--delay-ms", "5"],
    "staggered-propagation": ["--per-server-ms", "1", "2"],
    truncated: ["--form", "connection", "--no-applied"],
    duplicate: ["--answered", "second"],
    "other-traffic": ["--per-second", "8"],
  };
  test.each(ROUTE53_FAULT_KINDS)("Route 53 fault %s", async (kind) => {
    const set = await regent("sandbox", "route53", kind, ...(NUMBERS[kind] ?? []), "--for-ms", "60000");
    expect(set).toMatchObject({ code: 0, err: "" });
    expect(await broken()).toEqual([kind]);
    const id = /--id (fault-\d+)/.exec(set.out)?.[1];
    expect((await regent("sandbox", "route53", "mend", "--id", String(id))).code).toBe(0);
    expect(await broken()).toEqual([]);
  });

  test("agents, one, several and all", async () => {
    for (const [names, killed] of [
      [["us-east-b"], ["us-east-b"]],
      [
        ["eu-west-a", "ap-south-b"],
        ["eu-west-a", "ap-south-b"],
      ],
      [["all"], AGENTS.map(({ id }) => id)],
    ] as const) {
      expect((await regent("sandbox", "kill-agent", ...names)).code).toBe(0);
      expect(await broken()).toEqual(killed);
      expect((await regent("sandbox", "start-agent", ...names)).code).toBe(0);
      expect(await broken()).toEqual([]);
    }
  });

  test("propagation, as a range or server by server; and one of them", async () => {
    expect((await regent("sandbox", "propagation", "--min-ms", "5", "--max-ms", "9")).code).toBe(0);
    expect((await regent("sandbox", "propagation", "--per-server-ms", "0", "0", "50")).code).toBe(0);
    expect((await regent("sandbox", "propagation", "--min-ms", "5")).code).toBe(2);
    expect((await regent("sandbox", "propagation", "--min-ms", "9", "--max-ms", "5")).code).toBe(2);
  });

  test("a number that a fault doesn't take is refused, and nothing breaks", async () => {
    expect((await regent("sandbox", "route53", "throttle", "--delay-ms", "5")).code).toBe(2);
    expect((await regent("sandbox", "break", "eu-west", "refuse", "--rate", "0.5")).code).toBe(2);
    expect(await broken()).toEqual([]);
  });

  test("`sandbox faults` lists them all", async () => {
    const { out } = await regent("sandbox", "faults");
    for (const word of [...REGION_FAULT_NAMES, ...LinkCutMode.options, ...ROUTE53_FAULT_KINDS])
      expect(out).toContain(`  ${word} `);
  });
});

describe("a played script", () => {
  const OUTAGE = [
    "{ at: 0s, break: { region: eu-west, fault: 503 }, for: [2200ms, 2400ms] }",
    "{ at: 100ms, break: { route53: throttle, operations: ['*'] }, for: 2s }",
    "{ between: [200ms, 300ms], break: { from: us-east/net-a, to: eu-west/api, mode: refuse }, for: 1800ms }",
    "{ at: 400ms, break: { part: server }, for: 500ms }",
    "{ at: 500ms, one of: [{ break: { agents: [us-east-b] }, for: 1300ms }, { break: { agents: [us-east-b] }, for: 1400ms }] }",
  ];

  test("really breaks what it says, as long as it says, and leaves nothing broken", async () => {
    const route53 = new Route53Client({
      region: "us-east-1",
      endpoint: `http://127.0.0.1:${ready.ports.route53}`,
      credentials: CREDENTIALS,
      maxAttempts: 1,
    });
    const api = () => testFetch(ready.regions[0]!.apiPort, "/healthz");
    const codes = new Set<number>();
    const route53Said = new Set<string>();
    const seen = new Set<string>();
    let isOver = false;
    const playing = script(...OUTAGE)
      .then((file) => regent("sandbox", "play", file))
      .finally(() => (isOver = true));
    while (!isOver) {
      const answer = await api();
      if (answer.kind === "answered") codes.add(answer.code);
      route53Said.add(
        await route53.send(new ListHostedZonesCommand({})).then(
          () => "ok",
          (error: Error) => error.name,
        ),
      );
      for (const word of await broken()) seen.add(word);
    }
    const { code, out, err } = await playing;
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(codes).toContain(503);
    expect(route53Said).toContain("Throttling");
    expect(seen).toEqual(new Set(["503", "throttle", "us-east/net-a -> eu-west/api refuse", "us-east-b"]));
    expect(told).toEqual(["kill", "start"]);
    expect(await broken()).toEqual([]);
    expect(await api()).toMatchObject({ code: 200 });
    await route53.send(new ListHostedZonesCommand({}));
    route53.destroy();
    // The timeline first, then a line for each act as it is played.
    const [timeline = "", live = ""] = out.split("\n\n");
    expect(timeline.split("\n")[0]).toMatch(/^a short one, seed 5: 10 acts in 2\.[234]\d s$/);
    expect(live.match(/done in \d+ ms/g)).toHaveLength(10);
    expect(live).toMatch(/Over\. What was broken is mended\.\n$/);
  });

  test("is drawn the same from the same seed, another way from another, and a dry run breaks nothing", async () => {
    const file = await script(...OUTAGE);
    const dry = async (...more: readonly string[]): Promise<string> =>
      (await regent("sandbox", "play", file, "--dry-run", ...more)).out;
    expect(await dry()).toBe(await dry("--seed", "5"));
    expect(await dry("--seed", "6")).not.toBe((await dry()).replace("seed 5", "seed 6"));
    expect(JSON.parse(await dry("--json"))).toMatchObject({ seed: 5, acts: { length: 10 } });
    expect([await broken(), told]).toEqual([[], []]);
  });

  test("ends with 1 when a step failed, says which, plays the others and mends them", async () => {
    isDoorWilling = false;
    const file = await script(
      "{ at: 0s, break: { part: server }, for: 300ms }",
      "{ at: 100ms, break: { region: eu-west, fault: hang }, for: 300ms }",
    );
    const { code, out, err } = await regent("sandbox", "play", file);
    expect(code).toBe(1);
    expect(out).toMatch(/break {2}server: killed {2}FAILED: the supervisor could not do it/);
    expect(out).toMatch(/mend {3}eu-west: hang {2}done/);
    expect(err).toContain("Not all could be mended");
    expect(await broken()).toEqual([]);
  });

  test("ends with 1 when a step failed and its end could be mended", async () => {
    const file = await script(
      "{ at: 0s, break: { route53: throttle, count: 1, forMs: 100 }, for: 100ms }",
      "{ at: 100ms, break: { region: us-east, fault: hang }, for: 100ms }",
    );
    const { code, out } = await regent("sandbox", "play", file, "--json");
    const report = JSON.parse(out) as { acts: { text: string; failed?: string }[] };
    // The sandbox of this test has one region only.
    expect(report.acts.find(({ text }) => text === "us-east: hang")?.failed).toContain("There is no region us-east");
    expect(code).toBe(1);
  });

  test("with mistakes ends with 2 and their lines, and nothing is broken", async () => {
    const file = await script("{ at: 0s, break: { region: eu-west, fault: 503 } }", "{ at: now, mend: everything }");
    const { code, out, err } = await regent("sandbox", "play", file);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain(`${file}:6:11 steps[1].at: "now" is not a duration`);
    expect(await broken()).toEqual([]);
    expect((await regent("sandbox", "play", join(home, "none.yaml"))).code).toBe(2);
  });

  test("Ctrl-C mends at once what is broken", async () => {
    const file = await script(
      "{ at: 0s, break: { region: eu-west, fault: dead, agents: true }, for: 1h }",
      "{ at: 10ms, break: { route53: garbage }, for: 1h }",
      "{ at: 1h, break: { agents: all }, for: 1s }",
    );
    const playing = spawn(process.execPath, [MAIN, "sandbox", "play", file], {
      env: { ...process.env, REGENT_HOME: home, NO_COLOR: "1" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let [out, err] = ["", ""];
    playing.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
    playing.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
    const ended = once(playing, "close");
    await expect.poll(() => out, { timeout: 20_000 }).toMatch(/break {2}Route 53: garbage.*done/);
    expect(await broken()).toEqual(["refuse", "database-down", "eu-west-a", "eu-west-b", "garbage"]);
    playing.kill("SIGINT");
    expect(await ended).toEqual([1, null]);
    expect(err).toMatch(/Interrupted: mending.*\nInterrupted\. What was broken is mended\.\n$/);
    expect(await broken()).toEqual([]);
  }, 60_000);
});
