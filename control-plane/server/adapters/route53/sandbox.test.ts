/** The port's laws on the real SDK against the sandbox's Route 53. Whether that is like AWS's is asked by its own suite: docs/ROUTE53.md. */
import { setTimeout as pause } from "node:timers/promises";
import { CreateHealthCheckCommand, Route53Client } from "@aws-sdk/client-route-53";
import type { DnsProvider } from "../../ports/dns-provider.ts";
import { type BrokenSend, dnsProviderSuite } from "../../ports/suites/dns-provider.suite.ts";
import { createApiBudget } from "./budget.ts";
import { createRoute53Provider } from "./dns-provider.ts";

/** What is used of the sandbox. It is loaded by path: the server doesn't depend on it, and it imports nothing of ours. */
interface Sandbox {
  readonly endpoint: string;
  readonly zoneIds: Readonly<Record<string, string>>;
  readonly faults: { readonly set: (fault: Readonly<Record<string, unknown>>) => string };
  readonly close: () => Promise<void>;
}
interface SandboxModule {
  readonly startRoute53Sandbox: (options: Readonly<Record<string, unknown>>) => Promise<Sandbox>;
}

const credentials = { accessKeyId: "AKIDSANDBOXSUITE", secretAccessKey: "only-for-this-test" };
const ZONE_NAME = "example.test";
/** How long a send waits that is known to get no answer; all others have the adapter's own patience. */
const LOST_SEND_MS = 500;
const faultOf: Readonly<Record<BrokenSend, Readonly<Record<string, unknown>>>> = {
  throttled: { kind: "throttle" },
  busy: { kind: "prior-request" },
  "lost-before": { kind: "timeout-before" },
  "lost-after": { kind: "timeout-after" },
  late: { kind: "late-apply", delayMs: LOST_SEND_MS + 1_200 },
};

const startSandboxWorld = (form: "error-response" | "messages") => async () => {
  const path = new URL("../../../../infra/sandbox/route53-sandbox.ts", import.meta.url).href;
  const { startRoute53Sandbox } = (await import(/* @vite-ignore */ path)) as SandboxModule;
  const sandbox = await startRoute53Sandbox({
    credentials: [credentials],
    zones: [ZONE_NAME],
    propagation: { minMs: 400, maxMs: 800 },
    invalidChangeBatchForm: form,
  });
  const budget = createApiBudget({ ratePerSecond: 1_000, burst: 1_000, monotonic: () => performance.now() });
  const common = { endpoint: sandbox.endpoint, credentials, budget };
  const patient = createRoute53Provider(common);
  // It only ever meets silence: its guard must not take that for an outage.
  const breakers = { change: { failures: 1_000, successes: 1, openMs: 50 } };
  const impatient = createRoute53Provider({ ...common, breakers, timeouts: { sendMs: LOST_SEND_MS } });
  let isNextLost = false;
  const send: DnsProvider["send"] = (...batch) => {
    const provider = isNextLost ? impatient : patient;
    isNextLost = false;
    return provider.send(...batch);
  };
  return {
    provider: { ...patient, send },
    zoneId: sandbox.zoneIds[ZONE_NAME]!,
    zoneName: ZONE_NAME,
    healthCheckId: await makeHealthCheck(sandbox.endpoint),
    breakNextSend: (fault: BrokenSend) => {
      isNextLost = true;
      sandbox.faults.set({ ...faultOf[fault], count: 1 });
    },
    letTimePass: () => pause(50),
    close: async () => {
      patient.close();
      impatient.close();
      await sandbox.close();
    },
  };
};

const makeHealthCheck = async (endpoint: string): Promise<string> => {
  const client = new Route53Client({ endpoint, credentials, region: "us-east-1" });
  const made = await client.send(
    new CreateHealthCheckCommand({
      CallerReference: "port-suite",
      HealthCheckConfig: { Type: "TCP", IPAddress: "192.0.2.1", Port: 9, RequestInterval: 30 },
    }),
  );
  client.destroy();
  return made.HealthCheck!.Id!;
};

dnsProviderSuite("Route 53 adapter on the sandbox", startSandboxWorld("error-response"));
dnsProviderSuite("Route 53 adapter on the sandbox, refusals in the reference's form", startSandboxWorld("messages"));
