import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type AgentsWantedList, createAgentsWanted } from "./agents-wanted.ts";
import { createControl } from "./control.ts";
import { createSandboxClient, type SandboxClient } from "./control-client.ts";
import { type ListeningApp, listenOnLoopback } from "./control-door.ts";
import { createLinks, type Links } from "./links/links.ts";
import { createRegionClient } from "./regions/region-client.ts";
import { createFaults, type Faults } from "./route53/faults.ts";
import { testClosedPort } from "./testing/observe.ts";

const TOKEN = "control-test-token-1234";
let control: ListeningApp;
let links: Links;
let agents: AgentsWantedList;
let faults: Faults;
let client: SandboxClient;

const post = async (path: string, body: string, headers: Record<string, string> = {}) => {
  const response = await fetch(`http://127.0.0.1:${control.port}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${TOKEN}`, ...headers },
    body,
  });
  return {
    code: response.status,
    type: response.headers.get("content-type"),
    body: (await response.json()) as Record<string, unknown>,
  };
};

beforeAll(async () => {
  const closed = await testClosedPort();
  links = await createLinks({
    vantages: ["eu-west/net-a", "eu-west/net-b"],
    targets: [{ name: "control-plane", host: "127.0.0.1", port: closed, watch: "dialled" }],
    ports: {},
  });
  agents = createAgentsWanted([
    { id: "eu-west-a", vantage: "eu-west/net-a" },
    { id: "eu-west-b", vantage: "eu-west/net-b" },
    { id: "eu-west2-a", vantage: "eu-west2/net-a" },
  ]);
  faults = createFaults({ now: Date.now, onCleared: () => undefined });
  const app = createControl({
    token: TOKEN,
    // Nothing listens there: this region's process is not running.
    regions: [{ id: "eu-west", publishedAddress: "192.0.2.10", client: createRegionClient({ port: closed, token: TOKEN }) }],
    links,
    pair: [],
    agents,
    route53: {
      fault: (body) => faults.set(body as never),
      mend: (body) => void faults.clear((body as { id?: string }).id),
      propagation: () => undefined,
      state: () => faults.list(),
    },
    ports: () => ({ control: control.port, route53: 0, nameServers: [], resolver: 0 }),
  });
  control = await listenOnLoopback(app, 0);
  client = createSandboxClient({ url: `http://127.0.0.1:${control.port}`, token: TOKEN });
});

afterAll(async () => {
  await control.close();
  await links.close();
});

describe("the door", () => {
  test.each([
    ["no token", {}],
    ["a wrong token", { authorization: "Bearer wrong-token-wrong-token" }],
    ["the right token in another scheme", { authorization: `Basic ${TOKEN}` }],
  ])("%s is refused with a sentence, and nothing changes", async (_, headers) => {
    const response = await fetch(`http://127.0.0.1:${control.port}/v1/sandbox/agents/eu-west-a/kill`, {
      method: "POST",
      headers,
    });
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({
      type: "urn:regent-sandbox:token-needed",
      detail: expect.stringContaining("token of the home"),
    });
    expect(agents.current().version).toBe(1);
  });

  test("a foreign Host is refused even with the token", async () => {
    const code = await new Promise((resolve, reject) => {
      const headers = { host: "rebound.example", authorization: `Bearer ${TOKEN}` };
      request({ host: "127.0.0.1", port: control.port, path: "/v1/sandbox", headers }, (response) =>
        resolve(response.resume().statusCode),
      )
        .on("error", reject)
        .end();
    });
    expect(code).toBe(421);
  });

  test("a body beyond the limit is refused", async () => {
    expect(await post("/v1/sandbox/links/cut", JSON.stringify({ from: "x".repeat(20_000) }))).toMatchObject({ code: 413 });
  });

  test("a path that isn't there says so", async () => {
    expect(await post("/v1/sandbox/nothing", "")).toMatchObject({ code: 404, type: "application/problem+json" });
  });
});

describe("bad input", () => {
  test.each([
    ["/v1/sandbox/regions/eu-west/break", "{", 400, "must be JSON"],
    ["/v1/sandbox/regions/eu-west/break", '{"fault":"explode"}', 422, "fault"],
    ["/v1/sandbox/regions/eu-west/break", '{"fault":"slow","delayMs":-1}', 422, "delayMs"],
    ["/v1/sandbox/regions/eu-west/break", '{"fault":"hang","now":true}', 422, "now"],
    ["/v1/sandbox/regions/eu-west/break", '{"fault":"agents-dead","agents":["eu-west2-a"]}', 422, "eu-west2-a"],
    ["/v1/sandbox/regions/mars/break", '{"fault":"hang"}', 404, "there are eu-west"],
    ["/v1/sandbox/regions/eu-west/cut-replication", "{}", 422, "regent up --stateful"],
    ["/v1/sandbox/regions/eu-west/cut-replication", '{"mode":"snip"}', 422, "mode"],
    ["/v1/sandbox/regions/eu-west/mend-replication", "{}", 422, "no half of a pair"],
    ["/v1/sandbox/regions/eu-west/rebuild-standby", "{}", 422, "no half of a pair"],
    ["/v1/sandbox/links/cut", "{}", 422, "name the link"],
    ["/v1/sandbox/links/cut", '{"from":"eu-west/net-a","mode":"snip"}', 422, "mode"],
    ["/v1/sandbox/links/cut", '{"from":"eu-west/net-z"}', 404, "Vantages: eu-west/net-a, eu-west/net-b"],
    ["/v1/sandbox/route53/fault", '{"kind":"meteor"}', 422, "kind"],
    ["/v1/sandbox/agents/nobody/kill", "", 404, "there are eu-west-a"],
  ])("%s %s is refused", async (path, body, code, detail) => {
    expect(await post(path, body)).toMatchObject({
      code,
      type: "application/problem+json",
      body: { detail: expect.stringContaining(detail) },
    });
  });

  test("a region whose process does not run is named, not hidden", async () => {
    expect(await client.breakRegion("eu-west", { fault: "hang" })).toMatchObject({
      kind: "refused",
      code: 503,
      detail: expect.stringContaining("eu-west does not answer on its control port"),
    });
    expect(await client.read()).toMatchObject({
      value: { regions: [{ region: "eu-west", process: "unreachable", why: "ECONNREFUSED" }] },
    });
  });
});

describe("what it sets", () => {
  test("links are cut and mended through it", async () => {
    const changed = await client.cutLinks({ from: "eu-west/net-a", to: "control-plane", mode: "no-answers" });
    expect(changed).toMatchObject({ value: { links: [{ from: "eu-west/net-a", to: "control-plane", cut: "no-answers" }] } });
    const mended = await client.mendLinks({ to: "control-plane" });
    expect(mended.kind === "answered" && mended.value.links.map((link) => link.cut)).toEqual([undefined, undefined]);
  });

  test("faults of the Route 53 API are set and cleared through it", async () => {
    expect(await client.breakRoute53({ kind: "throttle", count: 2 })).toMatchObject({ kind: "answered" });
    expect(faults.list()).toMatchObject([{ fault: { kind: "throttle" }, left: 2 }]);
    await client.mendRoute53();
    expect(faults.list()).toEqual([]);
  });

  test("one fault of several is ended by the id that it was answered with", async () => {
    await client.breakRoute53({ kind: "throttle" });
    const second = await client.breakRoute53({ kind: "other-traffic", perSecond: 8 });
    if (second.kind !== "answered") throw new Error(JSON.stringify(second));
    await client.mendRoute53({ id: second.value.id });
    expect(faults.list()).toMatchObject([{ fault: { kind: "throttle" } }]);
    await client.mendRoute53();
  });

  test("agents are killed and started together: those that are named, or all", async () => {
    const killed = (answer: Awaited<ReturnType<SandboxClient["killAgents"]>>): string[] => {
      if (answer.kind !== "answered") throw new Error(JSON.stringify(answer));
      return answer.value.agents.filter(({ wanted }) => wanted === "killed").map(({ id }) => id);
    };
    expect(killed(await client.killAgents())).toEqual(["eu-west-a", "eu-west-b", "eu-west2-a"]);
    expect(killed(await client.startAgents({ agents: ["eu-west-b", "eu-west2-a"] }))).toEqual(["eu-west-a"]);
    expect(await client.killAgents({ agents: ["eu-west-b", "nobody"] })).toMatchObject({ kind: "refused", code: 404 });
    expect(killed(await client.startAgents())).toEqual([]);
  });

  test("a follower gets the wanted agents at once and at every change; a region's agents are its own alone", async () => {
    const stop = new AbortController();
    const followed = client.followAgents(stop.signal);
    const killed = async (): Promise<string[] | undefined> => {
      const { value } = await followed.next();
      return value?.agents.filter((agent) => agent.wanted === "killed").map((agent) => agent.id);
    };
    expect(await killed()).toEqual([]);
    await client.killAgent("eu-west-a");
    expect(await killed()).toEqual(["eu-west-a"]);
    await client.breakRegion("eu-west", { fault: "agents-dead" });
    expect(await killed()).toEqual(["eu-west-a", "eu-west-b"]);
    await client.startAgent("eu-west-b");
    expect(await killed()).toEqual(["eu-west-a"]);
    await client.mendRegion("eu-west", { fault: "agents-dead" });
    expect(await killed()).toEqual([]);
    stop.abort();
    expect(await followed.next()).toEqual({ value: undefined, done: true });
  });

  test("nobody at the address is an answer, not an exception", async () => {
    const nobody = createSandboxClient({ url: `http://127.0.0.1:${await testClosedPort()}`, token: TOKEN });
    expect(await nobody.read()).toEqual({ kind: "unreachable", why: "ECONNREFUSED" });
  });
});
