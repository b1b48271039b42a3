/** One probe of one health check, for real: TCP or HTTP to where the address map leads. Never throws. */
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { connect } from "node:net";
import { HEALTH_CHECK_BODY_BYTES_MAX, HEALTH_CHECK_LIMIT_MS_MIN } from "../limits.ts";
import type { HealthCheckConfig } from "../route53/model.ts";

export interface ProbeResult {
  readonly isPassing: boolean;
  /** As Route 53 reports it. */
  readonly text: string;
}

export interface ProbeTarget {
  /** Where to connect: `127.0.0.1:8080`; undefined: nowhere. */
  readonly address: string | undefined;
  readonly config: HealthCheckConfig;
  readonly userAgent: string;
  /** Divides all time limits, down to the least that tells slow from dead. */
  readonly timeScale: number;
  /** Ends the probe at once; what it then says is of no interest. */
  readonly signal: AbortSignal;
}

/** (real) Time to connect and then to answer an HTTP request, and time for a TCP connection; ms. */
const HTTP_CONNECT_MS = 4_000;
const HTTP_ANSWER_MS = 2_000;
const TCP_CONNECT_MS = 10_000;

const timeLimit = (ms: number, timeScale: number): number => Math.max(HEALTH_CHECK_LIMIT_MS_MIN, ms / timeScale);

const failure = (text: string): ProbeResult => ({ isPassing: false, text: `Failure: ${text}` });
const noConnection = failure("The health checker could not establish a connection within the timeout limit.");

export const runProbe = (target: ProbeTarget): Promise<ProbeResult> => {
  const { address, config } = target;
  const split = address?.lastIndexOf(":") ?? -1;
  if (address === undefined || split < 1) return Promise.resolve(noConnection);
  const [host, port] = [address.slice(0, split).replace(/^\[|\]$/g, ""), Number(address.slice(split + 1))];
  return config.type === "TCP" ? probeTcp(target, host, port) : probeHttp(target, host, port);
};

const probeTcp = ({ timeScale, signal }: ProbeTarget, host: string, port: number): Promise<ProbeResult> =>
  new Promise((resolve) => {
    const socket = connect({ host, port, signal });
    const finish = (result: ProbeResult): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };
    const timer = setTimeout(() => finish(noConnection), timeLimit(TCP_CONNECT_MS, timeScale));
    socket.on("connect", () => finish({ isPassing: true, text: "Success: TCP connection established" }));
    socket.on("error", () => finish(noConnection));
  });

const probeHttp = ({ config, userAgent, timeScale, signal }: ProbeTarget, host: string, port: number): Promise<ProbeResult> =>
  new Promise((resolve) => {
    const isTls = config.type.startsWith("HTTPS");
    const path = config.resourcePath
      ? config.resourcePath.startsWith("/")
        ? config.resourcePath
        : `/${config.resourcePath}`
      : "/";
    const name = config.fullyQualifiedDomainName;
    const request = (isTls ? requestHttps : requestHttp)({
      host,
      port,
      path,
      agent: false,
      signal,
      headers: { host: name ?? config.ipAddress ?? host, "user-agent": userAgent },
      // Route 53 doesn't validate certificates.
      ...(isTls
        ? { rejectUnauthorized: false, ...(name !== undefined && config.enableSni !== false ? { servername: name } : {}) }
        : {}),
    });
    const finish = (result: ProbeResult): void => {
      clearTimeout(timer);
      request.destroy();
      resolve(result);
    };
    let timer = setTimeout(() => finish(noConnection), timeLimit(HTTP_CONNECT_MS, timeScale));
    request.on("socket", (socket) =>
      socket.once(isTls ? "secureConnect" : "connect", () => {
        clearTimeout(timer);
        timer = setTimeout(
          () => finish(failure("The endpoint did not respond to the health check request within the timeout limit.")),
          timeLimit(HTTP_ANSWER_MS, timeScale),
        );
      }),
    );
    request.on("error", () => finish(noConnection));
    request.on("response", (response) => {
      const status = `HTTP Status Code ${response.statusCode}, ${response.statusMessage ?? ""}`;
      const isGood = (response.statusCode ?? 0) >= 200 && (response.statusCode ?? 0) < 400;
      if (!isGood || !config.type.endsWith("_STR_MATCH"))
        return finish({ isPassing: isGood, text: `${isGood ? "Success" : "Failure"}: ${status}` });
      let body = Buffer.alloc(0);
      const judge = (): void => {
        const isFound = body.subarray(0, HEALTH_CHECK_BODY_BYTES_MAX).includes(config.searchString ?? "");
        finish(
          isFound
            ? { isPassing: true, text: `Success: ${status}` }
            : failure(`${status}. The search string was not found in the response body.`),
        );
      };
      response.on("data", (chunk: Buffer) => {
        body = Buffer.concat([body, chunk]);
        if (body.length >= HEALTH_CHECK_BODY_BYTES_MAX) judge();
      });
      response.on("end", judge);
      response.on("error", () => finish(noConnection));
    });
    request.end();
  });
