/** Every version that the sandbox's zone ever had, read from its journal as it grows: what samples could miss stands there. */
import { open } from "node:fs/promises";
import type { Epoch } from "@regent/engine";
import { parseEpoch } from "@regent/engine/plan/epoch.ts";
import type { Entry } from "@regent/sandbox/route53/journal.ts";

/** One accepted batch as it left one service, or what a stranded one left when it was taken back. */
export interface Version {
  readonly service: string;
  readonly at: number;
  /** Of the batch. A batch of several services is one call. */
  readonly changeInfoId: string;
  readonly isTakenBack: boolean;
  /** Null: the epoch record is not there, or nobody can read it. */
  readonly epoch: Epoch | null;
  /** By region. */
  readonly weights: Readonly<Record<string, number>>;
}

export interface ZoneJournal {
  /** Takes up what was written since, and answers all so far, oldest first. */
  readonly read: () => Promise<readonly Version[]>;
}

export const openZoneJournal = (path: string, zone: string): ZoneJournal => {
  const versions: Version[] = [];
  let offset = 0;
  let rest = "";
  const read = async (): Promise<readonly Version[]> => {
    const file = await open(path, "r");
    try {
      const { size } = await file.stat();
      const bytes = Buffer.alloc(Math.max(0, size - offset));
      const { bytesRead } = await file.read(bytes, 0, bytes.length, offset);
      offset += bytesRead;
      const lines = (rest + bytes.toString("utf8", 0, bytesRead)).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) versions.push(...toVersions(JSON.parse(line) as Entry, zone));
      return versions;
    } finally {
      await file.close();
    }
  };
  // One after the other: two at once would take up the same lines twice.
  let turn: Promise<unknown> = Promise.resolve();
  return {
    read: () => {
      const next = turn.then(read);
      turn = next.catch(() => undefined);
      return next;
    },
  };
};

const toVersions = (entry: Entry, zone: string): Version[] => {
  if (entry.kind !== "change") return [];
  const names = new Map(entry.names);
  const services = new Set(entry.names.map(([name]) => name.replace(/^_regent\./, "").replace(`.${zone}.`, "")));
  return [...services].map((service) => {
    const text = names.get(`_regent.${service}.${zone}.`)?.find(({ type }) => type === "TXT")?.values ?? [];
    const sets = names.get(`${service}.${zone}.`) ?? [];
    return {
      service,
      at: entry.change.submittedAt,
      changeInfoId: entry.change.id,
      // Regent's batches say whose they are; what the sandbox takes back has no comment.
      isTakenBack: entry.change.comment === undefined,
      epoch: text.length === 1 ? parseEpoch((text[0] ?? "").replaceAll('"', "")) : null,
      weights: Object.fromEntries(sets.map(({ setIdentifier, weight }) => [setIdentifier ?? "", weight ?? 0])),
    };
  });
};
