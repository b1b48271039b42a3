/**
 * The alert rules that Regent ships, each with its reason. What an entry of history pages already has none here: a verdict, drift, a freeze, a
 * mode, a dead letter is one cause, and one page. docs/ALERTS.md says the same, and a test compares the two.
 */
import type { AlertRule } from "@regent/contract";

export interface DefaultRule extends AlertRule {
  readonly why: string;
}

type Said = Pick<DefaultRule, "id" | "metric" | "for" | "severity" | "title" | "why"> &
  Partial<Pick<AlertRule, "labels" | "condition" | "window" | "quantile" | "absent">>;

const rule = ({ labels = {}, condition, window, quantile, ...said }: Said): DefaultRule => ({
  condition: condition ?? { op: ">", value: 0 },
  labels,
  window: window ?? null,
  quantile: quantile ?? null,
  absent: false,
  notifiers: null,
  isOn: true,
  ...said,
});

export const DEFAULT_RULES: readonly DefaultRule[] = [
  rule({
    id: "agents-missing",
    metric: "regent_agents",
    labels: { state: "missing" },
    for: 120,
    severity: "warning",
    title: "agents are silent while others of their region are heard",
    why: "One silent agent changes no verdict, and leaves a region one fault away from being seen by nobody. A region that falls silent as a whole is told by its verdict.",
  }),
  rule({
    id: "reports-refused",
    metric: "regent_refusals_total",
    labels: { door: "reports" },
    window: 300,
    condition: { op: ">", value: 20 },
    for: 60,
    severity: "warning",
    title: "reports are refused",
    why: "A wrong key, a clock that is off or a region that isn't declared: an agent talks and isn't heard, and its silence looks like its network's.",
  }),
  rule({
    id: "transitions-turned-away",
    metric: "regent_lane_refused_total",
    labels: { lane: "transition" },
    window: 60,
    for: 0,
    severity: "warning",
    title: "reports of changes were told to come back",
    why: "The lane that goes first was full: a failover waits for reports that this server had no place for.",
  }),
  rule({
    id: "deciding-slow",
    metric: "regent_look_seconds",
    window: 300,
    quantile: 0.95,
    condition: { op: ">", value: 1 },
    for: 120,
    severity: "warning",
    title: "judging and deciding takes longer than a second",
    why: "Every failover waits for this as well. 1,000 services take a tenth of it.",
  }),
  rule({
    id: "event-loop-late",
    metric: "nodejs_eventloop_lag_p99_seconds",
    condition: { op: ">", value: 0.5 },
    for: 120,
    severity: "warning",
    title: "this process is overloaded",
    why: "The lease, the heartbeat and every timer run late by that much; at a few seconds the lead is lost.",
  }),
  rule({
    id: "database-waiting",
    metric: "regent_database_connections",
    labels: { lane: "decisions", what: "waiting" },
    condition: { op: ">", value: 20 },
    for: 60,
    severity: "warning",
    title: "decisions wait for a connection of the database",
    why: "What is decided is written first: a queue here delays every change. A database that is away is told by the mode.",
  }),
  rule({
    id: "database-held",
    metric: "regent_database_held",
    for: 30,
    severity: "warning",
    title: "work holds a connection of the database for too long",
    why: "A lock or a dying disk: pools run dry some minutes later.",
  }),
  rule({
    id: "route53-failing",
    metric: "regent_guard_changes_total",
    labels: { guard: "route53-change", state: "open" },
    window: 300,
    condition: { op: ">", value: 5 },
    for: 0,
    severity: "critical",
    title: "Route 53 takes no changes",
    why: "The breaker of change calls opened again and again: no traffic can be moved by anybody. Nothing of it is in history, as nothing was decided.",
  }),
  rule({
    id: "route53-throttled",
    metric: "regent_route53_sends_total",
    labels: { answer: "throttled" },
    window: 300,
    condition: { op: ">", value: 10 },
    for: 0,
    severity: "warning",
    title: "Route 53 throttles change calls",
    why: "Another program of the account spends the same budget, and every failover waits for it.",
  }),
  rule({
    id: "outbox-unsettled",
    metric: "regent_outbox_unsettled_seconds",
    condition: { op: ">", value: 120 },
    for: 30,
    severity: "warning",
    title: "it isn't known whether a batch was applied",
    why: "Its services wait until DNS can be read: they can't be moved meanwhile.",
  }),
  rule({
    id: "change-unseen",
    metric: "regent_change_unseen_seconds",
    condition: { op: ">", value: 180 },
    for: 0,
    severity: "warning",
    title: "an accepted change isn't visible in DNS",
    why: "Route 53 said yes a while ago and its servers still answer the old weights: traffic is where it was.",
  }),
  rule({
    id: "pages-waiting",
    metric: "regent_page_waiting_seconds",
    condition: { op: ">", value: 300 },
    for: 0,
    severity: "warning",
    title: "a notifier takes no messages",
    why: "Dead letters of pages are told after a day only. The other notifiers are told now.",
  }),
  rule({
    id: "clock-jumped",
    metric: "regent_clock_jumps_total",
    window: 300,
    for: 0,
    severity: "warning",
    title: "the database's clock jumped",
    why: "Regent moved its timers along, and whoever set the clock may do it again. History keeps the jump and pages nobody.",
  }),
];
