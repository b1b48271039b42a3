/** A control plane for tests of the doors: it answers what a test lays before it, and remembers what it was asked. */
import type {
  AlertRuleView,
  Approval,
  Change,
  DeadLetter,
  Evacuation,
  Explanation,
  Incident,
  LiveEvent,
  MaintenanceWindow,
  MoveAnswer,
  Overview,
  RoleAnswer,
  ServiceState,
  TransferState,
} from "@regent/contract";
import type { ControlPlane } from "../../operations/control-plane.ts";
import type { AppliedConfiguration } from "../../ports/configuration-store.ts";

export const CHANGE_ID = "01JD8Z0000000000000000000A";

export const testService = (id: string): ServiceState => ({
  id,
  name: `${id}.example.net`,
  profile: "standard",
  strategy: "active-passive",
  mode: "automatic",
  revision: 4,
  term: 2,
  regions: [],
  families: ["default"],
  wanted: { default: { east: 1, west: 0 } },
  written: { default: { east: 255, west: 0 } },
  seen: null,
  frozen: null,
  drained: {},
  approval: null,
  transfer: null,
  blockedBy: null,
  drift: null,
  now: "steady: east serves",
  lastChange: null,
});

export const testMoveAnswer = (dryRun = false): MoveAnswer => ({
  dryRun,
  allowed: true,
  why: "moves from east to west",
  changeId: dryRun ? null : CHANGE_ID,
  revision: 5,
  sharesBefore: { default: { east: 1, west: 0 } },
  sharesAfter: { default: { east: 0, west: 1 } },
  weightsBefore: { default: { east: 255, west: 0 } },
  weightsAfter: { default: { east: 0, west: 255 } },
  rules: [{ rule: "A1", answer: "allow", why: "1 region stays", skipped: false }],
  batch: [
    {
      action: "CREATE",
      set: { name: "shop.example.net", type: "A", setIdentifier: "west", weight: 255, ttl: 30, values: ["192.0.2.2"] },
    },
  ],
});

export const testChange = (service: string): Change => {
  const { sharesBefore, sharesAfter, weightsBefore, weightsAfter, rules, why } = testMoveAnswer();
  return {
    id: CHANGE_ID,
    service,
    revision: 5,
    kind: "failover",
    stage: "visible",
    actor: { kind: "operator", name: "admin" },
    reason: "a test",
    why,
    sharesBefore,
    sharesAfter,
    weightsBefore,
    weightsAfter,
    rules,
    evidence: [],
    times: { decided: 1_000 },
  };
};

export const testApproval = (service: string, approval: Partial<Approval> = {}): Approval => {
  const { sharesBefore, sharesAfter, weightsBefore, weightsAfter } = testMoveAnswer();
  return {
    id: CHANGE_ID,
    service,
    kind: "failover",
    state: "waiting",
    digest: "0123456789abcdef",
    why: "east is unhealthy; traffic goes to west 100 %",
    rules: [],
    asks: ["mode"],
    sharesBefore,
    sharesAfter,
    weightsBefore,
    weightsAfter,
    askedAt: 1_000,
    lapsesAt: 901_000,
    onLapse: "stay",
    answeredAt: null,
    by: null,
    reason: null,
    ...approval,
  };
};

export const testTransfer = (service: string): TransferState => ({
  id: CHANGE_ID,
  service,
  from: "east",
  to: "west",
  phase: "prepare",
  startedAt: 1_000,
  phaseAt: 1_000,
  by: { kind: "automation", name: "regent" },
  reason: null,
  hook: { isDeclared: true, attempts: 1, lastAt: 1_000, answer: "working", fenced: null, why: "" },
  why: "the hook is at work",
});

const testRole = (service: string): RoleAnswer => ({
  service,
  writer: "east",
  revision: 5,
  validForMs: 10_000,
  why: "traffic is led to east",
});

const testDeadLetter = (): DeadLetter => ({
  id: CHANGE_ID,
  at: 1_000,
  kind: "report",
  subject: "east-a",
  why: "the fold threw",
  attempts: 1,
  triedAt: 1_000,
  bytes: 13,
});

const testIncident = (): Incident => ({
  id: CHANGE_ID,
  cause: "region:east",
  state: "open",
  severity: "critical",
  title: "traffic left east",
  openedAt: 1_000,
  updatedAt: 1_000,
  closedAt: null,
  acknowledged: null,
  hit: 1,
  parts: ["shop/east"],
  unwell: 1,
  lines: [{ at: 1_000, why: "east refuses" }],
  escalations: 0,
});

export const testEvacuation = (evacuation: Partial<Evacuation> = {}): Evacuation => ({
  id: CHANGE_ID,
  region: "east",
  direction: "evacuate",
  by: "ada",
  reason: "a fire",
  breakGlass: [],
  at: 1_000,
  state: "running",
  endedAt: null,
  stopped: null,
  services: SERVICES.map((service) => ({ service, state: "waiting", changeId: null, why: null, at: null })),
  ...evacuation,
});

export const testWindow = (window: Partial<MaintenanceWindow> = {}): MaintenanceWindow => ({
  id: CHANGE_ID,
  source: "planned",
  regions: ["east"],
  services: null,
  by: "ann",
  reason: "new disks",
  from: 2_000,
  to: 3_000,
  state: "planned",
  repeats: null,
  ...window,
});

export const testAlertRule = (id: string): AlertRuleView => ({
  id,
  metric: "regent_agents",
  labels: { state: "missing" },
  condition: { op: ">", value: 0 },
  window: null,
  quantile: null,
  absent: false,
  for: 120,
  severity: "warning",
  notifiers: null,
  title: "agents are silent",
  isOn: true,
  source: "default",
  version: 0,
  setting: null,
  why: "because",
  problem: null,
});

const SERVICES = ["shop", "mail"];

const testOverview = (): Overview => ({
  at: 1_000,
  owner: "acme",
  configurationVersion: 7,
  mode: "normal",
  leader: { holder: "one", term: 2, self: true },
  frozen: null,
  services: SERVICES.map(testService),
  agents: [],
});

const testExplanation = (id: string): Explanation => ({
  service: testService(id),
  sentences: ["east is healthy"],
  rules: [],
  changes: [],
  nextLookAt: null,
});

const testHistory = () => ({
  events: [null, ...SERVICES].map((service, i) => ({
    id: CHANGE_ID,
    at: 1_000 + i,
    service,
    sequence: i,
    kind: "verdict" as const,
    actor: { kind: "automation" as const, name: "regent" },
    why: "east is healthy",
    page: false,
    detail: {},
  })),
  next: "c2",
});

export interface FakeControlPlane extends ControlPlane {
  readonly calls: { readonly name: string; readonly input: unknown }[];
  readonly refusals: string[];
  readonly emit: (event: LiveEvent) => void;
  readonly listeners: () => number;
}

const configuration = { version: 7, text: "regent: 1\n", author: "admin", at: 900 };
const testVersion = (version: number): AppliedConfiguration => ({
  ...configuration,
  version,
  lines: ["+ service"],
  declaration: { owner: "never answered" } as unknown as AppliedConfiguration["declaration"],
});

/** Everything goes well unless `answers` say otherwise. */
export const testControlPlane = (answers: Partial<ControlPlane> = {}): FakeControlPlane => {
  const calls: { name: string; input: unknown }[] = [];
  const refusals: string[] = [];
  const listeners = new Set<(event: LiveEvent) => void>();
  const base: ControlPlane = {
    isDeclaredKey: () => true,
    ingestReport: async () => ({ kind: "taken", receipt: { ack: 3, serverTime: 1_000 } }),
    overview: async () => testOverview(),
    service: async (id) => (SERVICES.includes(id) ? testService(id) : null),
    explain: async (id) => (SERVICES.includes(id) ? testExplanation(id) : null),
    move: async ({ dryRun }) => ({ kind: "answered", answer: testMoveAnswer(dryRun) }),
    own: async ({ dryRun }) => ({ kind: "answered", answer: testMoveAnswer(dryRun) }),
    approvals: async () => SERVICES.map((service) => testApproval(service)),
    approve: async () => ({ kind: "answered", answer: testMoveAnswer() }),
    refuse: async ({ by, reason }) => ({ kind: "refused", approval: testApproval("shop", { state: "refused", by, reason }) }),
    setOverride: async ({ dryRun }) => ({ kind: "set", answer: { ...testMoveAnswer(dryRun), override: null } }),
    endOverride: async ({ id }) => ({ kind: "ended", why: `${id} ended` }),
    setFreeze: async ({ isFrozen }) => ({ kind: "set", why: isFrozen ? "frozen" : "free" }),
    maintenance: async () => [testWindow(), testWindow({ id: "mail-only", services: ["mail"] })],
    planMaintenance: async ({ request: { dryRun } }) => ({
      kind: "answered",
      answer: { dryRun, why: "planned", window: testWindow(), warnings: [] },
    }),
    endMaintenance: async ({ id }) =>
      id === CHANGE_ID ? { kind: "ended", why: "taken back" } : { kind: "not-found", what: `planned maintenance window ${id}` },
    transfers: async () => SERVICES.map((service) => testTransfer(service)),
    stopTransfer: async ({ service, reason }) =>
      SERVICES.includes(service)
        ? { kind: "stopped", transfer: { ...testTransfer(service), phase: "stopped", why: reason } }
        : { kind: "not-found", what: `service ${service}` },
    role: async (service, region) =>
      SERVICES.includes(service)
        ? { kind: "read", answer: { ...testRole(service), ...(region === undefined ? {} : { mayWrite: region === "east" }) } }
        : { kind: "not-found", what: `service ${service}` },
    history: async () => testHistory(),
    change: async (id) => (id === CHANGE_ID ? testChange("shop") : null),
    deadLetters: async ({ limit }) => ({ letters: [testDeadLetter()].slice(0, limit), next: null }),
    deadLetter: async (id) => (id === CHANGE_ID ? { ...testDeadLetter(), payload: { report: {} } } : null),
    retryDeadLetter: async ({ id }) =>
      id === CHANGE_ID ? { kind: "tried", done: false, why: "refused again" } : { kind: "gone" },
    dropDeadLetter: async ({ id }) => (id === CHANGE_ID ? { kind: "tried", done: true, why: "dropped" } : { kind: "gone" }),
    recording: async ({ from, to }) => ({
      from,
      to,
      configuration: { version: 3, at: 1, text: "regent: 1\n" },
      appliedAt: [],
      before: [],
      turns: [{ agent: "a1", target: "shop/east/api", at: from, to: "down", outcome: "fail", reason: "tcp_refused" }],
      heard: [{ agent: "a1", minutes: [from] }],
      isCut: false,
    }),
    incidents: async ({ limit }) => ({ incidents: [testIncident()].slice(0, limit), next: null }),
    acknowledgeIncident: async ({ id, by, reason }) =>
      id === CHANGE_ID
        ? { kind: "acknowledged", incident: { ...testIncident(), acknowledged: { by, at: 1_000, reason } } }
        : { kind: "not-found", what: `open incident ${id}` },
    testNotifier: async ({ id }) =>
      id === "pager"
        ? { kind: "tried", answer: { notifier: id, delivered: true, why: "the receiver took it" } }
        : { kind: "not-found", what: `notifier ${id}` },
    freezeRegion: async () => ({ kind: "set", why: "frozen" }),
    evacuate: async ({ dryRun, direction }) =>
      dryRun
        ? { kind: "previewed", preview: [{ service: "shop", state: "nothing", why: "it has no traffic there", answer: null }] }
        : { kind: "begun", evacuation: testEvacuation({ direction }) },
    stopEvacuation: async ({ id, by, reason }) => ({
      kind: "stopped",
      evacuation: testEvacuation({ id, state: "stopped", endedAt: 2_000, stopped: { by, reason, at: 2_000 } }),
    }),
    evacuations: async () => [testEvacuation()],
    evacuation: async (id) => (id === CHANGE_ID ? testEvacuation() : null),
    alerts: async () => ({
      alerts: [
        {
          rule: "agents-missing",
          series: 'regent_agents{region="east",state="missing"}',
          state: "firing",
          since: 1_000,
          value: 1,
          severity: "warning",
          title: "agents are silent",
        },
      ],
      more: 0,
    }),
    alertRules: async () => [testAlertRule("agents-missing")],
    tryAlertRule: async (id) =>
      id === "agents-missing" ? { rule: testAlertRule(id), series: [], more: 0, sentence: "it holds for 0 of 0" } : null,
    changeAlertRule: async ({ id }) => ({ kind: "changed", rule: testAlertRule(id) }),
    configuration: () => configuration,
    configurationVersions: async ({ limit, before = 8 }) =>
      [testVersion(7), testVersion(6)].filter(({ version }) => version < before).slice(0, limit),
    configurationVersion: async (version) => (version <= 7 ? testVersion(version) : null),
    planConfiguration: async () => ({
      kind: "planned",
      answer: { baseVersion: 7, changed: true, lines: ["+ service"], warnings: [], names: [] },
    }),
    applyConfiguration: async () => ({ kind: "applied", answer: { version: 8, changed: true, lines: [], warnings: [] } }),
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    readiness: () => ({ isReady: true, mode: "normal", isLeader: true, missing: [] }),
    databaseHealth: async () => ({ isUp: true, latencyMs: 0.4, poolSize: 10, why: null }),
    metrics: async () => "# HELP regent_reports_total Reports taken\nregent_reports_total 3\n",
    countRefusal: (door, problem) => refusals.push(`${door} ${problem}`),
    ...answers,
  };
  const noted = <A extends unknown[], R>(name: string, call: (...input: A) => R) => {
    return (...input: A): R => {
      calls.push({ name, input: input.length === 1 ? input[0] : input });
      return call(...input);
    };
  };
  return {
    ...base,
    ingestReport: (request, recheck) =>
      noted("ingestReport", (signed: typeof request) => base.ingestReport(signed, recheck))(request),
    move: noted("move", base.move),
    own: noted("own", base.own),
    approve: noted("approve", base.approve),
    refuse: noted("refuse", base.refuse),
    stopTransfer: noted("stopTransfer", base.stopTransfer),
    role: noted("role", base.role),
    setFreeze: noted("setFreeze", base.setFreeze),
    setOverride: noted("setOverride", base.setOverride),
    endOverride: noted("endOverride", base.endOverride),
    freezeRegion: noted("freezeRegion", base.freezeRegion),
    evacuate: noted("evacuate", base.evacuate),
    stopEvacuation: noted("stopEvacuation", base.stopEvacuation),
    planMaintenance: noted("planMaintenance", base.planMaintenance),
    endMaintenance: noted("endMaintenance", base.endMaintenance),
    history: noted("history", base.history),
    acknowledgeIncident: noted("acknowledgeIncident", base.acknowledgeIncident),
    testNotifier: noted("testNotifier", base.testNotifier),
    changeAlertRule: noted("changeAlertRule", base.changeAlertRule),
    retryDeadLetter: noted("retryDeadLetter", base.retryDeadLetter),
    dropDeadLetter: noted("dropDeadLetter", base.dropDeadLetter),
    planConfiguration: noted("planConfiguration", base.planConfiguration),
    applyConfiguration: noted("applyConfiguration", base.applyConfiguration),
    calls,
    refusals,
    emit: (event) => {
      for (const listener of listeners) listener(event);
    },
    listeners: () => listeners.size,
  };
};
