/** `regent alert` against a server that answers what a test lays before it; and the file of Prometheus rules, which is what the command prints. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { rulesInForce } from "@regent/server/operations/alerting/rules-in-force.ts";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { runCommand } from "../program.ts";

const FILE = new URL("../../../infra/prometheus/regent.rules.yaml", import.meta.url);
const SHIPPED = rulesInForce([], []);

let server: Server;
let url: string;
let rules: unknown[];
let asked: { method: string; path: string; body: unknown }[];

beforeAll(async () => {
  server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += chunk;
    const [method = "", path = ""] = [request.method, request.url];
    if (method !== "GET") asked.push({ method, path, body: JSON.parse(text) });
    const [first] = rules;
    const trial = {
      rule: first,
      series: [{ series: 'regent_agents{region="eu",state="missing"}', value: 1, holds: true }],
      more: 0,
      sentence: "it holds for 1 of 1",
    };
    const alerts = [
      {
        rule: "agents-missing",
        series: "regent_agents",
        state: "firing",
        since: 0,
        value: 1,
        severity: "warning",
        title: "x y z",
      },
    ];
    const answers: Record<string, unknown> = {
      "/v1/alerts": { alerts, more: 0 },
      "/v1/alert-rules": { rules },
      "/v1/alert-rules/agents-missing/trial": trial,
    };
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify(method === "GET" ? answers[path] : { rule: first }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));
beforeEach(() => {
  rules = [...SHIPPED];
  asked = [];
});

const run = async (...args: string[]) => {
  let [out, err] = ["", ""];
  const terminal = {
    env: { REGENT_TOKEN: "t", NO_COLOR: "1" },
    out: (text: string) => {
      out += text;
    },
    err: (text: string) => {
      err += text;
    },
    isInteractive: false,
    columns: () => 100,
    rows: () => 30,
  };
  const code = await runCommand(["alert", ...args, "--url", url], terminal);
  return { code, out, err };
};

test("the shipped rules file is exactly what the command prints where nothing was changed", async () => {
  const { code, out } = await run("rules", "--prometheus");
  expect(code).toBe(0);
  await expect(out).toMatchFileSnapshot(fileURLToPath(FILE));
});

const PROMTOOL = spawnSync("promtool", ["--version"]).status === 0;
test.skipIf(!PROMTOOL)("promtool takes the rules file", () => {
  const { status, stderr } = spawnSync("promtool", ["check", "rules", fileURLToPath(FILE)], { encoding: "utf8" });
  expect([status, stderr]).toEqual([0, ""]);
});

test("a rule that is off isn't in the file, and one that is added is", async () => {
  rules = [
    ...rulesInForce(
      [
        { id: "agents-missing", isOn: false },
        { id: "queue-long", metric: "regent_lane_waiting", condition: { op: ">=", value: 7 }, for: 9, severity: "info" },
      ],
      [],
    ),
  ];
  const { out } = await run("rules", "--prometheus");
  expect(out).not.toContain('rule: "agents-missing"');
  expect(out).toContain('alert: RegentQueueLong\n        expr: "regent_lane_waiting >= 7"\n        for: 9s');
});

test("lists, rules and trials are told in lines, and as JSON", async () => {
  expect((await run("list")).out).toContain("firing  warning  agents-missing  regent_agents = 1, since ");
  expect((await run("rules")).out).toContain('regent_agents{state="missing"} > 0 for 120 s');
  expect((await run("test", "agents-missing")).out).toContain("it holds for 1 of 1.");
  expect(JSON.parse((await run("list", "--json")).out).alerts).toHaveLength(1);
  expect(JSON.parse((await run("rules", "--prometheus", "--json")).out).rules).toHaveLength(SHIPPED.length);
});

test("a rule is set with what is given, on the version that stands", async () => {
  const given = ["--label", "lane=live", "--label", "what=a=b", "--when", ">= -1.5", "--window", "60", "--for", "0"];
  const more = [
    "--severity",
    "critical",
    "--notifier",
    "pager",
    "--notifier",
    "chat",
    "--title",
    "the queue",
    "--reason",
    "too many",
  ];
  const { code, err } = await run("set", "queue-long", "--metric", "regent_lane_refused_total", ...given, ...more);
  expect([code, err]).toEqual([0, ""]);
  expect(asked).toEqual([
    {
      method: "PUT",
      path: "/v1/alert-rules/queue-long",
      body: {
        metric: "regent_lane_refused_total",
        labels: { lane: "live", what: "a=b" },
        condition: { op: ">=", value: -1.5 },
        window: 60,
        for: 0,
        severity: "critical",
        notifiers: ["pager", "chat"],
        title: "the queue",
        expectedVersion: 0,
        reason: "too many",
      },
    },
  ]);
});

test("what was set before stays unless it is said anew", async () => {
  rules = [...rulesInForce([], [{ version: 3, setting: { id: "agents-missing", for: 900, severity: "info" } }])];
  await run("set", "agents-missing", "--for", "30", "--off", "--reason", "a migration");
  expect(asked[0]?.body).toEqual({ for: 30, severity: "info", isOn: false, expectedVersion: 3, reason: "a migration" });
  await run("drop", "agents-missing", "--reason", "over");
  expect(asked[1]).toEqual({
    method: "DELETE",
    path: "/v1/alert-rules/agents-missing",
    body: { expectedVersion: 3, reason: "over" },
  });
});

test.each([
  [["set", "x", "--when", "about 7", "--reason", "trying"], '--when wants a comparison such as "> 10"'],
  [["set", "x", "--label", "lane", "--reason", "trying"], "--label wants name=value"],
  [["set", "x", "--for", "soon", "--reason", "trying"], "--for wants a number"],
  [["set", "x", "--on", "--off", "--reason", "trying"], "either --off or --on"],
  [["set", "x"], "required option '--reason"],
  [["drop", "agents-missing", "--reason", "trying"], "Nothing of agents-missing was set by API"],
])("%j is refused and nothing is asked for", async (args, words) => {
  const { code, err } = await run(...args);
  expect(code).not.toBe(0);
  expect(err).toContain(words);
  expect(asked).toEqual([]);
});

test("the file says nothing that isn't in docs/ALERTS.md, and the page nothing that isn't shipped", () => {
  const page = readFileSync(new URL("../../../docs/ALERTS.md", import.meta.url), "utf8");
  const rows = [...page.matchAll(/^\| `([a-z0-9-]+)` \| (critical|warning|info) \| `([^`]+)` \| ([^|]+) \|$/gm)];
  const file = readFileSync(FILE, "utf8");
  const told = rows.map(([, id, severity, expression, why]) => ({ id, severity, expression, why }));
  expect(told).toEqual(
    SHIPPED.map(({ id, severity, why, for: seconds }) => {
      const escaped = new RegExp(
        `expr: "(.*)"\\n {8}for: ${seconds}s\\n {8}keep_firing_for: 60s\\n {8}labels:\\n {10}severity: ${severity}\\n {10}rule: "${id}"\\n`,
      );
      const expression = escaped.exec(file)?.[1]?.replaceAll('\\"', '"');
      return { id, severity, expression: `${expression}${seconds === 0 ? "" : ` for ${seconds}s`}`, why };
    }),
  );
});
