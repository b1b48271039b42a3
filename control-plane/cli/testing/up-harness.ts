/**
 * Runs `regent up` as a person does, in a home of its own, and watches it from outside: over the HTTP API, over DNS, over the sandbox's control.
 * For end-to-end tests; nothing of the product is replaced.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Change, HistoryEvent, HistoryPage, Overview, ServiceState } from "@regent/contract";
import { createSandboxClient, type SandboxAnswer, type SandboxClient } from "@regent/sandbox/control-client.ts";
import { type Client, createClient } from "@regent/server/http/client.ts";
import { type Sample, sample } from "../dns/sample.ts";
import { REGIONS, ZONE } from "../up/layout.ts";
import type { UpState } from "../up/state.ts";

/** As `npx regent` runs: the bundle where it is as new as the sources. */
const MAIN = fileURLToPath(new URL("../bin/regent.mjs", import.meta.url));
const READY_MS_MAX = 90_000;
const POLL_MS = 50;

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface UpHarness {
  readonly home: string;
  readonly client: Client;
  readonly sandbox: SandboxClient;
  readonly state: () => Promise<UpState>;
  readonly overview: () => Promise<Overview>;
  readonly service: (id: string) => Promise<ServiceState>;
  /** Newest first. */
  readonly history: (service?: string) => Promise<readonly HistoryEvent[]>;
  readonly changes: (service: string) => Promise<readonly Change[]>;
  /** Parts of `count` answers of the authoritative servers by region. */
  readonly answers: (service: string, count?: number) => Promise<Readonly<Record<string, number>>>;
  /** Runs the command in this home. */
  readonly regent: (...args: readonly string[]) => Promise<Ran>;
  /** Pid of a part, such as `server` or `agent-eu-west-a`; throws when it doesn't run. */
  readonly pidOf: (part: string) => Promise<number>;
  /** Polls until it is right; throws with what was last seen. */
  readonly until: <T>(what: string, look: () => Promise<T>, isRight: (seen: T) => boolean, withinMs: number) => Promise<T>;
  /**
   * Nothing broken, every region of the service healthy and its traffic where its strategy wants it. Active-passive is sent back by an operator,
   * which is at once; the others return by their ramp, which takes half a minute.
   */
  readonly settle: (service: "checkout" | "shop" | "api") => Promise<void>;
  /** Milliseconds that the stop took. */
  readonly stop: () => Promise<number>;
  readonly log: () => string;
}

export const startUp = async (
  options: { readonly home?: string; readonly args?: readonly string[] } = {},
): Promise<UpHarness> => {
  const home = options.home ?? (await mkdtemp(join(tmpdir(), "up-e2e-")));
  const env = { ...process.env, REGENT_HOME: home, REGENT_STOP_WITH_STDIN: "1", NO_COLOR: "1" };
  const child = spawn(process.execPath, [MAIN, "up", "--no-watch", ...(options.args ?? [])], {
    env,
    stdio: ["pipe", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const stop = async (): Promise<number> => {
    const startedAt = performance.now();
    child.kill("SIGTERM");
    await exited;
    const tookMs = performance.now() - startedAt;
    if (options.home === undefined) await removeHome(home);
    return tookMs;
  };
  try {
    await until(
      "`regent up` is ready",
      async () => said,
      (text) => isOver(child, text) || text.includes("Ready in"),
      READY_MS_MAX,
    );
    if (child.exitCode !== null) throw new Error(`\`regent up\` ended (${child.exitCode}):\n${said}`);
    return await createHarness({ home, env, stop, log: () => said });
  } catch (error) {
    await stop();
    throw error;
  }
};

/** With the folders under /var/tmp where regions keep their clusters when root's home is closed to the account that runs Postgres. */
const removeHome = async (home: string): Promise<void> => {
  for (const [id, cluster] of REGIONS.flatMap(({ id }) => [[id, "postgres"] as const, [id, "pair"] as const])) {
    const wanted = join(home, "regions", id, cluster);
    const name = `regent-sandbox-${createHash("sha256").update(wanted).digest("hex").slice(0, 16)}`;
    await rm(join("/var/tmp", name), { recursive: true, force: true });
  }
  await rm(home, { recursive: true, force: true });
};

const isOver = (child: ChildProcess, text: string): boolean => child.exitCode !== null && text !== "";

const createHarness = async ({
  home,
  env,
  stop,
  log,
}: {
  readonly home: string;
  readonly env: NodeJS.ProcessEnv;
  readonly stop: () => Promise<number>;
  readonly log: () => string;
}): Promise<UpHarness> => {
  const state = async (): Promise<UpState> => JSON.parse(await readFile(join(home, "up.json"), "utf8")) as UpState;
  const secret = async (name: string): Promise<string> => (await readFile(join(home, name), "utf8")).trim();
  const up = await state();
  const client = createClient({ url: up.server, token: await secret("admin.token") });
  const sandbox = createSandboxClient({ url: up.sandbox, token: await secret("sandbox.token") });
  const regionOf = Object.fromEntries(REGIONS.map(({ id, publishedAddress }) => [publishedAddress, id]));
  const overview = async (): Promise<Overview> => ok(await client.overview());
  const history = async (service?: string): Promise<readonly HistoryEvent[]> =>
    (ok(await client.history({ limit: 200, ...(service === undefined ? {} : { service }) })) as HistoryPage).events;
  const answers = async (service: string, count = 200): Promise<Record<string, number>> => {
    const sampled: Sample = await sample(up.nameServers, { name: `${service}.${ZONE}`, type: "A", count });
    return Object.fromEntries(
      Object.entries(sampled.counts).map(([address, n]) => [regionOf[address] ?? address, n / sampled.answered]),
    );
  };
  const atRest = async (id: string): Promise<string> => {
    const found = (await overview()).services.find((service) => service.id === id);
    const ill = (found?.regions ?? [])
      .filter(({ verdict }) => verdict !== "healthy")
      .map(({ region, verdict }) => `${region} ${verdict}`);
    const weights = JSON.stringify(found?.written.default);
    return ill.length > 0
      ? `ill: ${ill.join(", ")}`
      : weights === JSON.stringify(AT_REST[id])
        ? "at rest"
        : `elsewhere: ${weights}`;
  };
  const stillUp: UpHarness["until"] = async (what, look, isRight, withinMs) => {
    try {
      return await until(what, look, isRight, withinMs);
    } catch (error) {
      throw new Error(`${(error as Error).message}\n\`regent up\` said last:\n${log().slice(-3_000)}`);
    }
  };
  return {
    home,
    client,
    sandbox,
    state,
    overview,
    history,
    answers,
    until: stillUp,
    stop,
    log,
    service: async (id) => ok(await client.service(id)),
    changes: async (service) => (await history(service)).flatMap(({ change }) => (change === undefined ? [] : [change])),
    regent: (...args) => run(args, env),
    pidOf: async (part) => {
      const pid = (await state()).parts.find(({ name }) => name === part)?.pid;
      if (pid === undefined || pid === null) throw new Error(`${part} does not run`);
      return pid;
    },
    settle: async (id) => {
      answered(await sandbox.mendEverything());
      const well = await stillUp(
        `${id} is well`,
        () => atRest(id),
        (word) => !word.startsWith("ill"),
        40_000,
      );
      if (well !== "at rest" && id === "checkout")
        await client.failover(id, { to: REGIONS[0]!.id, reason: "back to the beginning for the next test" });
      await stillUp(
        `${id} is at rest`,
        () => atRest(id),
        (word) => word === "at rest",
        90_000,
      );
    },
  };
};

/** Weights that the three services have when all is well. */
export const AT_REST: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  checkout: { "eu-west": 255, "us-east": 0, "ap-south": 0 },
  shop: { "eu-west": 255, "us-east": 153, "ap-south": 102 },
  api: { "eu-west": 255, "us-east": 255, "ap-south": 255 },
};

const ok = <T>(answer: { kind: "ok"; value: T } | { kind: string }): T => {
  if (answer.kind === "ok") return (answer as { value: T }).value;
  throw new Error(`The server did not answer: ${JSON.stringify(answer)}`);
};

export const answered = <T>(answer: SandboxAnswer<T>): T => {
  if (answer.kind === "answered") return answer.value;
  throw new Error(`The sandbox refused: ${JSON.stringify(answer)}`);
};

const run = (args: readonly string[], env: NodeJS.ProcessEnv): Promise<Ran> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MAIN, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
    let out = "";
    let err = "";
    child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, out, err }));
  });

const until: UpHarness["until"] = async (what, look, isRight, withinMs) => {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const seen = await look().catch((error: unknown) => error as Error);
    if (!(seen instanceof Error) && isRight(seen)) return seen;
    if (performance.now() > deadline)
      throw new Error(
        `Not within ${withinMs} ms: ${what}. Last seen: ${seen instanceof Error ? seen.message : JSON.stringify(seen)}`,
      );
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
};
