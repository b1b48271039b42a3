/** A tiny control plane for tests: verifies signatures over the raw body with node:crypto, dedups, folds, and can be told to misbehave. */
import { createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { AgentConfiguration, PROBLEM_BASE, Report, type SignedConfiguration } from "@regent/contract";

export interface Received {
  readonly at: number;
  readonly report: Report;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

/** What to do with the next reports: `take` is the normal way; `take-silently` takes it and cuts the answer. */
export type Manner = "take" | "refuse-503" | "take-silently" | "skewed" | "forbid" | "hang" | "taken-by-a-copy";

export interface TestControlPlane {
  readonly url: string;
  /** Raw public key of its configurations, base64. */
  readonly configurationKey: string;
  readonly received: readonly Received[];
  readonly refusals: readonly string[];
  manner: Manner;
  extra: object;
  readonly signConfiguration: (configuration: unknown, key?: KeyObject) => SignedConfiguration;
  /** Offered to every agent that reports a lower version. */
  configure: (configuration: AgentConfiguration | undefined, signed?: SignedConfiguration) => void;
  readonly stop: () => Promise<void>;
  readonly start: () => Promise<void>;
}

const rawPublicKey = (key: KeyObject): string => {
  const { x } = key.export({ format: "jwk" }) as { x: string };
  return Buffer.from(x, "base64url").toString("base64");
};

/** The agents' public keys, base64, by key id; a report under another one is refused. */
export const testControlPlane = async (agentKeys: ReadonlyMap<string, string>): Promise<TestControlPlane> => {
  const configurationPair = generateKeyPairSync("ed25519");
  const received: Received[] = [];
  const refusals: string[] = [];
  const taken = new Set<string>();
  let offered: { version: number; signed: SignedConfiguration } | undefined;
  let port = 0;

  const keyIdOf = async (publicKey: string): Promise<string> => {
    const digest = await crypto.subtle.digest("SHA-256", Buffer.from(publicKey, "base64"));
    return Buffer.from(digest).toString("hex").slice(0, 16);
  };
  const configurationKey = rawPublicKey(configurationPair.publicKey);
  const configurationKeyId = await keyIdOf(configurationKey);

  const self: TestControlPlane = {
    get url() {
      return `http://127.0.0.1:${port}`;
    },
    configurationKey,
    received,
    refusals,
    manner: "take",
    extra: {},
    signConfiguration: (configuration, key = configurationPair.privateKey) => {
      const payload = JSON.stringify(configuration);
      const signature = sign(null, Buffer.from(`regent-configuration.${payload}`), key).toString("base64");
      return { keyId: configurationKeyId, payload, signature };
    },
    configure: (configuration, signed) => {
      const parsed = configuration === undefined ? undefined : AgentConfiguration.parse(configuration);
      offered = parsed && { version: parsed.version, signed: signed ?? self.signConfiguration(parsed) };
    },
    stop: () => stop(),
    start: () => start(),
  };

  const problem = (response: ServerResponse, code: number, slug: string, more: object = {}): ServerResponse => {
    refusals.push(slug);
    response.writeHead(code, { "content-type": "application/problem+json" });
    return response.end(JSON.stringify({ type: `${PROBLEM_BASE}${slug}`, title: slug, status: code, ...more }));
  };

  const isGenuine = (request: IncomingMessage, body: string): boolean => {
    const { headers } = request;
    const publicKey = agentKeys.get(String(headers["regent-key"]));
    const [version, signature] = String(headers["webhook-signature"]).split(",");
    if (publicKey === undefined || version !== "v1a") return false;
    const x = Buffer.from(publicKey, "base64").toString("base64url");
    const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
    const signedText = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
    return verify(null, Buffer.from(signedText), key, Buffer.from(signature ?? "", "base64"));
  };

  const accept = (request: IncomingMessage, response: ServerResponse, body: string): unknown => {
    const at = performance.timeOrigin + performance.now();
    if (!isGenuine(request, body)) return problem(response, 401, "unknown-signer");
    const manner = self.manner;
    if (manner === "forbid") return problem(response, 403, "wrong-place");
    if (manner === "refuse-503") return problem(response, 503, "database-away");
    if (manner === "taken-by-a-copy")
      return problem(response, 409, "replayed-report", { boot: Report.parse(JSON.parse(body)).boot });
    if (manner === "hang") return undefined;
    const drift = Math.abs(Number(request.headers["webhook-timestamp"]) * 1_000 - Date.now() - 3_600_000);
    if (manner === "skewed" && drift > 300_000) {
      return problem(response, 401, "clock-skew", { serverTime: Date.now() + 3_600_000 });
    }
    const id = String(request.headers["webhook-id"]);
    if (taken.has(id)) return problem(response, 409, "replayed-report");
    const report = Report.parse(JSON.parse(body));
    const newest = Math.max(0, ...received.map((each) => each.report.boot));
    if (report.boot < newest) return problem(response, 409, "replayed-report", { boot: newest });
    if (id !== `${report.agent}.${report.boot}.${report.sequence}`) return problem(response, 400, "invalid-request");
    taken.add(id);
    received.push({ at, report, headers: request.headers as Record<string, string | undefined> });
    if (manner === "take-silently") return request.socket.destroy();
    const isOlder = offered !== undefined && report.configurationVersion < offered.version;
    const configuration = isOlder ? { configuration: offered?.signed } : {};
    response.writeHead(200, { "content-type": "application/json" });
    response.end(
      JSON.stringify({ ack: report.sequence, serverTime: Date.now(), ...configuration, ...self.extra, later: "field" }),
    );
  };

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      if (request.method !== "POST" || request.url !== "/v1/reports") problem(response, 404, "not-found");
      else accept(request, response, Buffer.concat(chunks).toString("utf8"));
    });
  });
  const start = (): Promise<void> =>
    new Promise((resolve) =>
      server.listen(port, "127.0.0.1", () => {
        port = (server.address() as AddressInfo).port;
        resolve();
      }),
    );
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  await start();
  return self;
};
