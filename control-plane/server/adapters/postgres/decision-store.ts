/** Decisions in Postgres: puts the port together from reading (decision-read, history-read) and the fenced transaction (decision-write). */
import type { Controls } from "@regent/engine";
import type { DecisionStore } from "../../ports/decision-store.ts";
import type { Database } from "./database.ts";
import { loadDecisions, readChange } from "./decision-read.ts";
import { writeCommit, writeFreeze } from "./decision-write.ts";
import { readHistory } from "./history-read.ts";
import { globalFreezes } from "./schema.ts";

export const createPostgresDecisionStore = ({ database }: { readonly database: Database }): DecisionStore => ({
  load: () => database.attempt(() => loadDecisions(database)),
  commit: (commit) => database.transaction((sql) => writeCommit(sql, commit)),
  readHistory: (query) => database.attempt(() => readHistory(database, query)),
  readChange: (id) => database.attempt(() => readChange(database, id)),
  readFreeze: () => database.attempt(() => readFreeze(database)),
  writeFreeze: (freeze) => database.transaction((sql) => writeFreeze(sql, freeze)),
});

const readFreeze = async (database: Database): Promise<Controls["frozenGlobally"]> => {
  const { by, reason, at } = globalFreezes;
  const [row] = await database.orm().select({ by, reason, at }).from(globalFreezes);
  return row ?? null;
};
