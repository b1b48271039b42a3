/** rehearse --from-history: what the control plane kept of an incident, or of a change, as a rehearsal. Reads only. Loaded only when asked for. */
import type { Declaration, HistoryEvent, Incident } from "@regent/contract";
import { parseDeclaration } from "@regent/server/configuration/parse-declaration.ts";
import type { Client } from "@regent/server/http/client.ts";
import { RECORDING_MS_MAX } from "@regent/server/limits.ts";
import { LEAD_MS, TAIL_MS } from "@regent/simulation/recorded/record.ts";
import { toRehearsalText } from "@regent/simulation/recorded/to-rehearsal.ts";
import { type Context, need } from "../context.ts";
import { CommandFailure, EXIT } from "../exit-codes.ts";
import { HISTORY_LIMIT_MAX } from "../limits.ts";

/** Of history, and of incidents; older things are not looked for. */
const PAGES_MAX = 50;
const INCIDENTS_PAGE = 200;

interface Found {
  readonly title: string;
  readonly from: number;
  readonly to: number;
}

export const readRecorded = async ({ connect, paint }: Pick<Context, "connect" | "paint">, id: string): Promise<string> => {
  const client = await connect();
  const { title, from, to } = await find(client, paint, id);
  const recording = need(await client.recording(from, to), paint);
  if (recording.configuration === null)
    throw new CommandFailure(
      EXIT.notFound,
      `No configuration was in force at ${new Date(from).toISOString()}: nothing can be rehearsed.`,
    );
  const declaration = read(recording.configuration.text, recording.configuration.version);
  const { history, earlier } = await readHistory(client, paint, { from, to, services: declaration.services.length });
  return toRehearsalText({ id, title, declaration, recording, history, earlier });
};

const find = async (client: Client, paint: Context["paint"], id: string): Promise<Found> => {
  const change = await client.change(id);
  if (change.kind === "ok") {
    const { times, service, kind } = change.value;
    const end = times.visible ?? times.inSync ?? times.accepted ?? times.decided;
    return around(`${kind} of ${service}, as it was recorded`, times.detected ?? times.decided, end);
  }
  // Anything but "there is no such change" is the server's to tell.
  if (change.kind !== "problem" || (change.problem.status !== 404 && change.problem.status !== 400)) need(change, paint);
  const incident = await findIncident(client, paint, id);
  if (incident === null) throw new CommandFailure(EXIT.notFound, `There is no incident and no change ${id}.`);
  return around(`${incident.title}, as it was recorded`, incident.openedAt, incident.closedAt ?? incident.updatedAt);
};

/** The first of it is kept where it lasted longer than what is told at once. */
const around = (title: string, start: number, end: number): Found => {
  const from = start - LEAD_MS;
  return { title, from, to: Math.min(end + TAIL_MS, from + RECORDING_MS_MAX) };
};

const findIncident = async (client: Client, paint: Context["paint"], id: string): Promise<Incident | null> => {
  let cursor: string | null | undefined;
  for (let pages = 0; pages < PAGES_MAX && cursor !== null; pages += 1) {
    const page = need(await client.incidents({ limit: INCIDENTS_PAGE, ...(cursor === undefined ? {} : { cursor }) }), paint);
    const found = page.incidents.find((one) => one.id === id);
    if (found !== undefined) return found;
    cursor = page.next;
  }
  return null;
};

const read = (text: string, version: number): Declaration => {
  const parsed = parseDeclaration(text, `version ${version}`);
  if (parsed.kind === "valid") return parsed.declaration;
  throw new CommandFailure(
    EXIT.refused,
    `Configuration version ${version}, in force then, can't be read by this version of Regent.`,
  );
};

interface Span {
  readonly from: number;
  readonly to: number;
  /** So many may have a change before it. */
  readonly services: number;
}

/** What happened, and what is known of before as far as to the newest change of each service; both oldest first. Pages come newest first. */
const readHistory = async (client: Client, paint: Context["paint"], { from, to, services }: Span) => {
  const history: HistoryEvent[] = [];
  const earlier: HistoryEvent[] = [];
  const placed = new Set<string>();
  let cursor: string | undefined;
  for (let pages = 0; pages < PAGES_MAX; pages += 1) {
    const page = need(await client.history({ limit: HISTORY_LIMIT_MAX, ...(cursor === undefined ? {} : { cursor }) }), paint);
    for (const event of page.events) {
      if (event.at >= from && event.at <= to) history.unshift(event);
      if (event.at >= from) continue;
      earlier.unshift(event);
      if (event.change !== undefined && event.service !== null) placed.add(event.service);
    }
    if (page.next === null || placed.size >= services) break;
    cursor = page.next;
  }
  return { history, earlier };
};
