/** `--record FILE`: one JSON line before each send and one after it, so that a night without a control plane leaves a trail of its own. */
import { appendFile } from "node:fs/promises";
import { hostname } from "node:os";
import { toBatchLines } from "@regent/engine/plan/batch.ts";
import { CommandFailure, EXIT } from "../exit-codes.ts";
import type { OfflineWrite } from "./draft-write.ts";
import type { Sent } from "./send-write.ts";

export interface RecordFile {
  /** Throws when it can't be written: then nothing is sent. */
  readonly intent: (write: OfflineWrite) => Promise<void>;
  readonly outcome: (write: OfflineWrite, sent: Sent) => Promise<void>;
}

export const openRecordFile = (
  path: string | undefined,
  { by, reason, now }: { readonly by: string; readonly reason: string; readonly now: () => Date },
): RecordFile => {
  if (path === undefined) return { intent: async () => undefined, outcome: async () => undefined };
  const append = (write: OfflineWrite, more: object): Promise<void> => {
    const { plan, epoch, wish } = write;
    const line = { at: now().toISOString(), by, host: hostname(), reason, service: plan.spec.id, wish, ...more, epoch };
    return appendFile(path, `${JSON.stringify(line)}\n`, { mode: 0o600 });
  };
  return {
    intent: (write) =>
      append(write, { what: "intent", batch: toBatchLines(write.batch) }).catch((error: NodeJS.ErrnoException) => {
        throw new CommandFailure(EXIT.usage, `${path} can't be written (${error.code ?? "unknown"}); nothing was sent.`);
      }),
    // It is sent by now: that the file is full doesn't change what became of it.
    outcome: (write, { kind, why }) => append(write, { what: kind, why }).catch(() => undefined),
  };
};
