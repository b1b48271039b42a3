/** `--record FILE`: one JSON line before each send and one after it, so that a night without a control plane leaves a trail of its own. */
import { appendFile } from "node:fs/promises";
import { hostname } from "node:os";
import { toBatchLines } from "@regent/engine/plan/batch.ts";
import type { OfflineWrite } from "./draft-write.ts";
import type { Sent } from "./send-write.ts";

export interface RecordFile {
  /** Why it couldn't be written; null when it was. Without a trail, nothing more is sent. */
  readonly intent: (write: OfflineWrite) => Promise<string | null>;
  /** The same, of what is sent by then: that the file is full doesn't change what became of it. */
  readonly outcome: (write: OfflineWrite, sent: Sent) => Promise<string | null>;
}

export const openRecordFile = (
  path: string | undefined,
  { by, reason, now }: { readonly by: string; readonly reason: string; readonly now: () => Date },
): RecordFile => {
  if (path === undefined) return { intent: async () => null, outcome: async () => null };
  const append = async (write: OfflineWrite, more: object): Promise<string | null> => {
    const { plan, epoch, wish } = write;
    const line = { at: now().toISOString(), by, host: hostname(), reason, service: plan.spec.id, wish, ...more, epoch };
    try {
      await appendFile(path, `${JSON.stringify(line)}\n`, { mode: 0o600 });
      return null;
    } catch (error) {
      return `${path} can't be written (${(error as NodeJS.ErrnoException).code ?? "unknown"})`;
    }
  };
  return {
    intent: (write) => append(write, { what: "intent", batch: toBatchLines(write.batch) }),
    outcome: (write, { kind, why }) => append(write, { what: kind, why }),
  };
};
