/** Configuration versions in Postgres: appended, never rewritten. Two appliers of one base version meet at the primary key. */

import type { Declaration } from "@regent/contract";
import { desc, eq, isNull, lt } from "drizzle-orm";
import type { Ids } from "../../ports/clock.ts";
import {
  type AppliedConfiguration,
  appliedWhy,
  type ConfigurationStore,
  type ConfigurationVersion,
  type SigningKey,
} from "../../ports/configuration-store.ts";
import { type Database, Rollback, type Send, type Statements } from "./database.ts";
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
  const read = (version?: number) => database.attempt((line) => readVersion(line, version));
  return {
    read,
    list: (query) => database.attempt((line) => list(line, query)),
    apply: (input) => database.transaction((send) => apply(send, input, ids.ulid())),
    // After a reconnection the version isn't known, so it is read.
    onApplied: (callback) =>
      listener.listen(CONFIGURATION_CHANNEL, (payload) => {
        if (payload !== "") return callback(Number(payload));
        void read().then(
          (newest) => newest !== null && callback(newest.version),
          () => undefined,
        );
      }),
    readSigningKey: () => database.attempt((line) => readSigningKey(line)),
    keepSigningKey: (key) => database.attempt((line) => keepSigningKey(line, key)),
  };
};

const readVersion = async (line: Statements, version: number | undefined): Promise<AppliedConfiguration | null> => {
  const [row] = await line.orm
    .select()
    .from(configurations)
    .where(version === undefined ? undefined : eq(configurations.version, version))
    .orderBy(desc(configurations.version))
    .limit(1);
  if (row === undefined) return null;
  return { ...row, declaration: row.declaration as Declaration, lines: row.lines as readonly string[] };
};

const list = async (
  line: Statements,
  { limit, before }: { readonly limit: number; readonly before?: number },
): Promise<readonly ConfigurationVersion[]> => {
  const { version, author, at, lines } = configurations;
  const rows = await line.orm
    .select({ version, author, at, lines })
    .from(configurations)
    .where(before === undefined ? undefined : lt(version, before))
    .orderBy(desc(version))
    .limit(limit);
  return rows.map((row) => ({ ...row, lines: row.lines as readonly string[] }));
};

const apply = async (send: Send, input: ApplyInput, entryId: string): Promise<ApplyResult> => {
  const version = input.baseVersion + 1;
  const [applied] = await send<{ at: number }[]>`
    insert into regent.configuration (version, declaration, text, author, at, lines)
    select ${version}::bigint, ${toJsonText(input.declaration)}::text::jsonb, ${toPlainText(input.text)},
      ${toPlainText(input.author)}, regent.now_ms(), ${toJsonText(input.lines)}::text::jsonb
    where (select coalesce(max(version), 0) from regent.configuration) = ${input.baseVersion}::bigint
    on conflict (version) do nothing
    returning at`;
  if (applied === undefined) {
    const [newest] = await send<{ version: number }[]>`select coalesce(max(version), 0) as version from regent.configuration`;
    throw new Rollback<ApplyResult>({ kind: "stale", version: newest?.version ?? 0 });
  }
  await appendHistory(send, [
    {
      id: entryId,
      at: applied.at,
      service: null,
      kind: "configuration",
      actor: { kind: "operator", name: input.author },
      why: appliedWhy(input.author, version, input.reason),
      page: false,
      detail: { version, lines: input.lines },
    },
  ]);
  await send`select pg_notify(${CONFIGURATION_CHANNEL}, ${String(version)})`;
  return { kind: "applied", version };
};

const readSigningKey = async (line: Statements): Promise<SigningKey | null> => {
  const { keyId, sealed, publicKey } = signingKeys;
  const [row] = await line.orm.select({ keyId, sealed, publicKey }).from(signingKeys).where(isNull(signingKeys.retiredAt));
  return row ?? null;
};

const keepSigningKey = async (line: Statements, key: SigningKey): Promise<SigningKey> => {
  await line.sql`
    insert into regent.signing_key (key_id, sealed, public_key, created_at)
    values (${key.keyId}, ${key.sealed}, ${key.publicKey}, regent.now_ms())
    on conflict do nothing`;
  const kept = await readSigningKey(line);
  if (kept === null) throw new Error("No signing key is in force, although one was just kept.");
  return kept;
};
