/** One authoritative name server: its own port and its own view of the zones, as far as changes have reached it. */
import type { HealthBoard } from "../route53/health-board.ts";
import { nameFromWire } from "../route53/names.ts";
import type { Store } from "../route53/store.ts";
import type { Viewer } from "./choose.ts";
import { type Door, openDoor, type Transport } from "./door.ts";
import { type Query, type Reply, readQuery, writeAnswer } from "./message.ts";
import { answerFromZone } from "./zone-answer.ts";

export interface NameServerDeps {
  readonly store: Pick<Store, "shownZone">;
  readonly health: Pick<HealthBoard, "isHealthy">;
  readonly random: () => number;
  readonly viewer: Viewer;
}

/** Builds what answers one message of server `index` (from 0); undefined where silence is right. */
export const createResponder =
  (deps: NameServerDeps, index: number) =>
  (message: Buffer, transport: Transport): Buffer | undefined => {
    const query = readQuery(message);
    if (query.kind === "drop") return undefined;
    if (query.kind === "refuse") return query.answer;
    return writeAnswer(query, answerQuery(deps, index, query), transport);
  };

const answerQuery = ({ store, health, random, viewer }: NameServerDeps, index: number, { question }: Query): Reply => {
  const zone = store.shownZone(nameFromWire(question.name), index);
  if (!zone || (question.class ?? "IN") !== "IN") return { rcode: "REFUSED" };
  if (question.type === "AXFR" || question.type === "IXFR") return { rcode: "REFUSED" };
  // RFC 8482: a question for everything gets one small answer.
  if ((question.type as string) === "ANY")
    return {
      rcode: "NOERROR",
      isAuthoritative: true,
      answers: [{ type: "HINFO", name: question.name, ttl: 60, data: { cpu: "RFC8482", os: "" } }],
    };
  return answerFromZone(zone, question.name, question.type, {
    records: zone.records,
    isHealthy: health.isHealthy,
    random,
    viewer,
  });
};

export const openNameServer = (deps: NameServerDeps, index: number, port: number): Promise<Door> =>
  openDoor(port, createResponder(deps, index));
