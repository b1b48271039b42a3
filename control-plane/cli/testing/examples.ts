/** Small whole examples of what the server answers, for tests of formats and commands. */
import type { Approval, Change, HistoryEvent, MoveAnswer, Overview, RegionVerdict, ServiceState } from "@regent/contract";

/** 2026-01-01T00:00:00Z */
export const AT = 1_767_225_600_000;

export const exampleVerdict = (region: string, given: Partial<RegionVerdict> = {}): RegionVerdict => ({
  region,
  verdict: "healthy",
  since: AT - 90_000,
  why: "2 of 2 inside and 4 of 4 outside vantages see it up",
  score: 100,
  evidence: "good",
  inside: "up",
  outside: "up",
  flags: [],
  votes: [],
  ...given,
});

export const exampleService = (given: Partial<ServiceState> = {}): ServiceState => ({
  id: "checkout",
  name: "checkout.example.test",
  profile: "sandbox",
  strategy: "active-passive",
  mode: "automatic",
  revision: 4,
  term: 2,
  regions: [
    exampleVerdict("eu-west", {
      verdict: "unhealthy",
      score: 0,
      since: AT - 3_000,
      why: "web fails (tcp_refused)",
      flags: ["gray"],
    }),
    exampleVerdict("us-east"),
  ],
  families: ["default"],
  wanted: { default: { "eu-west": 0, "us-east": 1 } },
  written: { default: { "eu-west": 0, "us-east": 255 } },
  seen: { shares: { default: { "eu-west": 0.25, "us-east": 0.75 } }, servers: 4, serversAsked: 4, why: "4 of 4 answer", at: AT },
  frozen: null,
  drained: {},
  approval: null,
  transfer: null,
  blockedBy: null,
  drift: null,
  now: "us-east serves; eu-west is out since 00:00:00Z",
  lastChange: null,
  ...given,
});

export const exampleOverview = (given: Partial<Overview> = {}): Overview => ({
  at: AT,
  owner: "regent-sandbox",
  configurationVersion: 1,
  mode: "normal",
  leader: { holder: "one", term: 2, self: true },
  frozen: null,
  services: [exampleService()],
  agents: [
    {
      id: "eu-west-a",
      region: "eu-west",
      network: "net-a",
      lastReportAt: AT - 400,
      fresh: true,
      healthy: true,
      mode: "normal",
      build: "0.1.0",
      clockSkewMs: 0,
      configurationVersion: 1,
    },
    {
      id: "us-east-a",
      region: "us-east",
      network: "net-a",
      lastReportAt: null,
      fresh: false,
      healthy: null,
      mode: null,
      build: null,
      clockSkewMs: null,
      configurationVersion: null,
    },
  ],
  ...given,
});

export const exampleChange = (given: Partial<Change> = {}): Change => ({
  id: "01JGFJJZ00ABCDEFGHJKMNPQRS",
  service: "checkout",
  revision: 4,
  kind: "failover",
  stage: "visible",
  actor: { kind: "automation", name: "regent" },
  reason: null,
  why: "eu-west is unhealthy: 4 of 4 outside vantages see web failing",
  sharesBefore: { default: { "eu-west": 1, "us-east": 0 } },
  sharesAfter: { default: { "eu-west": 0, "us-east": 1 } },
  weightsBefore: { default: { "eu-west": 255, "us-east": 0 } },
  weightsAfter: { default: { "eu-west": 0, "us-east": 255 } },
  rules: [],
  evidence: [],
  times: { detected: AT, decided: AT + 820, sent: AT + 830, accepted: AT + 905, inSync: AT + 1_200, visible: AT + 1_150 },
  ...given,
});

export const exampleApproval = (given: Partial<Approval> = {}): Approval => {
  const { id, kind, why, sharesBefore, sharesAfter, weightsBefore, weightsAfter } = exampleChange();
  return {
    id,
    service: "checkout",
    kind,
    state: "waiting",
    digest: "0123456789abcdef",
    why,
    rules: [{ rule: "A9", answer: "require-approval", why: "3 incidents within the hour, at most 3", skipped: false }],
    asks: ["A9", "mode"],
    sharesBefore,
    sharesAfter,
    weightsBefore,
    weightsAfter,
    askedAt: AT,
    lapsesAt: AT + 900_000,
    onLapse: "stay",
    answeredAt: null,
    by: null,
    reason: null,
    ...given,
  };
};

export const exampleEvent = (given: Partial<HistoryEvent> = {}): HistoryEvent => ({
  id: "01JGFJK5V0ABCDEFGHJKMNPQRS",
  at: AT + 820,
  service: "checkout",
  sequence: 12,
  kind: "change",
  actor: { kind: "automation", name: "regent" },
  why: "eu-west is unhealthy: 4 of 4 outside vantages see web failing; traffic goes to us-east 100 %",
  page: true,
  change: exampleChange(),
  detail: {},
  ...given,
});

export const exampleMove = (given: Partial<MoveAnswer> = {}): MoveAnswer => ({
  dryRun: true,
  allowed: true,
  why: "checkout would go to us-east",
  changeId: null,
  revision: 4,
  sharesBefore: { default: { "eu-west": 1, "us-east": 0 } },
  sharesAfter: { default: { "eu-west": 0, "us-east": 1 } },
  weightsBefore: { default: { "eu-west": 255, "us-east": 0 } },
  weightsAfter: { default: { "eu-west": 0, "us-east": 255 } },
  rules: [{ rule: "A2", answer: "allow", why: "1 region keeps a positive weight", skipped: false }],
  batch: [
    {
      action: "DELETE",
      set: { name: "checkout.example.test", type: "A", ttl: 5, setIdentifier: "eu-west", weight: 255, values: ["192.0.2.10"] },
    },
  ],
  ...given,
});
