/** Configuration versions in Postgres: appended, never rewritten. Two appliers of one base version meet at the primary key. */

import type { Declaration } from "@regent/contract";
import { desc, isNull } from "drizzle-orm";
import type { Ids } from "../../ports/clock.ts";
import type { AppliedConfiguration, ConfigurationStore, SigningKey } from "../../ports/configuration-store.ts";
import { type Database, Rollback, type Transaction } from "./database.ts";
import { appendHistory } from "./history-write.ts";
import { toJsonText, toPlainText } from "./json.ts";
import { CONFIGURATION_CHANNEL, type Listener } from "./listener.ts";
import { configurations, signingKeys } from "./schema.ts";

type ApplyInput = Parameters<ConfigurationStore["apply"]>[0];
type ApplyResult = Awaited<ReturnType<ConfigurationStore["apply"]>>;

export const createPostgresConfigurationStore = ({
  database,
  listener,
  ids,
}: {
  readonly database: Database;
  readonly listener: Listener;
  readonly ids: Ids;
}): ConfigurationStore => {
  const read = () => database.attempt(() => readNewest(database));
  return {
    read,
    apply: (input) => database.transaction((sql) => apply(sql, input, ids.ulid())),
    // After a reconnection the version isn't known, so it is read.
    onApplied: (callback) =>
      listener.listen(CONFIGURATION_CHANNEL, (payload) => {
        if (payload !== "") return callback(Number(payload));
        void read().then(
          (newest) => newest !== null && callback(newest.version),
          () => undefined,
        );
      }),
    readSigningKey: () => database.attempt(() => readSigningKey(database)),
    keepSigningKey: (key) => database.attempt(() => keepSigningKey(database, key)),
  };
};

const readNewest = async (database: Database): Promise<AppliedConfiguration | null> => {
  const [row] = await database.orm().select().from(configurations).orderBy(desc(configurations.version)).limit(1);
  if (row === undefined) return null;
  return { ...row, declaration: row.declaration as Declaration, lines: row.lines as readonly string[] };
};

const apply = async (sql: Transaction, input: ApplyInput, entryId: string): Promise<ApplyResult> => {
  const version = input.baseVersion + 1;
  const [applied] = await sql<{ at: number }[]>`
    insert into regent.configuration (version, declaration, text, author, at, lines)
    select ${version}::bigint, ${toJsonText(input.declaration)}::text::jsonb, ${toPlainText(input.text)},
      ${toPlainText(input.author)}, regent.now_ms(), ${toJsonText(input.lines)}::text::jsonb
    where (select coalesce(max(version), 0) from regent.configuration) = ${input.baseVersion}::bigint
    on conflict (version) do nothing
    returning at`;
  if (applied === undefined) {
    const [newest] = await sql<{ version: number }[]>`select coalesce(max(version), 0) as version from regent.configuration`;
    throw new Rollback<ApplyResult>({ kind: "stale", version: newest?.version ?? 0 });
  }
  await appendHistory(sql, [
    {
      id: entryId,
      at: applied.at,
      service: null,
      kind: "configuration",
      actor: { kind: "operator", name: input.author },
      why: `${input.author} applied configuration version ${version}.`,
      page: false,
      detail: { version, lines: input.lines },
    },
  ]);
  await sql`select pg_notify(${CONFIGURATION_CHANNEL}, ${String(version)})`;
  return { kind: "applied", version };
};

const readSigningKey = async (database: Database): Promise<SigningKey | null> => {
  const { keyId, sealed, publicKey } = signingKeys;
  const [row] = await database.orm().select({ keyId, sealed, publicKey }).from(signingKeys).where(isNull(signingKeys.retiredAt));
  return row ?? null;
};

const keepSigningKey = async (database: Database, key: SigningKey): Promise<SigningKey> => {
  await database.sql()`
    insert into regent.signing_key (key_id, sealed, public_key, created_at)
    values (${key.keyId}, ${key.sealed}, ${key.publicKey}, regent.now_ms())
    on conflict do nothing`;
  const kept = await readSigningKey(database);
  if (kept === null) throw new Error("No signing key is in force, although one was just kept.");
  return kept;
};
