import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { exampleEvent, exampleMove, exampleOverview, exampleService } from "../testing/examples.ts";
import { toScreen } from "../view/screen.ts";
import { toDig } from "./dig.ts";
import { toClocks, toHistory } from "./history.ts";
import { toMove } from "./move.ts";
import { toStatus } from "./overview.ts";
import { createPaint } from "./paint.ts";
import { clip, toBar, toTable, widthOf, wrap } from "./table.ts";

const plain = createPaint(false);
const coloured = createPaint(true);

describe("status", () => {
  test("shows every region with verdict, score, and the weights wanted, written and seen", () => {
    expect(`${toStatus(exampleOverview(), plain).join("\n")}\n`).toBe(`\
regent-sandbox  normal  term 2  configuration 1

checkout  checkout.example.test  active-passive  profile sandbox  revision 4
  us-east serves; eu-west is out since 00:00:00Z
  region   verdict      score  wanted  written  seen  for   why
  eu-west  ✖ unhealthy  0      0 %     0        25 %  3 s   web fails (tcp_refused) [gray]
  us-east  ● healthy    100    100 %   255      75 %  90 s  2 of 2 inside and 4 of 4 outside vantages see it up

agents  1 of 2 heard lately
  eu-west/net-a  eu-west-a  ● normal  heard 400 ms ago  configuration 1
  us-east/net-a  us-east-a  ✖ silent  never heard       configuration none
`);
  });

  test("tells freeze, drift, drain and a missing leader by words and not by colour alone", () => {
    const freeze = { by: "ada", reason: "maintenance", at: 0 };
    const service = exampleService({ frozen: freeze, drift: "somebody changed eu-west", drained: { "us-east": freeze } });
    const text = toStatus(exampleOverview({ leader: null, frozen: freeze, services: [service] }), plain).join("\n");
    for (const words of [
      "✖ no leader",
      "! frozen by ada: maintenance",
      "✖ edited in DNS, automation stands still: somebody changed eu-west",
      "● healthy drained",
    ])
      expect(text).toContain(words);
  });

  test("says once why a name can't be written or was edited", () => {
    for (const mark of [{ drift: "TTL is 60" }, { blockedBy: "TTL is 60" }]) {
      const service = exampleService({ ...mark, now: "TTL is 60" });
      expect(
        toStatus(exampleOverview({ services: [service] }), plain)
          .join("\n")
          .split("TTL is 60"),
      ).toHaveLength(2);
    }
  });

  test("says the same with colour as without", () => {
    const [without, withColour] = [plain, coloured].map((paint) => toStatus(exampleOverview(), paint).join("\n"));
    expect(withColour).not.toBe(without);
    expect(stripVTControlCharacters(withColour ?? "")).toBe(without);
  });
});

describe("history", () => {
  test("shows a change with cause, weights before and after, and its clocks as distances", () => {
    expect(`${toHistory([exampleEvent()], plain).join("\n")}\n`).toBe(`\
00:00:00.820Z  checkout  failover ! page
  eu-west is unhealthy: 4 of 4 outside vantages see web failing; traffic goes to us-east 100 %
  weights eu-west 255, us-east 0 -> eu-west 0, us-east 255  (revision 4, visible)
  detected 00:00:00.000Z, decided +0.82 s, accepted +0.91 s, in sync +1.20 s, visible +1.15 s
`);
  });

  test("runs from old to new, whatever the order it came in", () => {
    const events = [exampleEvent({ at: 2_000, sequence: 2 }), exampleEvent({ at: 1_000, sequence: 1 })];
    const heads = toHistory(events, plain).filter((line) => !line.startsWith(" "));
    expect(heads.map((line) => line.slice(0, 12))).toEqual(["00:00:01.000", "00:00:02.000"]);
  });

  test("leaves out clocks that have not struck", () => {
    expect(toClocks({ decided: 0 })).toBe("decided 00:00:00.000Z");
  });
});

test("a move that had nothing to send says so, and isn't marked as if something were wrong", () => {
  const lines = toMove(exampleMove({ dryRun: false, allowed: false, changeId: null, revision: 7 }), plain);
  expect(lines[0]).toBe("· revision 7, nothing was sent");
});

test("a dry run says that nothing was sent and shows the exact batch", () => {
  expect(`${toMove(exampleMove(), plain).join("\n")}\n`).toBe(`\
Dry run: nothing was sent.
checkout would go to us-east
shares  eu-west 100 %, us-east 0 % -> eu-west 0 %, us-east 100 %
weights eu-west 255, us-east 0 -> eu-west 0, us-east 255
rules
  A2  ✓ allow  1 region keeps a positive weight
batch
 DELETE checkout.example.test A 5 [eu-west] weight 255 192.0.2.10
`);
});

test("dig shows each server, the epoch record in words, who is behind, and counted answers as bars", () => {
  const epoch = {
    owner: "shop",
    term: 2,
    revision: 4,
    ulid: "01JGFJJZ00ABCDEFGHJKMNPQRS",
    mode: "frozen",
    digest: "0123456789abcdef",
  } as const;
  const answer = { kind: "answered", values: ["192.0.2.20"], ttl: 5, code: "NOERROR" } as const;
  const report = {
    name: "shop.example.test",
    type: "A",
    epochName: "_regent.shop.example.test",
    servers: [
      { server: "127.0.0.1:5301", role: "authoritative", answer, epochText: "regent1 …", epoch },
      {
        server: "127.0.0.1:5302",
        role: "authoritative",
        answer,
        epochText: "regent1 …",
        epoch: { ...epoch, revision: 3, ulid: "01JGFJJZ00ABCDEFGHJKMNPQRR" },
      },
      {
        server: "127.0.0.1:5310",
        role: "resolver",
        answer: { kind: "silent", why: "no answer within 1000 ms" },
        epochText: null,
        epoch: null,
      },
    ],
    counted: { counts: { "192.0.2.20": 3, "192.0.2.10": 1 }, answered: 4, silent: 1 },
  } as const;
  expect(`${toDig(report, plain).join("\n")}\n`).toBe(`\
shop.example.test  A
  127.0.0.1:5301  authoritative  192.0.2.20  ttl 5           revision 4, term 2
  127.0.0.1:5302  authoritative  192.0.2.20  ttl 5           revision 3, term 2
  127.0.0.1:5310  resolver       ✖ no answer within 1000 ms  no epoch record
  _regent.shop.example.test  owner shop, term 2, revision 4, ! frozen, written as 01JGFJJZ00ABCDEFGHJKMNPQRS, digest 0123456789abcdef
  ! 1 of 2 servers answer an older one

4 answers of the authoritative servers counted, ! 1 unanswered
  192.0.2.20  ███████████████░░░░░ 75 % (3)
  192.0.2.10  █████░░░░░░░░░░░░░░░ 25 % (1)
`);
});

describe("the live screen", () => {
  const input = {
    overview: exampleOverview(),
    events: Array.from({ length: 30 }, (_, index) => exampleEvent({ sequence: index })),
    answers: { checkout: { "192.0.2.20": 9, "192.0.2.10": 1 } },
    away: null,
    title: "Regent",
    regionOf: { "192.0.2.10": "eu-west", "192.0.2.20": "us-east" },
    foot: ["now break something", "Ctrl-C stops everything"],
    notes: ["server ended (SIGKILL); starting it again"],
  };

  test.each([
    { columns: 80, rows: 24 },
    { columns: 200, rows: 50 },
    { columns: 40, rows: 12 },
  ])("fits $columns by $rows and keeps its foot", (size) => {
    const lines = toScreen(input, coloured, size);
    expect(lines.length).toBeLessThanOrEqual(size.rows);
    expect(Math.max(...lines.map(widthOf))).toBeLessThanOrEqual(size.columns);
    expect(lines.at(-1)).toContain("Ctrl-C stops");
  });

  test("shows sampled answers by region", () => {
    const text = toScreen(input, plain, { columns: 200, rows: 50 }).join("\n");
    expect(text).toMatch(/us-east .*█████████░ 90 %/);
  });

  test("keeps the last picture and says so when the control plane is away", () => {
    const text = toScreen({ ...input, away: "ECONNREFUSED" }, plain, { columns: 200, rows: 50 }).join("\n");
    expect(text).toContain("✖ the control plane is away (ECONNREFUSED)");
    expect(text).toContain("✖ unhealthy");
  });
});

describe("columns", () => {
  test("line up whatever their colour", () => {
    expect(
      toTable([
        ["a", "b"],
        [coloured.bad("long"), "c"],
      ]).map(stripVTControlCharacters),
    ).toEqual(["a     b", "long  c"]);
  });

  test("a text is cut with an ellipsis and wrapped at words", () => {
    expect(clip("abcdef", 4)).toBe("abc…");
    expect(wrap("one two three", 8, "  ")).toEqual(["one two", "  three"]);
  });

  test("a bar is never longer than its width", () => {
    expect([toBar(-1, 4), toBar(0.5, 4), toBar(2, 4)]).toEqual(["░░░░", "██░░", "████"]);
  });
});
