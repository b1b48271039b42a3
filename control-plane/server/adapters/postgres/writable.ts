/** A standby and a read-only database answer every question and keep nothing: to us they are away. */
import type { Database } from "./database.ts";
import { DatabaseAway } from "./errors.ts";

const READ_ONLY = "25006";

/** Milliseconds that asking takes, waiting for a connection included. Throws DatabaseAway when nothing can be written. */
export const needWritable = async (database: Database): Promise<number> => {
  const begunAt = performance.now();
  const [answer] = await database.urgent(
    (send) => send<{ isReadOnly: boolean }[]>`select current_setting('transaction_read_only') = 'on' as "isReadOnly"`,
  );
  if (answer?.isReadOnly) throw new DatabaseAway(READ_ONLY, new Error("the database is read-only"));
  return performance.now() - begunAt;
};
