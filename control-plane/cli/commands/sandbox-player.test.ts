import { expect, test } from "vitest";
import { LAID_OUT } from "./sandbox-play.ts";
import { type Hands, type Played, playTimeline } from "./sandbox-player.ts";
import { parseOutageScript } from "./sandbox-script.ts";
import { drawTimeline, keyOf } from "./sandbox-timeline.ts";

const SCRIPT = `
outage: 1
name: n
steps:
  - { at: 1s, break: { region: eu-west, fault: 503 }, for: 4s }
  - { at: 2s, break: { route53: throttle }, for: 1s }
  - { at: 4s, break: { part: server }, for: 5s }
`;

const timeline = () => {
  const parsed = parseOutageScript(SCRIPT, "s.yaml", LAID_OUT);
  if (parsed.kind === "invalid") throw new Error(parsed.lines.join("\n"));
  return drawTimeline(parsed.script, LAID_OUT);
};

/** Before the clock jumps, calls that take no time have returned, as they would have in real time. */
const whatIsUnderWay = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Plays on a clock that jumps; `stopAtMs` is when somebody presses Ctrl-C, `fails` which calls fail, and how often. */
const play = async ({
  stopAtMs = Number.POSITIVE_INFINITY,
  fails = {},
}: {
  stopAtMs?: number;
  fails?: Record<string, number>;
} = {}) => {
  let clock = 1_000;
  const stop = new AbortController();
  const done: string[] = [];
  const attempt = (what: string): void => {
    const left = fails[what] ?? 0;
    fails[what] = left - 1;
    done.push(`${clock - 1_000} ${what}${left > 0 ? " fails" : ""}`);
    if (left > 0) throw new Error(`no ${what}`);
  };
  const hands: Hands = {
    break: async (what) => {
      attempt(`break ${what.on}`);
      return what.on === "route53" ? "fault-7" : undefined;
    },
    mend: async (things, faultIdOf) => {
      for (const thing of things) attempt(`mend ${thing.kind === "route53" ? faultIdOf(thing.breakId) : keyOf(thing)}`);
    },
  };
  const played: Played = await playTimeline(timeline(), {
    hands,
    now: () => clock,
    sleep: async (ms, signal) => {
      await whatIsUnderWay();
      const until = Math.min(clock + ms, stopAtMs + 1_000);
      clock = Math.max(clock, until);
      if (clock >= stopAtMs + 1_000) stop.abort();
      expect(signal).toBe(stop.signal);
    },
    onPlayed: () => undefined,
    signal: stop.signal,
  });
  return { played, done };
};

test("plays each act at its time, and ends a fault of Route 53 by its own id", async () => {
  const { played, done } = await play();
  expect(done).toEqual([
    "1000 break region",
    "2000 break route53",
    "3000 mend fault-7",
    "4000 break part",
    "5000 mend api eu-west",
    "9000 mend part server",
  ]);
  expect(played).toMatchObject({ isInterrupted: false, left: undefined });
  expect(played.acts.map(({ failed }) => failed)).toEqual(Array(6).fill(undefined));
});

test("interrupted, it mends at once what is broken then, and nothing else", async () => {
  const { played, done } = await play({ stopAtMs: 4_500 });
  expect(done.slice(4)).toEqual(["4500 mend api eu-west", "4500 mend part server"]);
  expect(played).toMatchObject({ isInterrupted: true, left: undefined });
});

test("a break that fails is told, the others go on, and what it may have broken is mended", async () => {
  const { played, done } = await play({ fails: { "break region": 1 } });
  expect(played.acts[0]).toMatchObject({ failed: "no break region" });
  expect(done).toContain("5000 mend api eu-west");
  expect(played.acts.slice(1).every(({ failed }) => failed === undefined)).toBe(true);
});

test("a mend that fails is tried again at the end", async () => {
  const { played, done } = await play({ fails: { "mend api eu-west": 1 } });
  expect(done.slice(-2)).toEqual(["9000 mend part server", "9000 mend api eu-west"]);
  expect(played.left).toBeUndefined();
  expect(played.acts.filter(({ failed }) => failed !== undefined)).toHaveLength(1);
});

test("what can't be mended is named", async () => {
  const { played } = await play({ fails: { "mend part server": 9 } });
  expect(played.left).toMatchObject({ things: [{ kind: "part", part: "server" }], why: "no mend part server" });
});

test("a slow act holds up nothing but what is done to the same thing", async () => {
  let clock = 0;
  const done: string[] = [];
  let finishKill = (): void => undefined;
  const hands: Hands = {
    break: async (what) => {
      if (what.on === "part")
        await new Promise<void>((resolve) => {
          finishKill = resolve;
        });
      done.push(`break ${what.on}`);
      return undefined;
    },
    mend: async (things) => {
      done.push(`mend ${things.map(keyOf).join()}`);
    },
  };
  const { acts } = await playTimeline(timeline(), {
    hands,
    now: () => clock,
    // The kill of 4 s ends after the last act was due at 9 s; only then may the server be started.
    sleep: async (ms) => {
      await whatIsUnderWay();
      clock += ms;
      if (clock >= 9_000) setTimeout(finishKill, 5);
    },
    onPlayed: () => undefined,
    signal: new AbortController().signal,
  });
  expect(done).toEqual(["break region", "break route53", "mend route53 1", "mend api eu-west", "break part", "mend part server"]);
  expect(acts).toHaveLength(6);
});
