/** `tcp` probe: does something accept connections there? */
import type { TcpProbe } from "@regent/contract";
import type { ProbeResult } from "../core/probe-result.ts";
import { resolveDialling } from "./dial.ts";
import type { ProbeDeps } from "./probe-deps.ts";
import { openTcp } from "./socket.ts";
import { findingOf, lateFinding } from "./socket-error.ts";
import { startStopwatch } from "./stopwatch.ts";

/** `ok` once connected; `fail` tcp_refused, tcp_timeout, tcp_reset, net_unreachable, dns_*; `unknown` blocked and agent_overloaded. */
export const probeTcp = async (
  probe: Pick<TcpProbe, "address">,
  { dial }: Pick<ProbeDeps, "dial">,
  deadlineMs: number,
): Promise<ProbeResult> => {
  const to = await resolveDialling(probe.address, dial, deadlineMs);
  return to.kind === "refused" ? to.result : connectOnce(to, deadlineMs - to.dnsMs);
};

const connectOnce = (to: { ip: string; port: number; dnsMs: number }, deadlineMs: number): Promise<ProbeResult> =>
  new Promise((resolve) => {
    const stopwatch = startStopwatch(to.dnsMs);
    const socket = openTcp(to);
    const settle = (finding: Pick<ProbeResult, "outcome" | "reason">): void => {
      clearTimeout(timer);
      resolve({ ...finding, latencyMs: stopwatch.elapsedMs(), phases: stopwatch.phases() });
      socket.destroy();
    };
    const timer = setTimeout(() => settle(lateFinding("connect")), deadlineMs);
    socket.on("error", (error) => settle(findingOf(error, "connect")));
    socket.once("connect", () => {
      stopwatch.mark("connect");
      settle({ outcome: "ok" });
    });
  });
