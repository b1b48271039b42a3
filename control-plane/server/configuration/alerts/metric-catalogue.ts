/**
 * Every metric of ours, once: what `/metrics` exports is made from this table, and an alert rule may name nothing else, so that the two can't
 * differ. Labels come from closed lists and declared ids only.
 */

export type MetricKind = "gauge" | "counter" | "histogram";

export interface MetricEntry {
  readonly kind: MetricKind;
  /** What its number counts or measures. */
  readonly unit: string;
  readonly labels: readonly string[];
  readonly help: string;
}

const gauge = (unit: string, labels: readonly string[], help: string): MetricEntry => ({ kind: "gauge", unit, labels, help });
const counter = (unit: string, labels: readonly string[], help: string): MetricEntry => ({ kind: "counter", unit, labels, help });
const seconds = (labels: readonly string[], help: string): MetricEntry => ({ kind: "histogram", unit: "seconds", labels, help });

const OWN = {
  regent_reports_total: counter("reports", ["agent"], "Reports taken, by agent"),
  regent_refusals_total: counter("requests", ["door", "problem"], "Refused requests, by door and problem"),
  regent_route53_sends_total: counter("calls", ["answer"], "Change calls and their answers"),
  regent_look_seconds: seconds([], "Judging and deciding what was touched"),
  regent_services_decided_total: counter("services", [], "Services decided"),
  regent_decided_to_accepted_seconds: seconds(["kind"], "From decision to accepted batch"),
  regent_dead_letters_total: counter("letters", ["kind"], "Reports and strikes put aside by this process, by kind"),
  regent_dead_letters_dropped_total: counter("letters", [], "Old dead letters that went for new ones"),
  regent_dead_letters: gauge("letters", [], "Dead letters that wait for a person, as last counted"),
  regent_clock_jumps_total: counter("jumps", [], "Jumps of the database's clock that this process noticed"),
  regent_clock_last_jump_seconds: gauge("seconds", [], "How far the database's clock jumped last; negative: back"),
  regent_leading: gauge("0 or 1", [], "1 while this process is sure to lead"),
  regent_mode: gauge("0 or 1", ["mode"], "1 for the mode that this process is in, 0 for the others"),

  regent_database_seconds: seconds(["lane", "outcome"], "Units of work, waiting for a connection included, by lane and outcome"),
  regent_guard_changes_total: counter("changes", ["guard", "state"], "Changes of state of the breakers, by guard and new state"),
  regent_guards: gauge("guards", ["guard", "state"], "Guards, by kind and state of their breaker"),
  regent_guard_calls: gauge("calls", ["guard", "place"], "Calls under way and waiting, by guard"),
  regent_guard_calls_total: counter(
    "calls",
    ["guard", "outcome"],
    "Calls, by guard and what became of them: answered, failed, refused (known to be down), turnedAway (too many wait)",
  ),
  regent_guard_retries_total: counter("calls", ["guard"], "Calls made again after a failure, by guard"),
  regent_database_state: gauge("0 or 1", ["state"], "1 for the state that the pool is in, 0 for the others"),
  regent_database_connections: gauge(
    "connections",
    ["lane", "what"],
    "Connections by lane: open, in use, most there may be, and units of work that wait for one",
  ),
  regent_database_held: gauge("units of work", [], "Units of work that hold a connection for too long now"),
  regent_database_held_total: counter("units of work", [], "Units of work that held a connection for too long"),
  regent_database_connections_lost_total: counter("connections", [], "Connections that were lost and made anew"),

  regent_lane_waiting: gauge("requests", ["lane"], "Requests that wait for a place, by lane"),
  regent_lane_under_way: gauge("requests", ["lane"], "Requests that have a place, by lane"),
  regent_lane_admitted_total: counter("requests", ["lane"], "Requests that got a place, by lane"),
  regent_lane_refused_total: counter("requests", ["lane"], "Requests that were told to come back, by lane"),
  regent_lane_wait_seconds: seconds(["lane"], "Time until a place was free, by lane"),

  regent_agents: gauge(
    "agents",
    ["region", "state"],
    "Declared agents by region: heard, missing (while others of the region are heard), silent (as all of the region are)",
  ),
  regent_services: gauge("services", ["state"], "Services that are drifted, frozen, or blocked by an epoch record"),
  regent_outbox_unsettled_seconds: gauge("seconds", [], "Age of the oldest batch whose fate isn't known; 0 without any"),
  regent_change_unseen_seconds: gauge(
    "seconds",
    [],
    "How long ago the oldest change was accepted that name servers don't answer yet; 0 without any",
  ),
  regent_page_waiting_seconds: gauge(
    "seconds",
    ["notifier"],
    "How long the oldest due message has waited for its notifier; 0 without any",
  ),
} as const satisfies Record<string, MetricEntry>;

/** Of the process, as prom-client names them: those that mean the same on every machine. */
const OF_THE_PROCESS = {
  process_resident_memory_bytes: gauge("bytes", [], "Resident memory size in bytes."),
  process_cpu_seconds_total: counter("seconds", [], "Total user and system CPU time spent in seconds."),
  nodejs_eventloop_lag_p99_seconds: gauge("seconds", [], "The 99th percentile of the recorded event loop delays."),
} as const satisfies Record<string, MetricEntry>;

export type OwnMetricName = keyof typeof OWN;

export const METRICS: Readonly<Record<string, MetricEntry>> = { ...OWN, ...OF_THE_PROCESS };
export const OWN_METRICS: readonly string[] = Object.keys(OWN);

export const findMetric = (name: string): MetricEntry | null => (Object.hasOwn(METRICS, name) ? (METRICS[name] ?? null) : null);

/** As the exporter wants it. */
export const describeMetric = (
  name: OwnMetricName,
): { readonly name: string; readonly help: string; readonly labelNames: readonly string[] } => ({
  name,
  help: OWN[name].help,
  labelNames: OWN[name].labels,
});
