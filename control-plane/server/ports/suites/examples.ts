/** Plain examples of what the stores keep. Each call takes what matters to its test; the rest is unremarkable. */
import type { Change } from "@regent/contract";
import { monotonicFactory } from "ulid";
import type { Commit, HistoryEntry, ServiceRecord, StoredOutboxRow, StoredTransfer } from "../decision-store.ts";
import type { FoldWrite, MinuteAggregate, StoredAgent, StoredCheck, Transition } from "../evidence-store.ts";

export const ulid = monotonicFactory();

export const exampleAgent = (agent: Partial<StoredAgent> = {}): StoredAgent => ({
  agent: "eu-a1",
  boot: 1,
  sequence: 1,
  window: "1",
  heardAt: 1_700_000_000_000,
  skewMs: -12.5,
  selfHealthy: true,
  mode: "normal",
  build: "1.2.3",
  configurationVersion: 4,
  version: 1,
  live: { "web/eu/http": [1_700_000_000_000, 12.25, 1_699_999_980_000, 3, 1, 40.5, 20.25] },
  ...agent,
});

export const exampleCheck = (check: Partial<StoredCheck> = {}): StoredCheck => ({
  agent: "eu-a1",
  target: "web/eu/http",
  state: "down",
  failures: 3,
  passes: 0,
  since: 1_700_000_000_000,
  failingSince: 1_699_999_990_000,
  at: 1_700_000_001_000,
  outcome: "fail",
  reason: "tcp_refused",
  latencyMs: 1.5,
  facts: { role: "primary", lag: 0, ready: false, note: null },
  ...check,
});

export const exampleTransition = (transition: Partial<Transition> = {}): Transition => ({
  agent: "eu-a1",
  target: "web/eu/http",
  at: 1_700_000_000_000,
  from: "up",
  to: "down",
  outcome: "fail",
  reason: "tcp_refused",
  isBackfill: false,
  ...transition,
});

export const exampleAggregate = (aggregate: Partial<MinuteAggregate> = {}): MinuteAggregate => ({
  agent: "eu-a1",
  target: "web/eu/http",
  minute: 1_699_999_980_000,
  count: 12,
  failures: 2,
  latencySumMs: 240.5,
  latencyMaxMs: 80.25,
  ...aggregate,
});

export const exampleFold = <T>(result: T, fold: Partial<FoldWrite<T>> = {}): FoldWrite<T> => ({
  agent: exampleAgent(),
  checks: [],
  transitions: [],
  aggregates: [],
  ...fold,
  result,
});

export const exampleService = (record: Partial<ServiceRecord> = {}): ServiceRecord => ({
  service: "web",
  version: 0,
  revision: 1,
  health: {
    eu: {
      region: "eu",
      verdict: "unhealthy",
      since: 1_700_000_000_000,
      why: "refused at 3 of 3 vantages",
      evidence: "bad",
      evidenceSince: 1_699_999_999_000,
      before: "healthy",
      detectedAt: 1_699_999_990_000,
      penalty: 0.1 + 0.2,
      penaltyAt: 1_700_000_000_000,
      isSuppressed: false,
      factor: 0.3,
    },
    us: {
      region: "us",
      verdict: "healthy",
      since: 0,
      why: "up at 2 of 2 vantages",
      evidence: "good",
      evidenceSince: 0,
      before: null,
      detectedAt: null,
      penalty: 0,
      penaltyAt: 0,
      isSuppressed: true,
      factor: 1,
    },
  },
  traffic: {
    passive: { default: { active: "us", returning: null } },
    out: { eu: { since: 1_700_000_000_000, why: "unhealthy" } },
    ramps: {},
    returnedAt: { us: 5 },
    failedReturns: { eu: [1, 2] },
    lastAutomaticFailoverAt: 1_700_000_000_000,
    failStaticSince: null,
    departures: [
      {
        at: 1_700_000_000_000,
        left: ["eu"],
        received: ["us"],
        moved: 1,
        vantages: ["us/a"],
        findings: ["web down (tcp_refused)"],
      },
    ],
    shares: { default: { eu: 0, us: 1 }, "near-eu": { eu: 1 / 3, us: 2 / 3 } },
  },
  controls: {
    frozen: null,
    frozenRegions: {},
    drained: { eu: { by: "ann", reason: "work", at: 7 } },
    placement: null,
    overrides: [],
  },
  written: { default: { eu: 0, us: 255 }, "near-eu": { eu: 85, us: 170 } },
  expected: [
    { name: "www.example.com", type: "A", setIdentifier: "us", weight: 255, ttl: 30, values: ["192.0.2.2", "192.0.2.1"] },
  ],
  epoch: ulid(),
  blockedBy: null,
  drift: "weight of eu is 3",
  seen: { shares: { default: { eu: 0, us: 1 } }, servers: 3, serversAsked: 4, why: "3 of 4 servers agree", at: 9 },
  lastRefusal: null,
  ownership: {
    edit: { policy: "report", weights: { default: { eu: 3, us: 255 } }, declared: "d", isKept: false, carried: null, since: 4 },
    reverts: [1, 2],
    released: null,
    adopting: null,
  },
  approval: {
    id: ulid(),
    service: "web",
    kind: "failover",
    state: "waiting",
    digest: "0123456789abcdef",
    why: "eu is unhealthy",
    rules: [{ rule: "A9", answer: "require-approval", why: "3 incidents within the hour, at most 3", skipped: false }],
    asks: ["A9"],
    sharesBefore: { default: { eu: 1, us: 0 } },
    sharesAfter: { default: { eu: 0, us: 1 } },
    weightsBefore: { default: { eu: 255, us: 0 } },
    weightsAfter: { default: { eu: 0, us: 255 } },
    askedAt: 1_700_000_000_000,
    lapsesAt: 1_700_000_900_000,
    onLapse: "stay",
    answeredAt: null,
    by: null,
    reason: null,
    question: "[]",
    isOver: false,
    former: [{ id: ulid(), state: "refused", by: "ann", answeredAt: 1_699_999_990_000 }],
  },
  declared: { digest: "fedcba9876543210", since: 1_699_999_000_000 },
  transfer: exampleTransfer(),
  databases: [
    { region: "us", role: "standby", lagMs: 120, lagAt: 1_700_000_000_000, linkLostAt: 1_700_000_000_500, seenAt: 9, why: "cut" },
  ],
  ...record,
});

export const exampleTransfer = (transfer: Partial<StoredTransfer> = {}): StoredTransfer => ({
  id: ulid(),
  from: "eu",
  to: "us",
  phase: "prepare",
  startedAt: 1_700_000_000_000,
  phaseAt: 1_700_000_000_000,
  by: { kind: "automation", name: "regent" },
  reason: null,
  hook: { attempts: 2, lastAt: 1_700_000_012_000, answer: "working", isFenced: null, why: "pg_promote runs" },
  why: "the hook works on it",
  settledAt: null,
  ...transfer,
});

export const exampleChange = (change: Partial<Change> = {}): Change => ({
  id: ulid(),
  service: "web",
  revision: 1,
  kind: "failover",
  stage: "decided",
  actor: { kind: "automation", name: "regent" },
  reason: null,
  why: "eu is unhealthy since 03:12:09Z",
  sharesBefore: { default: { eu: 1, us: 0 } },
  sharesAfter: { default: { eu: 0, us: 1 } },
  weightsBefore: { default: { eu: 255, us: 0 } },
  weightsAfter: { default: { eu: 0, us: 255 } },
  rules: [{ rule: "A8", answer: "allow", why: "no move for 3 h", skipped: false }],
  evidence: [],
  times: { detected: 90, decided: 100 },
  ...change,
});

/** The write-ahead row of a change. */
export const exampleOutboxRow = (change: Change, row: Partial<StoredOutboxRow> = {}): StoredOutboxRow => ({
  ulid: ulid(),
  service: change.service,
  revision: change.revision,
  term: 1,
  expects: null,
  state: "intent",
  changeId: change.id,
  zoneId: "Z1",
  deletes: [],
  creates: [{ name: "www.example.com", type: "A", setIdentifier: "us", weight: 255, ttl: 30, values: ["192.0.2.2"] }],
  weights: change.weightsAfter,
  createdAt: 100,
  sentAt: null,
  changeInfoId: null,
  ...row,
});

export const exampleEntry = (entry: Partial<HistoryEntry> = {}): HistoryEntry => ({
  id: ulid(),
  at: 100,
  service: "web",
  kind: "verdict",
  actor: { kind: "automation", name: "regent" },
  why: "eu is unhealthy",
  page: true,
  detail: { votes: [1, 2] },
  ...entry,
});

/** A commit of whoever holds term 1 as `leader`. */
export const exampleCommit = (commit: Partial<Commit> = {}): Commit => ({
  holder: "leader",
  term: 1,
  services: [],
  changes: [],
  outboxInserts: [],
  outboxUpdates: [],
  stages: [],
  history: [],
  ...commit,
});
