/** What a rehearsal file may say, and that everything else is told with its line and why. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { read, readShipped, run, tonight } from "../testing/rehearse.ts";
import { toRehearsalJsonSchema } from "./shape.ts";

const linesOf = async (text: string): Promise<readonly string[]> => {
  const found = await read(text);
  return found.kind === "invalid" ? found.lines : [];
};

describe("what can't be is refused", () => {
  test.each([
    [
      "an outcome of a region that isn't declared",
      "outcomes:\n  - { regions: eu-wst, what: timeout }",
      '6:16 outcomes[0].regions: no region "eu-wst" is declared; did you mean "eu-west"?',
    ],
    [
      "a pattern that no vantage fits",
      "outcomes:\n  - { vantages: mars/*, what: timeout }",
      '6:17 outcomes[0].vantages: no vantage (region/network) "mars/*" is declared',
    ],
    ["a check that isn't declared", "outcomes:\n  - { checks: apy, what: timeout }", 'no check "apy" is declared'],
    ["a notation that makes no sense", "outcomes:\n  - { what: ok*60 broken }", '"broken" is nothing that a probe can see'],
    ["zero steps", "outcomes:\n  - { what: ok*0 timeout }", "6:13 outcomes[0].what: ok*0: lasts no time at all"],
    [
      "a part after the end",
      "outcomes:\n  - { what: ok*20m timeout }",
      "a part begins at +20m00s, and the rehearsal is over at +10m00s",
    ],
    ["silence of a region's checks", "outcomes:\n  - { regions: eu-west, what: silence }", "silence is an agent's as a whole"],
    ["a status of a check that sees none", "outcomes:\n  - { checks: database, what: 503 }", "only http checks see a status"],
    [
      "an operator after the end",
      "operators:\n  - { at: 11m, as: ada, do: failback, service: checkout, reason: too late }",
      "6:11 operators[0].at: +11m00s is after the end",
    ],
    [
      "a failover to nowhere",
      "operators:\n  - { at: 1m, as: ada, do: failover, service: checkout, reason: why not }",
      "failover needs `to`",
    ],
    [
      "a failover to a region of another world",
      "operators:\n  - { at: 1m, as: ada, do: failover, service: checkout, to: moon, reason: why not }",
      'no region of this service "moon" is declared',
    ],
    [
      "an edit of nothing",
      "edits:\n  - { at: 1m, service: checkout, weight: 3 }",
      "6:5 edits[0]: an edit is of a `region` and its `weight`",
    ],
    [
      "an edit of a region of another world",
      "edits:\n  - { at: 1m, service: checkout, region: moon, weight: 3 }",
      'no region of this service "moon" is declared',
    ],
    [
      "an edit of a weight and an owner",
      "edits:\n  - { at: 1m, service: checkout, region: eu-west, weight: 3, owner: other-team }",
      "or of the `owner`",
    ],
    ["an owner that it has already", "edits:\n  - { at: 1m, service: checkout, owner: rehearsed-shop }", "nothing would change"],
    ["an edit after the end", "edits:\n  - { at: 1h, service: checkout, owner: other-team }", "is after the end"],
    ["an edit of another service", "edits:\n  - { at: 1m, service: chekout, owner: other-team }", 'did you mean "checkout"?'],
    [
      "a freeze of a region of no service",
      "operators:\n  - { at: 1m, as: ada, do: freeze, region: eu-west, reason: why not }",
      "a region is frozen for a service: name it",
    ],
    [
      "an override without an end",
      "operators:\n  - { at: 1m, as: ada, do: override, what: freeze, service: checkout, reason: why not }",
      "override needs `what` and `for`",
    ],
    [
      "a pin without shares",
      "operators:\n  - { at: 1m, as: ada, do: override, what: pin, for: 1h, service: checkout, reason: why not }",
      "override of pin needs `shares`",
    ],
    [
      "a freeze of one region for a while",
      "operators:\n  - { at: 1m, as: ada, do: override, what: freeze, for: 1h, region: eu-west, service: checkout, reason: why not }",
      "override of freeze takes no `region`",
    ],
    [
      "a drain with an end",
      "operators:\n  - { at: 1m, as: ada, do: drain, for: 1h, region: eu-west, service: checkout, reason: why not }",
      "drain takes no `for`",
    ],
    ["an operator without a reason", "operators:\n  - { at: 1m, as: ada, do: freeze }", "operators[0].reason: missing"],
    ["a send that applies late", "dns:\n  - { from: 1m, to: 2m, what: late }", "a send that applies late can't be rehearsed"],
    ["a fault that ends before it begins", "dns:\n  - { from: 2m, to: 1m, what: away }", "it ends before it begins"],
    [
      "facts of a database that nobody asks for its role",
      "facts:\n  - { regions: eu-west, role: standby }",
      "no service of the configuration is stateful: nobody asks for the role of a database",
    ],
    ["facts that say nothing", "facts:\n  - { regions: eu-west }", "it says nothing: it needs `role`, `lag` or `link`"],
    ["facts that end before they begin", "facts:\n  - { role: standby, from: 2m, to: 1m }", "it ends before it begins"],
    [
      "a value that the configuration doesn't have",
      "configuration:\n  - { at: 1m, set: services.checkot.ttl=10 }",
      "there is no checkot among checkout",
    ],
    [
      "a value that the configuration can't have",
      "configuration:\n  - { at: 0s, set: services.checkout.ttl=never }",
      "services[0].ttl",
    ],
    [
      "other probes in the middle",
      "configuration:\n  - { at: 1m, set: services.checkout.settings.intervalSeconds=9 }",
      "this changes what agents probe or when",
    ],
    ["an expectation of nothing", "expect:\n  - { at: 1m }", "an expectation is about one of verdict, shares"],
    ["an expectation of two things", "expect:\n  - { at: 1m, page: {}, change: {} }", "not change and page"],
    [
      "an expectation at no time",
      "expect:\n  - { change: { kind: failover } }",
      "when? say at, by, from and to, never, atMost or exactly",
    ],
    [
      "an expectation at two times",
      "expect:\n  - { at: 1m, by: 2m, change: { kind: failover } }",
      "when? at and by don't go together",
    ],
    ["an expectation after the end", "expect:\n  - { by: 1h, change: { kind: failover } }", "+1h00m00s is after the end"],
    ["a kind of change that isn't one", "expect:\n  - { never: true, change: { kind: failovr } }", 'did you mean "failover"?'],
    [
      "a verdict that is counted",
      "expect:\n  - { atMost: 1, verdict: { service: checkout, region: eu-west, is: healthy } }",
      "a verdict lasts and isn't counted",
    ],
    ["a rule that isn't one", "expect:\n  - { never: true, held: { by: A99 } }", "expect[0].held.by"],
    ["an unknown key", "outcome: []", '5:1 outcome: unknown key "outcome"; did you mean "outcomes"?'],
    ["a duration that isn't one", "step: soon", "a duration such as 500ms"],
    ["a step of no time", "step: 0s", "a step lasts"],
  ])("%s", async (_, lines, told) => {
    const found = await linesOf(tonight(lines));
    expect(found.join("\n")).toContain(told);
    for (const line of found) expect(line).toMatch(/^tonight\.yaml:\d+:\d+ /);
  });

  test("an endless one, one of no time, and one that costs too much", async () => {
    expect(await linesOf(tonight("", "8d"))).toEqual(["tonight.yaml:4:6 for: it lasts longer than 7 days"]);
    expect(await linesOf(tonight("", "0s"))).toEqual(["tonight.yaml:4:6 for: it lasts less than one step"]);
    const often = "configuration:\n  - { at: 0s, set: services.checkout.settings.recheckSeconds=0.1 }";
    expect((await linesOf(tonight(often, "7d"))).join()).toMatch(/may take [\d,]+ probes and reports; at most 100,000,000/);
  });

  test("all errors at once, in the order of the file", async () => {
    const found = await linesOf(
      tonight("outcomes:\n  - { regions: nowhere, what: nonsense*3 }\n  - { what: ok*0 }\nexpect:\n  - { at: 1h }"),
    );
    expect(found.map((line) => Number(line.split(":")[1]))).toEqual([6, 6, 7, 9, 9]);
  });

  test("a configuration that can't be read, is wrong, is missing or stands there twice", async () => {
    const head = "rehearsal: 1\nname: x\nfor: 1m\n";
    expect(await linesOf(`${head}config: none.yaml`)).toEqual(["tonight.yaml:4:9 config: none.yaml can't be read"]);
    expect(await linesOf(head)).toEqual([expect.stringContaining("names a `config`, or holds a `declaration`")]);
    expect(await linesOf(`${head}config: shop.yaml\ndeclaration: {}`)).toHaveLength(1);
    const inline = readShipped("shop.yaml").replace("zone: example.com", "zone: exmple.com").replaceAll(/^/gm, "  ");
    const [told] = await linesOf(`${head}declaration:\n${inline}`);
    expect(told).toContain("declaration.services[0].zone");
    expect(told).toContain('did you mean "example.com"?');
  });

  test("no text makes it throw", async () => {
    for (const text of [
      "",
      "[]",
      "rehearsal: 1",
      "rehearsal: 2\nfor: 1m",
      "a: &a [*a]",
      "\u0000",
      "- - - -",
      tonight("outcomes: 3"),
    ])
      expect((await read(text)).kind).toBe("invalid");
  });
});

describe("what it means", () => {
  test("an inline declaration is as good as a file, and a later line lies over an earlier one", async () => {
    const inline = readShipped("shop.yaml").replaceAll(/^/gm, "  ");
    const lines = "outcomes:\n  - { regions: eu-west, what: timeout }\n  - { what: ok*5m - }";
    const { run: ran } = await run(`rehearsal: 1\nname: x\nfor: 10m\ndeclaration:\n${inline}\n${lines}`);
    const [first, ...more] = ran.told.changes;
    expect(more).toEqual([]);
    expect(first?.at).toBeGreaterThan(5 * 60_000);
    expect(first?.at).toBeLessThan(5.5 * 60_000);
  });

  test("a seed gives the same again, and another one other chances", async () => {
    const text = (seed: number) => tonight(`seed: ${seed}\noutcomes:\n  - { what: random 20% }`);
    const [one, again, other] = [await run(text(1)), await run(text(1)), await run(text(2))];
    expect(again.run.told).toEqual(one.run.told);
    expect(again.run.failures).toBe(one.run.failures);
    expect(other.run.failures).not.toBe(one.run.failures);
    expect(one.run.failures / one.run.probes).toBeGreaterThan(0.15);
    expect(one.run.failures / one.run.probes).toBeLessThan(0.25);
  });

  test("agents that speak again are heard again", async () => {
    const { run: ran, checked } = await run(
      tonight(
        "outcomes:\n  - { vantages: '*', what: -*1m silence*2m - }\nexpect:\n  - { at: 2m, verdict: { service: checkout, region: eu-west, is: unknown } }\n  - { from: 5m, to: 10m, verdict: { service: checkout, region: eu-west, is: healthy } }",
      ),
    );
    const own = ran.told.turns.filter(({ region }) => region === "eu-west").map(({ to }) => to);
    expect(own).toEqual(["healthy", "unknown", "healthy"]);
    expect(ran.told.changes).toEqual([]);
    expect(checked.map(({ isMet }) => isMet)).toEqual([true, true]);
  });

  test("what takes longer than a probe waits is a timeout, and what an operator may not do is answered", async () => {
    const { run: ran } = await run(
      tonight(
        "outcomes:\n  - { regions: [eu-west, us-east], what: ok*60 ok, latency: 3s }\noperators:\n  - { at: 5m, as: ada, do: failover, service: checkout, to: us-east, reason: wrong button }",
      ),
    );
    expect(ran.told.turns.find(({ region, to }) => region === "us-east" && to === "unhealthy")?.why).toContain("tcp_timeout");
    expect(ran.told.answers).toMatchObject([
      { at: 300_000, do: "failover", is: "refused", rules: expect.arrayContaining(["A6"]) },
    ]);
  });
});

test("docs/rehearsal.schema.json, which editors read, is the schema that files are checked with", () => {
  const committed: unknown = JSON.parse(readFileSync(new URL("../../../docs/rehearsal.schema.json", import.meta.url), "utf8"));
  expect(committed, "write it anew from toRehearsalJsonSchema() and format it with biome").toEqual(
    JSON.parse(JSON.stringify(toRehearsalJsonSchema())),
  );
});
