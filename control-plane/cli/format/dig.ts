/** What `regent dig` shows. Pure. */
import type { Epoch } from "@regent/engine";
import type { Asked } from "../dns/ask.ts";
import type { Sample } from "../dns/sample.ts";
import { percentText } from "./numbers.ts";
import type { Paint } from "./paint.ts";
import { padTo, toBar, toTable } from "./table.ts";

export interface DigReport {
  readonly name: string;
  readonly type: string;
  readonly epochName: string;
  readonly servers: readonly {
    /** `ip:port` */
    readonly server: string;
    readonly role: "authoritative" | "resolver";
    readonly answer: Asked;
    readonly epochText: string | null;
    /** null where there is none, or none that we can read. */
    readonly epoch: Epoch | null;
  }[];
  readonly counted: Sample;
}

export const toDig = (report: DigReport, paint: Paint): string[] => [
  `${paint.bold(report.name)}  ${report.type}`,
  ...toTable(
    report.servers.map(({ server, role, answer, epoch, epochText }) => [
      `  ${server}`,
      role,
      answerText(answer, paint),
      epochShort(epoch, epochText, paint),
    ]),
  ),
  ...toEpoch(report, paint),
  "",
  `${report.counted.answered} answers of the authoritative servers counted${report.counted.silent === 0 ? "" : paint.warn(`, ! ${report.counted.silent} unanswered`)}`,
  ...toCounts(report.counted).map((line) => `  ${line}`),
];

const answerText = (asked: Asked, paint: Paint): string => {
  if (asked.kind === "silent") return paint.bad(`✖ ${asked.why}`);
  if (asked.values.length === 0) return paint.warn(asked.code === "NOERROR" ? "! no record" : `! ${asked.code}`);
  return `${asked.values.join(", ")}  ttl ${asked.ttl ?? "?"}`;
};

const epochShort = (epoch: Epoch | null, text: string | null, paint: Paint): string => {
  if (epoch !== null) return `revision ${epoch.revision}, term ${epoch.term}`;
  return text === null ? paint.dim("no epoch record") : paint.warn(`! foreign epoch record: ${text}`);
};

const toEpoch = ({ servers, epochName }: DigReport, paint: Paint): string[] => {
  const epochs = servers.filter(({ role }) => role === "authoritative").flatMap(({ epoch }) => (epoch === null ? [] : [epoch]));
  const newest = epochs.sort((a, b) => b.revision - a.revision)[0];
  if (newest === undefined) return [`  ${epochName}  ${paint.warn("! nobody answers an epoch record")}`];
  const behind = epochs.filter(({ ulid }) => ulid !== newest.ulid).length;
  const { owner, term, revision, ulid, mode, digest } = newest;
  return [
    `  ${epochName}  owner ${owner}, term ${term}, revision ${revision}, ${mode === "frozen" ? paint.warn("! frozen") : mode}, written as ${ulid}, digest ${digest}`,
    ...(behind === 0 ? [] : [paint.warn(`  ! ${behind} of ${epochs.length} servers answer an older one`)]),
  ];
};

/** Most first; the bar is the part of all answers. */
export const toCounts = ({ counts, answered }: Sample): string[] => {
  const sorted = Object.entries(counts).sort(([a, n], [b, m]) => m - n || a.localeCompare(b));
  const width = Math.max(0, ...sorted.map(([values]) => values.length));
  return sorted.map(([values, count]) => {
    const part = answered === 0 ? 0 : count / answered;
    return `${padTo(values, width)}  ${toBar(part)} ${percentText(part)} (${count})`;
  });
};
