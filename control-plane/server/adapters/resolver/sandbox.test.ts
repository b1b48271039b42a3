/** Writes through the Route 53 adapter, asks through the resolver: the sandbox's name servers and its caching resolver answer for real. */
import { setTimeout as pause } from "node:timers/promises";
import type { RecordSet } from "@regent/engine";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createApiBudget } from "../route53/budget.ts";
import { createRoute53Provider, type Route53Provider } from "../route53/dns-provider.ts";
import { createUdpResolver } from "./udp-resolver.ts";

interface Sandbox {
  readonly endpoint: string;
  readonly nameServers: readonly string[];
  readonly resolver: string;
  readonly zoneIds: Readonly<Record<string, string>>;
  readonly stopNameServer: (index: number) => Promise<void>;
  readonly close: () => Promise<void>;
}
interface SandboxModule {
  readonly startRoute53Sandbox: (options: Readonly<Record<string, unknown>>) => Promise<Sandbox>;
}

const ZONE = "example.test";
const credentials = { accessKeyId: "AKIDSANDBOXSUITE", secretAccessKey: "only-for-this-test" };
const resolver = createUdpResolver();
let sandbox: Sandbox;
let provider: Route53Provider;

beforeAll(async () => {
  const path = new URL("../../../../infra/sandbox/route53-sandbox.ts", import.meta.url).href;
  const { startRoute53Sandbox } = (await import(/* @vite-ignore */ path)) as SandboxModule;
  const propagation = { perServerMs: [0, 0, 300, 600] };
  sandbox = await startRoute53Sandbox({ credentials: [credentials], zones: [ZONE], propagation });
  const budget = createApiBudget({ ratePerSecond: 1_000, burst: 1_000, monotonic: () => performance.now() });
  provider = createRoute53Provider({ endpoint: sandbox.endpoint, credentials, budget });
});
afterAll(async () => {
  provider.close();
  await sandbox.close();
});

const write = async (...creates: readonly RecordSet[]) => {
  const result = await provider.send(sandbox.zoneIds[ZONE]!, { deletes: [], creates, comment: "resolver suite" });
  expect(result.kind).toBe("accepted");
};
const askAll = (name: string, type: "A" | "AAAA" | "CNAME" | "TXT") =>
  Promise.all(sandbox.nameServers.map((server) => resolver.ask(server, name, type, 1_000)));
const untilAllAnswer = async (name: string, type: "A" | "TXT") => {
  const deadline = performance.now() + 10_000;
  for (;;) {
    const answers = await askAll(name, type);
    if (answers.every(({ kind }) => kind === "answer")) return answers;
    if (performance.now() > deadline) throw new Error(`not everywhere in time: ${JSON.stringify(answers)}`);
    await pause(25);
  }
};

describe("the resolver on real answers", () => {
  test("an epoch record reaches the name servers one by one, and all of them in the end", async () => {
    const text = "regent1 o=suite t=1 r=1 p=one m=auto d=0000000000000000";
    await write({ name: `_regent.${ZONE}`, type: "TXT", ttl: 5, values: [`"${text}"`] });
    const early = await askAll(`_regent.${ZONE}`, "TXT");
    expect(early.map(({ kind }) => kind).slice(0, 2)).toEqual(["answer", "answer"]);
    expect(early[3]).toEqual({ kind: "none", code: "NXDOMAIN" });
    const answers = await untilAllAnswer(`_regent.${ZONE}`, "TXT");
    for (const answer of answers)
      expect(answer).toEqual({ kind: "answer", values: [text], ttlSeconds: 5, isAuthoritative: true });
  });

  test("weights, wildcards, CNAMEs and missing data are read as they are", async () => {
    const weighted = (id: string, weight: number, value: string): RecordSet => ({
      name: `w.${ZONE}`,
      type: "A",
      setIdentifier: id,
      weight,
      ttl: 5,
      values: [value],
    });
    await write(weighted("a", 0, "192.0.2.1"), weighted("b", 255, "192.0.2.2"), {
      name: `*.any.${ZONE}`,
      type: "A",
      ttl: 7,
      values: ["192.0.2.3"],
    });
    await write({ name: `c.${ZONE}`, type: "CNAME", ttl: 3, values: [`w.${ZONE}`] });
    await untilAllAnswer(`c.${ZONE}`, "A");
    const server = sandbox.nameServers[0]!;
    expect(await resolver.ask(server, `w.${ZONE}`, "A", 1_000)).toMatchObject({ values: ["192.0.2.2"] });
    expect(await resolver.ask(server, `x.any.${ZONE}`, "A", 1_000)).toMatchObject({ values: ["192.0.2.3"], ttlSeconds: 7 });
    expect(await resolver.ask(server, `c.${ZONE}`, "CNAME", 1_000)).toMatchObject({ values: [`w.${ZONE}`], ttlSeconds: 3 });
    expect(await resolver.ask(server, `w.${ZONE}`, "AAAA", 1_000)).toEqual({ kind: "none", code: "NODATA" });
    expect((await resolver.ask(server, "www.elsewhere.test", "A", 1_000)).kind).toBe("failed");
    expect(await resolver.ask(sandbox.resolver, `w.${ZONE}`, "A", 2_000)).toMatchObject({
      kind: "answer",
      values: ["192.0.2.2"],
      isAuthoritative: false,
    });
  });

  test("an answer too long for UDP comes over TCP", async () => {
    const values = Array.from({ length: 120 }, (_, index) => `192.0.2.${index}`);
    await write({ name: `long.${ZONE}`, type: "A", ttl: 5, values });
    await untilAllAnswer(`long.${ZONE}`, "A");
    const answer = await resolver.ask(sandbox.nameServers[0]!, `long.${ZONE}`, "A", 1_000);
    expect(answer.kind === "answer" ? answer.values.toSorted() : answer).toEqual(values.toSorted());
  });

  test("a name server that was killed has failed, the others answer", async () => {
    await sandbox.stopNameServer(1);
    const answers = await askAll(`_regent.${ZONE}`, "TXT");
    expect(answers.map(({ kind }) => kind)).toEqual(["answer", "failed", "answer", "answer"]);
  });
});
