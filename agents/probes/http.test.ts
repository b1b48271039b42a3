import { createServer as createTls } from "node:https";
import type { AddressInfo } from "node:net";
import { HttpProbe } from "@regent/contract";
import { afterEach, describe, expect, it } from "vitest";
import type { ProbeResult } from "../core/probe-result.ts";
import { BODY_BYTES_MAX, probeHttp } from "./http.ts";
import { isAccepted } from "./http-judgement.ts";
import type { ProbeDeps } from "./probe-deps.ts";
import { probeTcp } from "./tcp.ts";
import { testCertificate } from "./testing/certificate.ts";
import { refusingAddress, serveHttp, serveTcp, type TestServer } from "./testing/servers.ts";

const open: TestServer[] = [];
const opened = async (server: Promise<TestServer>): Promise<TestServer> => {
  open.push(await server);
  return server;
};
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

const deps: ProbeDeps = { dial: { allowLoopback: true, allowPrivate: true, connectTo: {} }, secrets: new Map(), ca: [] };
const probe = (address: string, more: object = {}, deadlineMs = 300, with_ = deps): Promise<ProbeResult> =>
  probeHttp(HttpProbe.parse({ kind: "http", address, ...more }), with_, deadlineMs);

describe("http probe", () => {
  it("passes an accepted code, and says how long the phases took", async () => {
    const { address } = await opened(serveHttp((_, response) => response.end("fine")));
    const result = await probe(address);
    expect(result).toMatchObject({ outcome: "ok", facts: { code: 200 } });
    expect(Object.keys(result.phases ?? {})).toEqual(["connect", "firstByte"]);
    expect(result.latencyMs).toBeGreaterThan(0);
  });

  it("asks with the declared host, path and headers, on a connection of its own each time", async () => {
    const seen: unknown[] = [];
    const ports = new Set<number | undefined>();
    const { address } = await opened(
      serveHttp((request, response) => {
        seen.push([request.method, request.url, request.headers.host, request.headers["x-token"], request.headers.connection]);
        ports.add(request.socket.remotePort);
        response.end();
      }),
    );
    const more = { host: "api.example.com", path: "/healthz?deep=1", headers: { "X-Token": "t" } };
    await probe(address, more);
    await probe(address, more);
    expect(seen).toEqual(Array(2).fill(["GET", "/healthz?deep=1", "api.example.com", "t", "close"]));
    expect(ports.size).toBe(2);
  });

  it.each<[string, (port: number) => object, object, object]>([
    ["503", () => ({ code: 503 }), {}, { outcome: "fail", reason: "http_status", facts: { code: 503 } }],
    [
      "a redirect that isn't accepted, without following it",
      () => ({ code: 302, headers: { location: "/elsewhere" } }),
      { codes: ["200"] },
      { outcome: "fail", reason: "http_status", facts: { code: 302 } },
    ],
    [
      "a redirect that is accepted",
      () => ({ code: 302, headers: { location: "/elsewhere" } }),
      {},
      { outcome: "ok", facts: { code: 302 } },
    ],
    [
      "another region's answer",
      () => ({ headers: { "x-region": "us-east" } }),
      { regionHeader: { name: "X-Region", value: "eu-west" } },
      { outcome: "fail", reason: "wrong_region" },
    ],
    [
      "another region's 503",
      () => ({ code: 503, headers: { "x-region": "us-east" } }),
      { regionHeader: { name: "X-Region", value: "eu-west" } },
      { outcome: "fail", reason: "wrong_region" },
    ],
    [
      "an answer without the region header",
      () => ({}),
      { regionHeader: { name: "x-region", value: "eu-west" } },
      { outcome: "fail", reason: "header_mismatch" },
    ],
    [
      "the right region",
      () => ({ headers: { "x-region": "eu-west" } }),
      { regionHeader: { name: "x-region", value: "eu-west" } },
      { outcome: "ok" },
    ],
    ["the wanted text", () => ({ body: '{"status":"pass"}' }), { bodyContains: '"pass"' }, { outcome: "ok" }],
    [
      "another text",
      () => ({ body: '{"status":"warn"}' }),
      { bodyContains: '"pass"' },
      { outcome: "fail", reason: "body_mismatch" },
    ],
    ["an edge's 522", () => ({ code: 522, headers: { server: "cloudflare" } }), {}, { outcome: "fail", reason: "edge_52x" }],
    [
      "a firewall's challenge",
      () => ({ code: 403, headers: { "cf-mitigated": "challenge" } }),
      {},
      { outcome: "unknown", reason: "blocked" },
    ],
  ])("judges %s", async (_, answerOf, more, expected) => {
    const requests: (string | undefined)[] = [];
    const { address } = await opened(
      serveHttp((request, response) => {
        requests.push(request.url);
        const {
          code = 200,
          headers = {},
          body = "",
        } = answerOf(0) as { code?: number; headers?: Record<string, string>; body?: string };
        response.writeHead(code, headers).end(body);
      }),
    );
    expect(await probe(address, more)).toMatchObject(expected);
    expect(requests).toEqual(["/"]);
  });

  it("finds a text that is split over two packets", async () => {
    const { address } = await opened(
      serveHttp((_, response) => {
        response.write("status: he");
        setTimeout(() => response.end("althy"), 20);
      }),
    );
    expect(await probe(address, { bodyContains: "healthy" })).toMatchObject({ outcome: "ok" });
  });

  it("reads no more than 64 KiB of a huge body", async () => {
    let sent = 0;
    const { address } = await opened(
      serveHttp((_, response) => {
        const more = (): void => {
          while (sent < 1_000 * BODY_BYTES_MAX) {
            sent += 16_384;
            if (!response.write(Buffer.alloc(16_384, "x"))) {
              response.once("drain", more);
              return;
            }
          }
          response.end("needle");
        };
        more();
      }),
    );
    expect(await probe(address, { bodyContains: "needle" }, 2_000)).toMatchObject({ outcome: "fail", reason: "body_mismatch" });
    expect(sent).toBeLessThan(1_000 * BODY_BYTES_MAX);
  });

  it("tells refused, hanging, reset, broken off and foreign apart, within the deadline", async () => {
    const hang = await opened(serveTcp(() => undefined));
    const reset = await opened(serveTcp((socket) => socket.once("data", () => socket.resetAndDestroy())));
    const close = await opened(serveTcp((socket) => socket.once("data", () => socket.end())));
    const foreign = await opened(serveTcp((socket) => socket.end("SSH-2.0-OpenSSH_9.2\r\n")));
    const cut = await opened(
      serveTcp((socket) => socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nfine"))),
    );
    const startedAt = performance.now();
    const results = await Promise.all([
      probe(await refusingAddress()),
      probe(hang.address),
      probe(reset.address),
      probe(close.address),
      probe(foreign.address),
      probe(cut.address, { bodyContains: "never" }),
    ]);
    expect(results.map(({ outcome, reason }) => `${outcome} ${reason}`)).toEqual([
      "fail tcp_refused",
      "fail http_timeout",
      "fail tcp_reset",
      "fail tcp_reset",
      "fail http_status",
      "fail body_mismatch",
    ]);
    expect(performance.now() - startedAt).toBeLessThan(450);
  });

  it("calls an answer slower than the deadline http_timeout, and one below it ok with its latency", async () => {
    const { address } = await opened(serveHttp((_, response) => void setTimeout(() => response.end(), 120)));
    expect(await probe(address, {}, 60)).toMatchObject({ outcome: "fail", reason: "http_timeout" });
    const slow = await probe(address, {}, 1_000);
    expect(slow.outcome).toBe("ok");
    expect(slow.latencyMs).toBeGreaterThanOrEqual(115);
  });

  it("calls a header that HTTP forbids its own problem", async () => {
    const { address } = await opened(serveHttp((_, response) => response.end()));
    expect(await probe(address, { headers: { "x-bad": "a\r\nb" } })).toMatchObject({ outcome: "unknown", reason: "probe_bug" });
  });

  it("dials nothing that the guard forbids, under its name or as an override", async () => {
    let connections = 0;
    const { address, port } = await opened(serveTcp(() => (connections += 1)));
    const strict = { ...deps, dial: { ...deps.dial, allowLoopback: false } };
    const overridden = { ...strict, dial: { ...strict.dial, connectTo: { "192.0.2.1:80": address } } };
    const blocked = { outcome: "unknown", reason: "blocked", facts: { why: "guard-loopback" } };
    expect(await probe(address, {}, 300, strict)).toMatchObject(blocked);
    expect(await probe(`localhost:${port}`, {}, 300, strict)).toMatchObject(blocked);
    expect(await probe("192.0.2.1:80", {}, 300, overridden)).toMatchObject(blocked);
    expect(connections).toBe(0);
  });

  it("dials the override in place of the declared address, and still asks for the declared host", async () => {
    const hosts: (string | undefined)[] = [];
    const { address } = await opened(
      serveHttp((request, response) => response.end(hosts.push(request.headers.host) > 0 ? "" : "")),
    );
    const overridden = { ...deps, dial: { ...deps.dial, connectTo: { "192.0.2.1:80": address } } };
    expect(await probe("192.0.2.1:80", {}, 300, overridden)).toMatchObject({ outcome: "ok" });
    expect(hosts).toEqual(["192.0.2.1:80"]);
  });
});

describe("http probe over TLS", () => {
  const day = 86_400_000;
  const good = { from: new Date(Date.now() - day), to: new Date(Date.now() + day) };
  const serveTls = async (certificate: { cert: string; key: string }): Promise<TestServer> => {
    const server = createTls(certificate, (_, response) => response.end("secure"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const close = (): Promise<void> =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      });
    return { port, address: `127.0.0.1:${port}`, close };
  };

  it("checks the certificate's name, trust and dates", async () => {
    const right = testCertificate(["api.example.com", "127.0.0.1"], good);
    const expired = testCertificate(["127.0.0.1"], { from: new Date(Date.now() - 2 * day), to: new Date(Date.now() - day) });
    const server = await opened(serveTls(right));
    const late = await opened(serveTls(expired));
    const plain = await opened(serveHttp((_, response) => response.end()));
    const silent = await opened(serveTcp(() => undefined));
    const trusting = { ...deps, ca: [right.cert, expired.cert] };
    const results = [
      await probe(server.address, { tls: true }, 1_000, trusting),
      await probe(server.address, { tls: true, host: "api.example.com" }, 1_000, trusting),
      await probe(server.address, { tls: true, host: "www.example.com" }, 1_000, trusting),
      await probe(server.address, { tls: true }, 1_000, deps),
      await probe(late.address, { tls: true }, 1_000, trusting),
      await probe(plain.address, { tls: true }, 1_000, trusting),
      await probe(silent.address, { tls: true }, 100, trusting),
    ];
    expect(results.map(({ outcome, reason }) => [outcome, reason].join(" ").trim())).toEqual([
      "ok",
      "ok",
      "fail tls_hostname",
      "fail tls_untrusted",
      "fail tls_expired",
      "fail tls_handshake",
      "fail tls_handshake",
    ]);
    expect(Object.keys(results[0]!.phases ?? {})).toEqual(["connect", "tls", "firstByte"]);
  });
});

describe("tcp probe", () => {
  it("passes where something accepts, fails where nothing does, and has no opinion on what it may not dial", async () => {
    const { address } = await opened(serveTcp(() => undefined));
    expect(await probeTcp({ address }, deps, 300)).toMatchObject({ outcome: "ok" });
    expect(await probeTcp({ address: await refusingAddress() }, deps, 300)).toMatchObject({
      outcome: "fail",
      reason: "tcp_refused",
    });
    expect(await probeTcp({ address: "169.254.169.254:80" }, deps, 300)).toMatchObject({ outcome: "unknown", reason: "blocked" });
  });

  it("says that a name doesn't exist", async () => {
    expect(await probeTcp({ address: "nowhere.invalid:80" }, deps, 2_000)).toMatchObject({
      outcome: "fail",
      reason: expect.stringMatching(/^dns_(nxdomain|servfail|timeout)$/),
    });
  });
});

describe("accepted codes", () => {
  it.each<[number, string[], boolean]>([
    [200, ["200"], true],
    [201, ["200"], false],
    [399, ["200-399"], true],
    [400, ["200-399"], false],
    [503, ["200-299", "503"], true],
  ])("%i in %j: %s", (code, codes, expected) => {
    expect(isAccepted(code, codes)).toBe(expected);
  });
});
