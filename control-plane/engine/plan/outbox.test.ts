import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { OutboxRow, OutboxState } from "../model.ts";
import { testUlid } from "../testing/dns.ts";
import { type OutboxFate, resolveOutbox, SIGNATURE_VALID_MS } from "./outbox.ts";

const NOW = 1_700_000_000_000;

const row = (n: number, expects: number | null, state: OutboxState = "unknown"): OutboxRow => ({
  ulid: testUlid(n),
  service: "www",
  revision: n,
  term: 1,
  expects: expects === null ? null : testUlid(expects),
  state,
});

const fates = (rows: readonly OutboxRow[], observed: number | null): OutboxFate[] =>
  resolveOutbox({ rows, observedUlid: observed === null ? null : testUlid(observed), now: NOW }).map(({ fate }) => fate);

describe("the fate of a row", () => {
  it.each([
    ["C2: intent, nothing sent", [row(1, null, "accepted"), row(2, 1, "intent")], 1, ["applied", "open"]],
    ["C3: two copies of one wish, neither landed", [row(1, null), row(2, 1), row(3, 1)], 1, ["applied", "open", "open"]],
    ["C3: the late one won", [row(1, null), row(2, 1), row(3, 1)], 2, ["applied", "applied", "lost"]],
    ["C4: applied, the answer lost", [row(1, null), row(2, 1)], 2, ["applied", "applied"]],
    ["C6: accepted, then dropped by Route 53", [row(1, null, "accepted"), row(2, 1, "accepted")], 1, ["applied", "open"]],
    ["C6: with a successor on top of it", [row(1, null), row(2, 1, "accepted"), row(3, 2)], 1, ["applied", "open", "lost"]],
    ["marked lost, and in DNS after all", [row(1, null), row(2, 1, "lost")], 2, ["applied", "applied"]],
    [
      "a successor of a row that never came",
      [row(1, null), row(2, 1), row(3, 1), row(4, 3)],
      2,
      ["applied", "applied", "lost", "lost"],
    ],
    ["the first write, not landed", [row(1, null)], null, ["open"]],
    ["a foreign record", [row(1, null), row(2, 1)], 99, ["unknown", "unknown"]],
    ["a foreign record that a row of ours expects", [row(1, null), row(2, 99)], 99, ["unknown", "open"]],
    [
      "a foreign record inside the chain",
      [row(1, null), row(2, 99), row(3, 99), row(4, 2)],
      4,
      ["unknown", "applied", "lost", "applied"],
    ],
    ["the epoch record deleted", [row(1, null), row(2, 1)], null, ["open", "unknown"]],
    ["history cut off before the unsettled rows", [row(5, 4), row(6, 4), row(7, 5)], 7, ["applied", "lost", "applied"]],
  ] as const)("%s", (_, rows, observed, expected) => {
    expect(fates(rows, observed)).toEqual(expected);
  });

  it("isn't asked of rows that were never sent, unless DNS shows them", () => {
    expect(fates([row(1, null), row(2, 1, "abandoned"), row(3, 1, "refused")], 1)).toEqual(["applied"]);
    expect(fates([row(1, null), row(3, 1, "refused")], 3)).toEqual(["applied", "applied"]);
  });

  it("says whether a copy can still arrive: until the signature of the last send has expired", () => {
    const sent = (sentAt: number | null): OutboxRow => ({ ...row(2, 1), sentAt });
    const ask = (it: OutboxRow) =>
      resolveOutbox({ rows: [row(1, null), it], observedUlid: testUlid(1), now: NOW })[1]?.mayStillLand;
    expect(ask(sent(NOW - SIGNATURE_VALID_MS))).toBe(true);
    expect(ask(sent(NOW - SIGNATURE_VALID_MS - 1))).toBe(false);
    expect(ask(sent(null))).toBe(true);
    expect(resolveOutbox({ rows: [row(1, null)], observedUlid: testUlid(1), now: NOW })[0]?.mayStillLand).toBe(false);
  });

  it("says why in a sentence with the values that DNS holds and the row expects", () => {
    const answers = resolveOutbox({ rows: [row(1, null), row(2, 1), row(3, 1)], observedUlid: testUlid(2), now: NOW });
    expect(answers.map(({ why }) => why)).toEqual([
      `DNS holds ${testUlid(2)}, which was written on top of ${testUlid(1)}.`,
      `DNS holds ${testUlid(2)}.`,
      `DNS holds ${testUlid(2)}, and ${testUlid(3)} expects ${testUlid(1)}.`,
    ]);
  });

  it("ends on rows that expect each other", () => {
    expect(fates([row(1, 2), row(2, 1)], 1)).toEqual(["applied", "applied"]);
    expect(fates([row(1, 2), row(2, 1)], 9)).toEqual(["unknown", "unknown"]);
  });
});

/** What may happen between writers and a register that only swaps when it holds what is expected. Numbers choose among what there is. */
type Event =
  | { readonly kind: "read"; readonly writer: number }
  | { readonly kind: "intend"; readonly writer: number }
  | { readonly kind: "send"; readonly row: number; readonly copies: number }
  | { readonly kind: "deliver"; readonly request: number }
  | { readonly kind: "lose"; readonly request: number }
  | { readonly kind: "stranger" };

const eventArbitrary = (hasStrangers: boolean): fc.Arbitrary<Event> =>
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("read" as const), writer: fc.nat(2) }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("intend" as const), writer: fc.nat(2) }) },
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant("send" as const), row: fc.nat(), copies: fc.integer({ min: 1, max: 3 }) }),
    },
    { weight: 5, arbitrary: fc.record({ kind: fc.constant("deliver" as const), request: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("lose" as const), request: fc.nat() }) },
    { weight: hasStrangers ? 1 : 0, arbitrary: fc.constant({ kind: "stranger" as const }) },
  );

interface Moment {
  readonly rows: readonly OutboxRow[];
  readonly dns: string | null;
  readonly everInDns: ReadonlySet<string>;
}

/** Runs the events; every moment keeps what DNS holds and what it has ever held. Rows are written before they are sent; reads grow stale. */
const play = (events: readonly Event[]): Moment[] => {
  const rows: OutboxRow[] = [];
  const readBy: (string | null)[] = [null, null, null];
  const requests: OutboxRow[] = [];
  const everInDns = new Set<string>();
  let dns: string | null = null;
  let ulids = 0;
  const hold = (ulid: string): void => {
    dns = ulid;
    everInDns.add(ulid);
  };
  return events.map((event) => {
    switch (event.kind) {
      case "read":
        readBy[event.writer] = dns;
        break;
      case "intend": {
        ulids += 1;
        rows.push({ ...row(ulids, null, "sent"), expects: readBy[event.writer] ?? null });
        break;
      }
      case "send": {
        const sent = rows[event.row % Math.max(1, rows.length)];
        if (sent !== undefined) requests.push(...Array<OutboxRow>(event.copies).fill(sent));
        break;
      }
      case "deliver": {
        const [request] = requests.splice(event.request % Math.max(1, requests.length), 1);
        if (request !== undefined && request.expects === dns) hold(request.ulid);
        break;
      }
      case "lose":
        requests.splice(event.request % Math.max(1, requests.length), 1);
        break;
      case "stranger":
        ulids += 1;
        hold(testUlid(1_000 + ulids));
        break;
    }
    return { rows: [...rows], dns, everInDns: new Set(everInDns) };
  });
};

describe("laws, over late, doubled and lost sends of rival writers", () => {
  it.each([false, true])("a fate never contradicts what DNS held, holds or will hold (strangers: %s)", (hasStrangers) => {
    fc.assert(
      fc.property(fc.array(eventArbitrary(hasStrangers), { minLength: 5, maxLength: 80 }), (events) => {
        const moments = play(events);
        const everAtEnd = moments.at(-1)?.everInDns ?? new Set();
        for (const { rows, dns, everInDns } of moments) {
          for (const { ulid, fate } of resolveOutbox({ rows, observedUlid: dns, now: NOW })) {
            if (fate === "applied") expect(everInDns.has(ulid)).toBe(true);
            if (fate === "lost") expect(everAtEnd.has(ulid)).toBe(false);
            if (fate === "open") expect(rows.find((other) => other.ulid === ulid)?.expects).toBe(dns);
            if (!hasStrangers) expect(fate).not.toBe("unknown");
            if (!hasStrangers && everInDns.has(ulid)) expect(fate).toBe("applied");
          }
        }
      }),
      { numRuns: 400 },
    );
  });

  it("at most one row is applied for each value that rows expect", () => {
    fc.assert(
      fc.property(fc.array(eventArbitrary(true), { minLength: 5, maxLength: 80 }), (events) => {
        for (const { rows, dns } of play(events)) {
          const applied = resolveOutbox({ rows, observedUlid: dns, now: NOW }).filter(({ fate }) => fate === "applied");
          const expected = applied.map(({ ulid }) => rows.find((other) => other.ulid === ulid)?.expects);
          expect(new Set(expected).size).toBe(expected.length);
        }
      }),
    );
  });

  it("what was recorded before has no influence: asking again corrects a wrong mark", () => {
    const states = fc.array(fc.constantFrom<OutboxState>("intent", "sent", "unknown", "accepted", "lost"), {
      minLength: 80,
      maxLength: 80,
    });
    fc.assert(
      fc.property(fc.array(eventArbitrary(true), { minLength: 5, maxLength: 80 }), states, (events, marks) => {
        const { rows, dns } = play(events).at(-1) ?? { rows: [], dns: null };
        const marked = rows.map((it, at): OutboxRow => ({ ...it, state: marks[at] ?? "lost" }));
        const ask = (of: readonly OutboxRow[]) => resolveOutbox({ rows: of, observedUlid: dns, now: NOW });
        expect(ask(marked)).toEqual(ask(rows));
      }),
    );
  });

  it("rows older than the oldest unsettled one may be left out", () => {
    fc.assert(
      fc.property(fc.array(eventArbitrary(false), { minLength: 5, maxLength: 80 }), fc.nat(10), (events, cut) => {
        const { rows, dns, everInDns } = play(events).at(-1) ?? { rows: [], dns: null, everInDns: new Set<string>() };
        const kept = rows.slice(cut);
        for (const { ulid, fate } of resolveOutbox({ rows: kept, observedUlid: dns, now: NOW })) {
          if (fate === "applied") expect(everInDns.has(ulid)).toBe(true);
          if (fate === "lost") expect(everInDns.has(ulid)).toBe(false);
        }
      }),
    );
  });
});
