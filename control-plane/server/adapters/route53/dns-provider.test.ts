/** The adapter against an HTTP server that answers what Route 53 or the network might: how often it calls, and what it makes of it. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test, vi } from "vitest";
import { createApiBudget } from "./budget.ts";
import { createRoute53Provider, type Route53Provider } from "./dns-provider.ts";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;
interface Call {
  readonly method: string;
  readonly url: string;
  readonly body: string;
}

const secret = "SECRET-KEY-OF-THIS-TEST";
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** Answers in turn; the last one stands. */
const startFake = async (...answers: readonly Answer[]) => {
  const calls: Call[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      const answer = answers[Math.min(calls.length, answers.length - 1)]!;
      calls.push({ method: request.method!, url: request.url!, body });
      answer(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const logged: unknown[] = [];
  const budget = createApiBudget({ ratePerSecond: 1_000, burst: 1_000, monotonic: () => performance.now() });
  const provider: Route53Provider = createRoute53Provider({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentials: { accessKeyId: "AKIATESTTESTTEST", secretAccessKey: secret },
    budget,
    timeouts: { sendMs: 250, readMs: 250 },
    logger: { warn: (fields, message) => void logged.push({ fields, message }) },
    random: () => 0,
  });
  closers.push(async () => {
    provider.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { provider, calls, logged, budget, port: (server.address() as AddressInfo).port };
};

const xml =
  (status: number, body: string): Answer =>
  (_, response) =>
    void response.writeHead(status, { "content-type": "text/xml" }).end(`<?xml version="1.0"?>\n${body}`);
const failure = (status: number, code: string, message = "said so"): Answer =>
  xml(
    status,
    `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>r</RequestId></ErrorResponse>`,
  );
const change = (status: string, id = "/change/C123"): Answer =>
  xml(
    200,
    `<ChangeResourceRecordSetsResponse><ChangeInfo><Id>${id}</Id><Status>${status}</Status><SubmittedAt>2026-01-01T00:00:00Z</SubmittedAt></ChangeInfo></ChangeResourceRecordSetsResponse>`,
  );
const page = (sets: string, rest = "<IsTruncated>false</IsTruncated><MaxItems>300</MaxItems>"): Answer =>
  xml(
    200,
    `<ListResourceRecordSetsResponse><ResourceRecordSets>${sets}</ResourceRecordSets>${rest}</ListResourceRecordSetsResponse>`,
  );
const wireSet = (name: string) =>
  `<ResourceRecordSet><Name>${name}</Name><Type>A</Type><TTL>30</TTL><ResourceRecords><ResourceRecord><Value>192.0.2.1</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>`;

const hang: Answer = () => {};
const reset: Answer = (request) => void request.socket.destroy();
const trickle: Answer = (_, response) => void response.writeHead(200).write("<Change");
const garbage: Answer = xml(200, "<html><body>Welcome to the hotel's network</body></html>");
const notXml: Answer = (_, response) => void response.writeHead(200).end("{{{<<<");
const bare: Answer = (_, response) => void response.writeHead(502).end();

const set = { name: "*.example.com", type: "A", ttl: 30, values: ["192.0.2.1"] };
const batch = { deletes: [set], creates: [{ ...set, ttl: 60 }], comment: "01J" };

describe("a send", () => {
  test("goes out once: deletes first, then creates, names as Route 53 spells them", async () => {
    const { provider, calls } = await startFake(change("PENDING"));
    expect(await provider.send("Z1", batch)).toEqual({ kind: "accepted", changeInfoId: "C123" });
    expect(calls).toHaveLength(1);
    expect(calls[0]).toMatchObject({ method: "POST", url: "/2013-04-01/hostedzone/Z1/rrset" });
    expect(calls[0]!.body).toMatch(
      /<Action>DELETE<\/Action>.*<Name>\\052\.example\.com\.<\/Name>.*<TTL>30<.*<Action>CREATE<\/Action>.*<TTL>60<.*<Comment>01J</s,
    );
  });

  test.for([
    ["unknown", "an error of the server", failure(500, "InternalFailure")],
    ["unknown", "an overloaded server", failure(503, "ServiceUnavailable")],
    ["unknown", "a server that never answers", hang],
    ["unknown", "a connection that is reset", reset],
    ["unknown", "a body that never ends", trickle],
    ["unknown", "a page of somebody else", garbage],
    ["unknown", "a body that isn't XML", notXml],
    ["unknown", "an empty answer", xml(200, "<ChangeResourceRecordSetsResponse/>")],
    ["unknown", "an error without a body", bare],
    ["refused", "a refusal", failure(400, "InvalidChangeBatch", "[Tried to delete x but it was not found]")],
    ["throttled", "a throttled call", failure(400, "Throttling")],
    ["busy", "a busy zone", failure(400, "PriorRequestNotComplete")],
    ["denied", "missing rights", failure(403, "AccessDenied")],
    ["denied", "a missing zone", failure(404, "NoSuchHostedZone")],
    ["denied", "strange credentials", failure(403, "InvalidClientTokenId")],
  ] as const)("is %s when it meets %s, and is called once", async ([kind, , answer]) => {
    const { provider, calls } = await startFake(answer);
    expect((await provider.send("Z1", batch)).kind).toBe(kind);
    expect(calls).toHaveLength(1);
  });

  test("that finds nobody listening is unknown", async () => {
    const provider = createRoute53Provider({
      endpoint: "http://127.0.0.1:1",
      credentials: { accessKeyId: "AKIATESTTESTTEST", secretAccessKey: secret },
      budget: createApiBudget({ monotonic: () => performance.now() }),
    });
    expect((await provider.send("Z1", batch)).kind).toBe("unknown");
    provider.close();
  });

  test("without changes is a mistake of the caller", async () => {
    const { provider, calls } = await startFake(change("PENDING"));
    await expect(provider.send("Z1", { deletes: [], creates: [], comment: "" })).rejects.toThrow(RangeError);
    expect(calls).toEqual([]);
  });

  test("goes where the environment says when the options don't", async () => {
    const { calls, port } = await startFake(change("PENDING"));
    vi.stubEnv("AWS_ENDPOINT_URL_ROUTE_53", `http://127.0.0.1:${port}`);
    vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIATESTTESTTEST");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", secret);
    const provider = createRoute53Provider({ budget: createApiBudget({ monotonic: () => performance.now() }) });
    expect((await provider.send("Z1", batch)).kind).toBe("accepted");
    expect(calls).toHaveLength(1);
    provider.close();
    vi.unstubAllEnvs();
  });

  test("that is throttled lowers the account's rate", async () => {
    const { provider, budget } = await startFake(failure(400, "Throttling"));
    await provider.send("Z1", batch);
    expect(budget.available()).toBeLessThan(500);
  });
});

describe("a read", () => {
  test("is tried again when the failure may pass", async () => {
    const { provider, calls } = await startFake(
      failure(500, "InternalFailure"),
      failure(400, "Throttling"),
      page(wireSet("a.example.com.")),
    );
    expect(await provider.readNames("Z1", ["a.example.com"])).toMatchObject({ kind: "sets", sets: [{ name: "a.example.com" }] });
    expect(calls).toHaveLength(3);
    expect(calls[0]!.url).toContain("maxitems=300");
    expect(calls[0]!.url).toContain("name=a.example.com.");
  });

  test.for([
    ["denied", failure(403, "AccessDenied"), 1],
    ["denied", failure(404, "NoSuchHostedZone"), 1],
    ["throttled", failure(400, "Throttling"), 8],
    ["failed", hang, 3],
    ["failed", reset, 3],
    ["failed", notXml, 3],
    ["failed", garbage, 1],
    ["failed", page(wireSet("a."), "<IsTruncated>true</IsTruncated><MaxItems>300</MaxItems>"), 1],
  ] as const)("is %s in the end (%#)", async ([kind, answer, tries]) => {
    const { provider, calls } = await startFake(answer);
    expect((await provider.readZone("Z1")).kind).toBe(kind);
    expect(calls).toHaveLength(tries);
  });
});

describe("an answer that is cut off anywhere", () => {
  /** Each beginning of a document, as long as it isn't all of it. */
  const beginnings = (body: string): readonly string[] =>
    Array.from({ length: Math.ceil(body.length / 3) }, (_, n) => body.slice(0, n * 3));
  const told =
    (body: string): Answer =>
    (_, response) =>
      void response.writeHead(200, { "content-type": "text/xml" }).end(body);

  test("to a send is never taken for another change's id", async () => {
    const whole =
      "<ChangeResourceRecordSetsResponse><ChangeInfo><Id>/change/C123456789</Id><Status>PENDING</Status><SubmittedAt>2026-01-01T00:00:00Z</SubmittedAt></ChangeInfo></ChangeResourceRecordSetsResponse>";
    await Promise.all(
      beginnings(whole).map(async (body) => {
        const { provider } = await startFake(told(body));
        const sent = await provider.send("Z1", batch);
        if (sent.kind === "accepted") expect(sent.changeInfoId).toBe("C123456789");
        else expect(sent.kind).toBe("unknown");
      }),
    );
  });

  test("to a listing is never taken for the whole of it", { timeout: 60_000 }, async () => {
    const whole = `<ListResourceRecordSetsResponse><ResourceRecordSets>${wireSet("a.example.com.")}${wireSet("a.example.com.")}</ResourceRecordSets><IsTruncated>false</IsTruncated><MaxItems>300</MaxItems></ListResourceRecordSetsResponse>`;
    const complete = await (await startFake(told(whole))).provider.readNames("Z1", ["a.example.com"]);
    await Promise.all(
      beginnings(whole).map(async (body) => {
        const { provider } = await startFake(told(body));
        const read = await provider.readNames("Z1", ["a.example.com"]);
        if (read.kind === "sets") expect(read).toEqual(complete);
        else expect(read.kind).toBe("failed");
      }),
    );
  });

  test("and a zone without its SOA isn't a zone", async () => {
    const { provider } = await startFake(page(""));
    expect(await provider.readZone("Z1")).toEqual({ kind: "failed", why: "the listing of the zone lacks its SOA" });
  });

  test("and a zone without name servers keeps those that were known", async () => {
    const empty = xml(
      200,
      "<GetHostedZoneResponse><DelegationSet><NameServers></NameServers></DelegationSet></GetHostedZoneResponse>",
    );
    const { provider } = await startFake(empty);
    expect(await provider.readNameServers("Z1")).toEqual([]);
  });
});

describe("a change's progress", () => {
  test.for([
    ["pending", change("PENDING")],
    ["in-sync", change("INSYNC")],
    ["failed", change("SOMETHING")],
    ["missing", failure(404, "NoSuchChange")],
    ["throttled", failure(400, "Throttling")],
    ["failed", failure(500, "InternalFailure")],
    ["failed", hang],
  ] as const)("is %s (%#)", async ([kind, answer]) => {
    const { provider, calls } = await startFake(answer);
    expect((await provider.readChange("/change/C123")).kind).toBe(kind);
    expect(calls[0]!.url).toBe("/2013-04-01/change/C123");
  });
});

describe("side questions", () => {
  const zone = xml(
    200,
    `<GetHostedZoneResponse><HostedZone><Id>/hostedzone/Z1</Id><Name>example.com.</Name><CallerReference>r</CallerReference></HostedZone><DelegationSet><NameServers><NameServer>ns-1.example.net</NameServer><NameServer>ns-2.example.net</NameServer></NameServers></DelegationSet></GetHostedZoneResponse>`,
  );

  test("name servers are asked for once a minute", async () => {
    const { provider, calls } = await startFake(zone);
    expect(await provider.readNameServers("Z1")).toEqual(["ns-1.example.net", "ns-2.example.net"]);
    await provider.readNameServers("Z1");
    expect(calls).toHaveLength(1);
  });

  test("health is read from the check's configuration and its checkers", async () => {
    const config = xml(
      200,
      "<GetHealthCheckResponse><HealthCheck><Id>h</Id><CallerReference>r</CallerReference><HealthCheckConfig><Type>HTTP</Type><Inverted>true</Inverted></HealthCheckConfig><HealthCheckVersion>1</HealthCheckVersion></HealthCheck></GetHealthCheckResponse>",
    );
    const observations = xml(
      200,
      "<GetHealthCheckStatusResponse><HealthCheckObservations><HealthCheckObservation><StatusReport><Status>Success: HTTP Status Code 200, OK</Status></StatusReport></HealthCheckObservation></HealthCheckObservations></GetHealthCheckStatusResponse>",
    );
    const { provider } = await startFake(config, observations);
    expect(await provider.readHealth(["h"])).toEqual({ h: false });
  });

  test("without Route 53 they have no answer, and throw nothing", async () => {
    const { provider } = await startFake(reset);
    expect(await provider.readNameServers("Z1")).toEqual([]);
    expect(await provider.readHealth(["h"])).toEqual({ h: null });
  });
});

test("what is logged names the call and never a key", async () => {
  const { provider, logged } = await startFake(
    failure(403, "SignatureDoesNotMatch", "The canonical string was AKIATESTTESTTEST"),
  );
  await provider.send("Z1", batch);
  expect(logged).toHaveLength(1);
  expect(JSON.stringify(logged)).toContain("ChangeResourceRecordSets");
  expect(JSON.stringify(logged)).not.toMatch(new RegExp(`AKIA|${secret}|192\\.0\\.2\\.1`));
});
