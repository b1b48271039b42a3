/** Asks the same thing many times and counts: weighted answers are seen only in numbers. */
import { DNS_PARALLEL } from "../limits.ts";
import { type Asked, ask, type QuestionType } from "./ask.ts";

export interface Sample {
  /** Answers by their values, joined by a comma; `NXDOMAIN` and the like for others. */
  readonly counts: Readonly<Record<string, number>>;
  readonly answered: number;
  readonly silent: number;
}

/** `count` questions, dealt out over the servers in turn. */
export const sample = async (
  servers: readonly string[],
  { name, type, count }: { readonly name: string; readonly type: QuestionType; readonly count: number },
): Promise<Sample> => {
  const counts: Record<string, number> = {};
  let silent = 0;
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const server = servers[next++ % servers.length];
      if (server === undefined) return;
      const key = keyOf(await ask(server, name, type));
      if (key === null) silent += 1;
      else counts[key] = (counts[key] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: Math.min(DNS_PARALLEL, count) }, worker));
  return { counts, answered: count - silent, silent };
};

const keyOf = (asked: Asked): string | null => {
  if (asked.kind === "silent") return null;
  if (asked.values.length > 0) return asked.values.join(", ");
  return asked.code === "NOERROR" ? "no record" : asked.code;
};
