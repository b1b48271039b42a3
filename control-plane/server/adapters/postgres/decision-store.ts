/** Decisions in Postgres: puts the port together from reading (decision-read, history-read) and the fenced transaction (decision-write). */
import type { Controls } from "@regent/engine";
import type { DecisionStore } from "../../ports/decision-store.ts";
import type { Database, Statements } from "./database.ts";
import { loadDecisions, readChange } from "./decision-read.ts";
import { writeCommit, writeFreeze } from "./decision-write.ts";
import { readHistory } from "./history-read.ts";
import { globalFreezes } from "./schema.ts";

export const createPostgresDecisionStore = ({ database }: { readonly database: Database }): DecisionStore => ({
  load: () => database.attempt((line) => loadDecisions(line)),
  commit: (commit) => database.transaction((send) => writeCommit(send, commit)),
  readHistory: (query) => database.attempt((line) => readHistory(line, query)),
  readChange: (id) => database.attempt((line) => readChange(line, id)),
  readFreeze: () => database.attempt((line) => readFreeze(line)),
  writeFreeze: (freeze) => database.transaction((send) => writeFreeze(send, freeze)),
});

const readFreeze = async (line: Statements): Promise<Controls["frozenGlobally"]> => {
  const { by, reason, at, cause } = globalFreezes;
  const [row] = await line.orm.select({ by, reason, at, cause }).from(globalFreezes);
  return row ?? null;
};
