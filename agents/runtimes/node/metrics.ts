/** /metrics in Prometheus text, /livez and /readyz, on loopback. Other Host names are refused, so that a web page can't read them. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface AgentGauges {
  readonly targets: number;
  readonly runs: number;
  readonly overruns: number;
  readonly spooled: number;
  readonly dropped: number;
  readonly reportsTaken: number;
  readonly reportsFailed: number;
  readonly configurationVersion: number;
  readonly isHealthy: boolean;
  readonly mode: string;
  readonly sinceAckMs: number;
  /** Why another process seems to report as this agent; null when none does. */
  readonly twin: string | null;
}

export interface Readiness {
  readonly isReady: boolean;
  readonly why: string;
}

export interface MetricsServer {
  readonly port: number;
  readonly close: () => Promise<void>;
}

export const serveMetrics = async (
  port: number,
  { gauges, readiness }: { gauges: () => AgentGauges; readiness: () => Readiness },
): Promise<MetricsServer> => {
  const server = createServer((request, response) => {
    if (!isLocalHost(request)) return answer(response, 421, "misdirected\n");
    switch (request.url) {
      case "/metrics":
        return answer(response, 200, toPrometheus(gauges()));
      case "/livez":
        return answer(response, 200, "ok\n");
      case "/readyz": {
        const { isReady, why } = readiness();
        return answer(response, isReady ? 200 : 503, `${why}\n`);
      }
      default:
        return answer(response, 404, "not found\n");
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
};

const isLocalHost = ({ headers }: IncomingMessage): boolean =>
  /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?$/.test(headers.host ?? "");

const answer = (response: ServerResponse, code: number, body: string): void => {
  response.writeHead(code, { "content-type": "text/plain; version=0.0.4; charset=utf-8", "x-content-type-options": "nosniff" });
  response.end(body);
};

const MODES = ["normal", "degraded", "emergency", "offline"];

export const toPrometheus = (gauges: AgentGauges): string => {
  const lines: string[] = [];
  const put = (name: string, type: "counter" | "gauge", help: string, value: number): void => {
    lines.push(`# HELP regent_agent_${name} ${help}`, `# TYPE regent_agent_${name} ${type}`, `regent_agent_${name} ${value}`);
  };
  put("targets", "gauge", "Checks assigned to this agent.", gauges.targets);
  put("probes_total", "counter", "Probes started.", gauges.runs);
  put("overruns_total", "counter", "Slots skipped because the last run still went.", gauges.overruns);
  put("spooled", "gauge", "Undelivered observations kept for later.", gauges.spooled);
  put("dropped_total", "counter", "Observations dropped because the spool was full or they were too old.", gauges.dropped);
  put("reports_taken_total", "counter", "Reports acknowledged.", gauges.reportsTaken);
  put("reports_failed_total", "counter", "Tries to deliver a report that failed.", gauges.reportsFailed);
  put("configuration_version", "gauge", "Version of the applied configuration, 0 for none.", gauges.configurationVersion);
  put("healthy", "gauge", "1 if the agent's own network is alive.", gauges.isHealthy ? 1 : 0);
  put("since_ack_seconds", "gauge", "Time since the last acknowledged report.", gauges.sinceAckMs / 1_000);
  put("twin", "gauge", "1 if another process seems to report as this agent.", gauges.twin === null ? 0 : 1);
  lines.push("# HELP regent_agent_mode The agent's own condition.", "# TYPE regent_agent_mode gauge");
  for (const mode of MODES) lines.push(`regent_agent_mode{mode="${mode}"} ${mode === gauges.mode ? 1 : 0}`);
  return `${lines.join("\n")}\n`;
};
