/** A recorded incident as a rehearsal file: text, with comments that say what wasn't recorded. Pure. */
import type { Declaration, HistoryEvent } from "@regent/contract";
import { toServiceSettings } from "@regent/server/configuration/service-settings.ts";
import { toYamlText } from "@regent/server/configuration/yaml-text.ts";
import { partsOf } from "../rehearsal/check.ts";
import { askedOf } from "./asked.ts";
import { controlsAtFirst } from "./controls.ts";
import { expectedOf, secondsOf } from "./expected.ts";
import type { Record as Recorded } from "./record.ts";
import { sightsOf } from "./sights.ts";

/** Lines of one kind; a longer incident is told to be cut. */
const LINES_MAX = 400;

export const toRehearsalText = (recorded: Recorded): string => {
  const { recording, history, title } = recorded;
  const declaration = concerned(recorded);
  const { from, to } = recording;
  const toleranceMs = toleranceOf(declaration);
  const outcomes = sightsOf(declaration, recording);
  const operators = [
    ...standingAtFirst(recorded, declaration),
    ...controlsAtFirst(recorded.earlier, declaration),
    ...askedOf(history, from),
  ];
  const expected = expectedOf(history, { from, to, toleranceMs });
  const isCut = recording.isCut || [outcomes, operators, expected].some(({ length }) => length > LINES_MAX);
  // Nobody is told, and Regent's own metrics aren't measured.
  const { notify: _notify, alerts: _alerts, ...played } = declaration;
  const lines = (all: readonly object[]): string =>
    all
      .slice(0, LINES_MAX)
      .map((one) => `  - ${inline(one)}\n`)
      .join("");
  return [
    ...headOf(recorded, { toleranceMs, isCut }).map((line) => `# ${line}`.trimEnd()),
    "rehearsal: 1",
    `name: ${inline(title.slice(0, 200))}`,
    `for: ${secondsOf(to - from)}`,
    toYamlText({ declaration: played }).trimEnd(),
    ...(outcomes.length > 0 ? [`outcomes:\n${lines(outcomes)}`.trimEnd()] : []),
    ...(operators.length > 0 ? [`operators:\n${lines(operators)}`.trimEnd()] : []),
    ...(expected.length > 0 ? [`expect:\n${lines(expected)}`.trimEnd()] : []),
    "",
  ].join("\n");
};

const inline = (value: unknown): string => JSON.stringify(value);

/** Services that nothing happened to are left out: each would cost its probes. */
const concerned = ({ declaration, history, recording }: Recorded): Declaration => {
  const named = new Set([
    ...history.flatMap(({ service }) => (service === null ? [] : [service])),
    ...recording.turns.flatMap(({ target }) => target.split("/")[0] ?? []),
  ]);
  const services = declaration.services.filter(({ id }) => named.has(id));
  if (services.length === 0) return declaration;
  const isPlayed = (id: string): boolean => services.some((service) => service.id === id);
  const maintenance = (declaration.maintenance ?? []).flatMap((window) => {
    if (window.services === undefined) return [window];
    const own = window.services.filter(isPlayed);
    return own.length === 0 ? [] : [{ ...window, services: own }];
  });
  const { maintenance: _, ...rest } = declaration;
  return { ...rest, services, ...(maintenance.length > 0 ? { maintenance } : {}) };
};

/** An agent's probes fall elsewhere within their interval than they did, and reports take another time. */
export const toleranceOf = (declaration: Declaration): number =>
  Math.max(
    5_000,
    ...declaration.services.map((service) => {
      const { intervalMs, recheckMs, timeoutMs } = toServiceSettings(declaration, service);
      return intervalMs + 2 * Math.max(recheckMs, timeoutMs) + 2_000;
    }),
  );

/** A rehearsal begins with the traffic where the strategy wants it: where it stood elsewhere, it is led there first. */
const standingAtFirst = ({ earlier, id }: Recorded, { services }: Declaration): readonly object[] =>
  services.flatMap(({ id: service, strategy, endpoints }) => {
    const last = earlier.findLast((event) => event.service === service && event.change !== undefined);
    const [weights] = Object.values(last?.change?.weightsAfter ?? {});
    if (strategy.kind !== "active-passive" || weights === undefined) return [];
    const [all] = Object.entries(partsOf(weights)).filter(([, part]) => part === 1);
    const preferred = [...endpoints].sort((a, b) => (a.priority ?? 1_000) - (b.priority ?? 1_000))[0]?.region;
    if (all === undefined || all[0] === preferred) return [];
    return [
      {
        at: "0s",
        as: "recorded",
        do: "failover",
        service,
        to: all[0],
        reason: `where the traffic stood before ${id}`,
        breakGlass: ["A1", "A3", "A6"],
      },
    ];
  });

const headOf = (
  { id, recording, history }: Recorded,
  { toleranceMs, isCut }: { readonly toleranceMs: number; readonly isCut: boolean },
): readonly string[] => {
  const { from, to, configuration, appliedAt } = recording;
  const strange = [...new Set(history.map(({ kind }) => kind))].filter((kind) => UNTOLD.includes(kind));
  return [
    `Recorded: ${id}, ${timeText(from)} to ${timeText(to)}, with configuration version ${configuration?.version ?? "unknown"}.`,
    "",
    "What happened is in `expect`, each thing within " +
      `${toleranceMs / 1_000} s of its moment. What wasn't recorded, and is played as follows:`,
    "- results between two turns of a check up or down: it is taken to have gone on as it was last told, so failures that",
    "  brought nothing down are missing, and a turn began when the results that led to it must have begun",
    "- latencies, and what a database says of its role: every probe takes an ordinary time",
    "- when an agent fell silent, but to the minute; two agents of one vantage fall silent as one",
    "- freezes and drains that were much older than this: only the newer history was looked through",
    "- what operators asked for and didn't get, and services to which nothing happened",
    "- how long Route 53 took, and what it refused: every write stands at once",
    ...(appliedAt.length > 0
      ? [`- the configuration was changed meanwhile, at ${appliedAt.map(timeText).join(", ")}: this file keeps the first`]
      : []),
    ...(strange.length > 0 ? [`- events of these kinds are not repeated: ${strange.join(", ")}`] : []),
    ...(isCut ? ["- there was more than a file can hold: it is cut"] : []),
  ];
};

const UNTOLD: readonly HistoryEvent["kind"][] = [
  "override",
  "maintenance",
  "evacuation",
  "transfer",
  "drift",
  "fence-lost",
  "mode",
];

const timeText = (at: number): string => new Date(at).toISOString();
