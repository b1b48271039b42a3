import { STREAK_START, type Streak } from "@regent/engine/streak";
import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { describe, expect, it } from "vitest";
import { createDue } from "./due.ts";
import { classOf, guardAddresses } from "./guard.ts";
import { JUDGEMENT_START, type JudgeRules, judge } from "./judge.ts";
import { foldMode, type ModeEvent, modeStart } from "./mode.ts";
import type { ProbeResult, TimedObservation } from "./probe-result.ts";
import { deadlineMs, firstRunAt, nextRun, phaseMs } from "./schedule.ts";
import { bytesOf, createSpool } from "./spool.ts";

const settledUp: Streak = { state: "up", failures: 0, passes: 0 };
const falling: Streak = { state: "up", failures: 1, passes: 0 };

describe("schedule", () => {
  const cadence = { intervalMs: 5_000, recheckMs: 1_000, timeoutMs: 2_000 };

  it("gives a settled check exactly one run in each slot while runs are shorter than the interval", () => {
    fc.assert(
      fc.property(fc.nat(4_999), fc.array(fc.nat(1_990), { minLength: 5, maxLength: 30 }), (phase, lengths) => {
        let at = 1_000_000 + phase;
        let slot: number | undefined;
        for (const length of lengths) {
          const next = nextRun({ startedAt: at, endedAt: at + length, streak: settledUp }, cadence, phase);
          const nextSlot = Math.floor((next.at - phase) / 5_000);
          if (slot !== undefined) expect(nextSlot).toBe(slot + 1);
          expect(next.skipped).toBe(0);
          slot = nextSlot;
          at = next.at;
        }
      }),
    );
  });

  it("skips and counts the slots that passed during a run, and never queues them", () => {
    const next = nextRun({ startedAt: 10_000, endedAt: 21_000, streak: settledUp }, cadence, 0);
    expect(next).toEqual({ at: 25_000, skipped: 2 });
  });

  it("starts the next run within an interval of the last, or when that ends", () => {
    fc.assert(
      fc.property(
        fc.nat(1e7),
        fc.nat(20_000),
        fc.nat(4_999),
        fc.constantFrom(settledUp, falling),
        (startedAt, length, phase, streak) => {
          const { at } = nextRun({ startedAt, endedAt: startedAt + length, streak }, cadence, phase);
          expect(at).toBeGreaterThanOrEqual(startedAt + length);
          expect(at - startedAt).toBeLessThanOrEqual(Math.max(5_000, length + 5_000));
          if (length <= 5_000) expect(at - startedAt).toBeLessThanOrEqual(10_000);
        },
      ),
    );
  });

  it.each<[string, Streak, number]>([
    ["settled up", settledUp, 5_000],
    ["falling", falling, 1_000],
    ["down", { state: "down", failures: 3, passes: 0 }, 5_000],
    ["rising", { state: "down", failures: 3, passes: 1 }, 1_000],
    ["unknown, nothing seen", STREAK_START, 5_000],
    ["unknown, failing", { state: "unknown", failures: 1, passes: 0 }, 1_000],
  ])("runs a check that is %s again after its own interval", (_, streak, expected) => {
    expect(nextRun({ startedAt: 10_000, endedAt: 10_050, streak }, cadence, 0).at - 10_000).toBe(expected);
  });

  it("spreads 1,000 checks of one agent evenly, and the first runs within half a second", () => {
    const targets = Array.from({ length: 1_000 }, (_, index) => ({ agent: "eu-a", target: `shop/eu/c${index}` }));
    const tenths = new Map<number, number>();
    for (const identity of targets) {
      const tenth = Math.floor(phaseMs(identity, 5_000) / 500);
      tenths.set(tenth, (tenths.get(tenth) ?? 0) + 1);
      const wait = firstRunAt(identity, 5_000, 0);
      expect(wait).toBeGreaterThanOrEqual(0);
      expect(wait).toBeLessThanOrEqual(500);
    }
    for (const count of tenths.values()) expect(Math.abs(count - 100)).toBeLessThan(40);
    expect(phaseMs({ agent: "eu-a", target: "x" }, 5_000)).not.toBe(phaseMs({ agent: "eu-b", target: "x" }, 5_000));
  });

  it("never lets a probe outlive its interval", () => {
    expect(deadlineMs({ timeoutMs: 2_000, intervalMs: 1_000 })).toBe(1_000);
    expect(deadlineMs({ timeoutMs: 800, intervalMs: 1_000 })).toBe(800);
  });
});

describe("due", () => {
  it("hands out what is due in order of time, and nothing early", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1_000)), fc.nat(1_000), (times, now) => {
        const due = createDue<number>();
        for (const at of times) due.add(at, at);
        const taken: number[] = [];
        for (let at = due.take(now); at !== undefined; at = due.take(now)) taken.push(at);
        expect(taken).toEqual(times.filter((at) => at <= now).sort((a, b) => a - b));
        expect(due.size()).toBe(times.length - taken.length);
      }),
    );
  });
});

describe("judge", () => {
  const rules: JudgeRules = { cadence: { fall: 3, clear: 3, rise: 2 }, probe: { latencyCritMs: 100, onSlow: "degrade" } };
  const run = (latencies: readonly number[], everyMs: number, with_: JudgeRules = rules): readonly ProbeResult[] => {
    let judgement = JUDGEMENT_START;
    return latencies.map((latencyMs, index) => {
      const judged = judge(judgement, { outcome: "ok", latencyMs, at: index * everyMs }, with_);
      judgement = judged.after;
      return judged.result;
    });
  };

  it.each([4, 5, 6, 9, 10, 12, 30])("does not call a check slow for one slow run among %i", (count) => {
    const outcomes = run(
      Array.from({ length: count }, (_, index) => (index === count - 1 ? 500 : 10)),
      1_000,
    );
    expect(outcomes.at(-1)!.outcome).toBe("ok");
  });

  it("is degraded by latency once five runs are slow, and says p90", () => {
    const outcomes = run([200, 200, 200, 200, 300], 1_000);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(["ok", "ok", "ok", "ok", "degraded"]);
    expect(outcomes[4]).toMatchObject({ reason: "latency", facts: { latencyP90Ms: 300 } });
  });

  it("forgets runs older than 60 s, but keeps five", () => {
    const slowThenFast = [...Array(60).fill(500), ...Array(60).fill(10)];
    const outcomes = run(slowThenFast, 1_000).map(({ outcome }) => outcome);
    expect(outcomes[59]).toBe("degraded");
    expect(outcomes.lastIndexOf("degraded")).toBeGreaterThan(100);
    expect(outcomes.at(-1)).toBe("ok");
    expect(run([500, 500, 500, 500, 500], 300_000).at(-1)!.outcome).toBe("degraded");
  });

  it("fails instead with onSlow: fail, and three such runs bring the check down", () => {
    const failing: JudgeRules = { ...rules, probe: { latencyCritMs: 100, onSlow: "fail" } };
    let judgement = JUDGEMENT_START;
    const states = Array.from({ length: 8 }, (_, index) => {
      const judged = judge(judgement, { outcome: "ok", latencyMs: 500, at: index * 1_000 }, failing);
      judgement = judged.after;
      return [judged.result.outcome, judged.after.streak.state, judged.isTransition];
    });
    expect(states[0]).toEqual(["ok", "up", true]);
    expect(states[6]).toEqual(["fail", "down", true]);
    expect(states[7]).toEqual(["fail", "down", false]);
  });

  it("measures no latency of a run that failed", () => {
    let judgement = JUDGEMENT_START;
    for (let index = 0; index < 20; index++) {
      judgement = judge(judgement, { outcome: "fail", reason: "http_timeout", latencyMs: 2_000, at: index * 1_000 }, rules).after;
    }
    expect(judgement.runs).toEqual([]);
  });
});

describe("spool", () => {
  const entry = (at: number, isTransition = false): TimedObservation => ({
    target: "shop/eu/api",
    at,
    isTransition,
    result: { outcome: "fail", reason: "tcp_refused", latencyMs: 1 },
  });

  it("stays within its bytes, drops steady ones before transitions, and counts every drop", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 120 }), (kinds) => {
        const size = bytesOf(entry(0));
        const spool = createSpool({ bytesMax: size * 20, ageMaxMs: 1e9 });
        kinds.forEach((isTransition, index) => {
          spool.add([entry(index, isTransition)], index);
        });
        const kept = spool.entries();
        expect(kept.length).toBe(Math.min(20, kinds.length));
        expect(kept.length + spool.dropped()).toBe(kinds.length);
        const transitions = kinds.filter(Boolean).length;
        expect(kept.filter(({ isTransition }) => isTransition).length).toBe(Math.min(20, transitions));
      }),
    );
  });

  it("gives the newest first, and nothing older than its age limit", () => {
    const spool = createSpool({ bytesMax: 1e6, ageMaxMs: 1_000 });
    spool.add([entry(100), entry(900, true), entry(500), entry(1_500)], 1_500);
    expect(spool.dropped()).toBe(1);
    expect(spool.takeNewest({ count: 2, bytes: 1e6 }, 1_500).map(({ at }) => at)).toEqual([1_500, 900]);
    expect(spool.takeNewest({ count: 5, bytes: 1e6 }, 1_600)).toEqual([]);
    expect(spool.size()).toBe(0);
    expect(spool.dropped()).toBe(2);
  });

  it("fits what it gives into the room there is", () => {
    const spool = createSpool({ bytesMax: 1e6, ageMaxMs: 1e6 });
    spool.add(
      [1, 2, 3].map((at) => entry(at)),
      3,
    );
    expect(spool.takeNewest({ count: 9, bytes: bytesOf(entry(0)) * 2.5 }, 3).map(({ at }) => at)).toEqual([3, 2]);
    expect(spool.size()).toBe(1);
  });
});

describe("mode", () => {
  const ack = (tookMs: number): ModeEvent => ({ kind: "acknowledged", tookMs });
  const failed: ModeEvent = { kind: "failed" };
  const looked = (isIsolated = false, isSpoolFull = false): ModeEvent => ({ kind: "looked", isIsolated, isSpoolFull });
  it.each<[string, readonly (readonly [ModeEvent, number])[], string]>([
    [
      "stays normal through two failures",
      [
        [failed, 1],
        [failed, 2],
        [ack(5), 3],
        [failed, 4],
      ],
      "normal",
    ],
    [
      "degrades at three failures in a row",
      [
        [failed, 1],
        [failed, 2],
        [failed, 3],
      ],
      "degraded",
    ],
    ["degrades when told to wait", [[{ kind: "told-to-wait" }, 1]], "degraded"],
    ["degrades when acknowledgements take more than 2 s", [[ack(2_500), 1]], "degraded"],
    [
      "stays degraded for four clean acknowledgements",
      [
        [failed, 1],
        [failed, 2],
        [failed, 3],
        [ack(1), 4],
        [ack(1), 5],
        [ack(1), 6],
        [ack(1), 7],
      ],
      "degraded",
    ],
    [
      "is normal after five",
      [
        [failed, 1],
        [failed, 2],
        [failed, 3],
        [ack(1), 4],
        [ack(1), 5],
        [ack(1), 6],
        [ack(1), 7],
        [ack(1), 8],
      ],
      "normal",
    ],
    [
      "is in emergency after 60 s without an acknowledgement",
      [
        [failed, 1],
        [looked(), 60_000],
      ],
      "emergency",
    ],
    [
      "leaves emergency with one acknowledgement",
      [
        [looked(), 60_000],
        [ack(1), 60_001],
      ],
      "degraded",
    ],
    [
      "is offline when isolated, also while reports get through",
      [
        [looked(true), 1],
        [ack(1), 2],
      ],
      "offline",
    ],
    ["is offline when the spool is full", [[looked(false, true), 1]], "offline"],
    [
      "goes from offline to emergency",
      [
        [looked(true), 1],
        [looked(), 2],
      ],
      "emergency",
    ],
  ])("%s", (_, events, expected) => {
    expect(events.reduce((state, [event, now]) => foldMode(state, event, now), modeStart(0)).mode).toBe(expected);
  });
});

describe("guard", () => {
  it.each([
    ["93.184.216.34", "public"],
    ["2606:4700::1111", "public"],
    ["10.1.2.3", "private"],
    ["100.64.0.1", "private"],
    ["192.0.2.7", "private"],
    ["fd12::1", "private"],
    ["127.0.0.1", "loopback"],
    ["::1", "loopback"],
    ["::ffff:127.0.0.1", "loopback"],
    ["169.254.169.254", "metadata"],
    ["fd00:ec2::254", "metadata"],
    ["fd20:ce::254", "metadata"],
    ["fd00:c1::a9fe:a9fe", "metadata"],
    ["fd00:42::42", "metadata"],
    ["fd00:a9fe:a9fe::1", "metadata"],
    ["fd00:100::100:200", "metadata"],
    ["0xa9fea9fe", "malformed"],
    ["2852039166", "malformed"],
    ["0251.0376.0251.0376", "malformed"],
    ["100.100.100.200", "metadata"],
    ["168.63.129.16", "metadata"],
    ["::ffff:169.254.169.254", "metadata"],
    ["::ffff:a9fe:a9fe", "metadata"],
    ["::169.254.169.254", "metadata"],
    ["::ffff:0:169.254.169.254", "metadata"],
    ["64:ff9b::a9fe:a9fe", "metadata"],
    ["64:ff9b::10.0.0.1", "private"],
    ["2002:a9fe:a9fe::1", "metadata"],
    ["2002:0a00:0001::", "private"],
    ["64:ff9b:1::a9fe:a9fe", "unroutable"],
    ["2001:0:1::", "unroutable"],
    ["169.254.1.1", "link-local"],
    ["fe80::1", "link-local"],
    ["fe80::1%eth0", "link-local"],
    ["0.0.0.0", "unroutable"],
    ["::", "unroutable"],
    ["255.255.255.255", "unroutable"],
    ["224.0.0.1", "unroutable"],
    ["ff02::1", "unroutable"],
    ["240.0.0.1", "unroutable"],
    ["not-an-address", "malformed"],
  ])("%s is %s", (address, expected) => {
    expect(classOf(address)).toBe(expected);
  });

  it("reads every address in every way of writing it as a library does", () => {
    const word = fc.oneof(fc.nat(0xffff), fc.constantFrom(0, 0, 0, 0xffff, 0xfe80, 0xfd00, 0x2001, 0x2002, 0x64, 0xff9b));
    fc.assert(
      fc.property(fc.array(word, { minLength: 8, maxLength: 8 }), (words) => {
        const address = new ipaddr.IPv6(words);
        const written = words.map((each) => each.toString(16)).join(":");
        for (const form of [address.toString(), address.toRFC5952String(), written.toUpperCase()])
          expect(classOf(form), form).toBe(classOf(written));
        expect(classOf(written)).not.toBe("malformed");
        const octets = words.slice(0, 4).map((each) => each & 255);
        const known = { unicast: "public", loopback: "loopback", private: "private", linkLocal: "link-local" } as const;
        const range = new ipaddr.IPv4(octets).range();
        if (range in known && classOf(octets.join(".")) !== "metadata")
          expect(classOf(octets.join("."))).toBe(known[range as keyof typeof known]);
        const wide = address.range();
        if (wide === "unicast" || wide === "linkLocal" || wide === "multicast") {
          const expected = { unicast: ["public", "private"], linkLocal: ["link-local"], multicast: ["unroutable"] }[wide];
          if (words.slice(0, 6).some((each) => each !== 0)) expect(expected, written).toContain(classOf(written));
        }
      }),
    );
  });

  it.each([
    "1.2.3",
    "1.2.3.4.5",
    "01.2.3.4",
    "1.2.3.256",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    ":1::",
    "12345::",
    "::1.2.3",
    "1.2.3.4::",
    "",
  ])("%s is no address", (text) => expect(classOf(text)).toBe("malformed"));

  it("blocks a name as soon as one of its addresses is forbidden", () => {
    const rules = { allowLoopback: false, allowPrivate: true };
    expect(guardAddresses(["10.0.0.1", "93.184.216.34"], rules)).toEqual({ kind: "allowed" });
    expect(guardAddresses(["93.184.216.34", "127.0.0.1"], rules)).toEqual({ kind: "blocked", class: "loopback" });
    expect(guardAddresses(["10.0.0.1"], { allowLoopback: true, allowPrivate: false })).toEqual({
      kind: "blocked",
      class: "private",
    });
  });

  it("never allows metadata, link-local or unroutable addresses, in no form and under no rules", () => {
    const octet = fc.nat(255);
    const forms = (a: number, b: number, c: number, d: number): readonly string[] => {
      const hex = `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
      return [`${a}.${b}.${c}.${d}`, `::ffff:${hex}`, `64:ff9b::${hex}`, `::ffff:0:${hex}`, `2002:${hex}::1`];
    };
    fc.assert(
      fc.property(octet, octet, fc.constantFrom(169, 0, 224, 255), (c, d, first) => {
        const second = first === 169 ? 254 : c;
        for (const form of forms(first, second, c, d)) {
          expect(guardAddresses([form], { allowLoopback: true, allowPrivate: true }).kind, form).toBe("blocked");
        }
      }),
    );
  });
});
