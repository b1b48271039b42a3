/**
 * `postgres` probe without a secret: is it accepting connections? A startup packet and the first byte of the answer, as pg_isready does.
 * With `tls: verify-full` the certificate is checked first. It can't see role, read-only or lag, and a server at its connection limit may
 * still look open; those need a secret.
 */
import type { Socket } from "node:net";
import type { PostgresProbe } from "@regent/contract";
import type { ProbeResult } from "../core/probe-result.ts";
import { parseAddress } from "./dial.ts";
import { judgeServerError, type PostgresFinding } from "./postgres-judgement.ts";
import { ANSWER_BYTES_MAX, readFirstAnswer, sslRequest, startupMessage, terminateMessage } from "./postgres-wire.ts";
import { openTcp, upgradeTls } from "./socket.ts";
import { findingOf, lateFinding, type Stage } from "./socket-error.ts";
import { startStopwatch } from "./stopwatch.ts";

export interface AcceptingRun {
  readonly probe: PostgresProbe;
  readonly to: { readonly ip: string; readonly port: number; readonly dnsMs: number };
  readonly ca: readonly string[];
  readonly deadlineMs: number;
}

/** No such role needs to exist: the server names its wish before it looks the role up. */
const PROBE_USER = "regent_probe";

export const probeAccepting = ({ probe, to, ca, deadlineMs }: AcceptingRun): Promise<ProbeResult> =>
  new Promise((resolve) => {
    const stopwatch = startStopwatch(to.dnsMs);
    const socket = openTcp(to);
    let stage: Stage = "connect";

    const settle = (finding: PostgresFinding, facts?: ProbeResult["facts"]): void => {
      clearTimeout(timer);
      resolve({
        ...finding,
        latencyMs: stopwatch.elapsedMs(),
        phases: stopwatch.phases(),
        ...(facts === undefined ? {} : { facts }),
      });
      socket.destroy();
    };
    const timer = setTimeout(
      () => settle(stage === "answer" ? { outcome: "fail", reason: "db_query_timeout" } : lateFinding(stage)),
      deadlineMs,
    );
    const onError = (error: Error): void => settle(findingOf(error, stage));

    const ask = (stream: Socket): void => {
      stage = "answer";
      stream.write(startupMessage({ user: PROBE_USER, database: probe.database, application_name: "regent" }));
      readAnswer(stream, settle);
    };

    socket.on("error", onError);
    socket.once("close", () => settle({ outcome: "fail", reason: "tcp_reset" }));
    socket.once("connect", () => {
      stopwatch.mark("connect");
      if (probe.tls === "off") return ask(socket);
      stage = "tls";
      socket.write(sslRequest());
      socket.once("data", (answer) => {
        // Anything but one "S" is a refusal, or somebody in the middle who sent more before the encryption began.
        if (answer.length !== 1 || answer[0] !== 0x53) return settle({ outcome: "fail", reason: "tls_handshake" });
        const secure = upgradeTls(socket, { name: parseAddress(probe.address).host, ca });
        secure.on("error", onError);
        secure.once("secureConnect", () => {
          stopwatch.mark("tls");
          ask(secure);
        });
      });
    });
  });

const readAnswer = (stream: Socket, settle: (finding: PostgresFinding, facts?: ProbeResult["facts"]) => void): void => {
  let bytes = Buffer.alloc(0);
  stream.on("data", (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]).subarray(0, ANSWER_BYTES_MAX);
    const answer = readFirstAnswer(bytes);
    switch (answer.kind) {
      case "incomplete":
        return;
      case "foreign":
        return settle({ outcome: "fail", reason: "db_error" }, { why: "not-postgres" });
      case "accepting":
        stream.write(terminateMessage());
        return settle({ outcome: "ok" });
      case "error":
        return settle(judgeRefusal(answer), { code: answer.code });
    }
  });
};

/** Without a login only two refusals are news; every other one is spoken by a server that takes connections. */
const judgeRefusal = (answer: { code: string; message: string }): PostgresFinding =>
  ["57P03", "57P01", "57P02", "53300"].includes(answer.code) ? judgeServerError(answer) : { outcome: "ok" };
