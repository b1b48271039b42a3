/**
 * `http` probe: one request over a connection of its own, so that reuse can't hide a listener that is gone. Redirects are not followed.
 *
 * Reasons: tcp_refused, tcp_timeout (never connected), tcp_reset (closed without an answer), tls_*, http_timeout (connected, no whole
 * answer before the deadline), http_status, edge_52x, wrong_region, header_mismatch, body_mismatch (the text is not within the first
 * 64 KiB, or the body broke off). Latency runs from the dial to the head of the answer, or to the matching text.
 */
import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { isIP, type Socket } from "node:net";
import type { HttpProbe } from "@regent/contract";
import type { ProbeResult } from "../core/probe-result.ts";
import { parseAddress, resolveDialling } from "./dial.ts";
import { judgeHead } from "./http-judgement.ts";
import type { ProbeDeps } from "./probe-deps.ts";
import { openTcp, openTls } from "./socket.ts";
import { type Finding, findingOf, lateFinding, type Stage } from "./socket-error.ts";
import { type Stopwatch, startStopwatch } from "./stopwatch.ts";

/** A health page that needs more to say one word is not read further. */
export const BODY_BYTES_MAX = 64 * 1024;

export const probeHttp = async (probe: HttpProbe, { dial, ca }: ProbeDeps, deadlineMs: number): Promise<ProbeResult> => {
  const to = await resolveDialling(probe.address, dial, deadlineMs);
  if (to.kind === "refused") return to.result;
  const stopwatch = startStopwatch(to.dnsMs);
  const socket = probe.tls ? openTls(to, { name: certificateName(probe), ca }) : openTcp(to);
  return exchange({ probe, socket, stopwatch, deadlineMs: deadlineMs - to.dnsMs });
};

/** The declared host without a port, else the host that is dialled. */
const certificateName = ({ host, address }: HttpProbe): string => {
  if (host === undefined) return parseAddress(address).host;
  return isIP(host) > 0 ? host : host.replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
};

interface Exchange {
  readonly probe: HttpProbe;
  readonly socket: Socket;
  readonly stopwatch: Stopwatch;
  readonly deadlineMs: number;
}

const exchange = ({ probe, socket, stopwatch, deadlineMs }: Exchange): Promise<ProbeResult> =>
  new Promise((resolve) => {
    let stage: Stage = "connect";
    let code: number | undefined;
    let isSettled = false;

    const settle = (finding: { outcome: "ok" } | Finding): void => {
      if (isSettled) return;
      isSettled = true;
      const facts = code === undefined ? {} : { facts: { code } };
      resolve({ ...finding, latencyMs: stopwatch.elapsedMs(), phases: stopwatch.phases(), ...facts });
    };
    const end = (finding: { outcome: "ok" } | Finding): void => {
      settle(finding);
      clearTimeout(timer);
      socket.destroy();
    };
    // It also ends the reading of a body after the result is known.
    const timer = setTimeout(() => end(lateFinding(stage)), deadlineMs);

    socket.once("connect", () => {
      stopwatch.mark("connect");
      stage = probe.tls ? "tls" : "answer";
    });
    socket.once("secureConnect", () => {
      stopwatch.mark("tls");
      stage = "answer";
    });
    const sent = send(probe, socket);
    if (sent === undefined) {
      socket.on("error", () => undefined);
      end({ outcome: "unknown", reason: "probe_bug" });
      return;
    }
    sent.on("error", (error: NodeJS.ErrnoException) =>
      end(error.code?.startsWith("HPE_") ? { outcome: "fail", reason: "http_status" } : findingOf(error, stage)),
    );
    // Closed before the verdict: without any answer, or within the body.
    sent.once("close", () => end({ outcome: "fail", reason: code === undefined ? "tcp_reset" : "body_mismatch" }));
    sent.once("response", (answer) => {
      code = answer.statusCode ?? 0;
      stopwatch.mark("firstByte");
      const finding = judgeHead({ code, headers: answer.headers }, probe);
      if (finding.outcome !== "ok" || probe.bodyContains === undefined) settle(finding);
      readBody(answer, isSettled ? undefined : probe.bodyContains, end);
    });
  });

const send = (probe: HttpProbe, socket: Socket): ClientRequest | undefined => {
  const headers = { host: probe.host ?? probe.address, accept: "*/*", "user-agent": "regent-agent", "cache-control": "no-cache" };
  try {
    const sent = request({
      createConnection: () => socket,
      method: "GET",
      path: probe.path,
      headers: { ...headers, ...lowerCased(probe.headers), connection: "close" },
      setHost: false,
    });
    sent.end();
    return sent;
  } catch {
    // A declared header that HTTP forbids: ours to mend, not the target's.
    return undefined;
  }
};

const lowerCased = (headers: Readonly<Record<string, string>> = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

/**
 * Reads to the end or 64 KiB. Without a text to look for the verdict is already known, and reading on only lets the target close the
 * connection itself, which spares us the port in TIME_WAIT.
 */
const readBody = (
  answer: IncomingMessage,
  wanted: string | undefined,
  end: (finding: { outcome: "ok" } | Finding) => void,
): void => {
  const mismatch: Finding = { outcome: "fail", reason: "body_mismatch" };
  const needle = Buffer.from(wanted ?? "");
  let body = Buffer.alloc(0);
  let bytes = 0;
  answer.on("data", (chunk: Buffer) => {
    const room = BODY_BYTES_MAX - bytes;
    bytes += chunk.length;
    if (wanted !== undefined) {
      body = Buffer.concat([body, chunk.subarray(0, Math.max(0, room))]);
      if (body.includes(needle)) return end({ outcome: "ok" });
    }
    if (bytes >= BODY_BYTES_MAX) end(mismatch);
  });
  answer.once("end", () => end(mismatch));
  answer.once("error", () => end(mismatch));
};
