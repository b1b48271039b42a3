/** Configuration versions in Postgres: appended, never rewritten. Two appliers of one base version meet at the primary key. */

import type { Declaration } from "@regent/contract";
import { desc, isNull } from "drizzle-orm";
import type { Ids } from "../../ports/clock.ts";
import type { AppliedConfiguration, ConfigurationStore, SigningKey } from "../../ports/configuration-store.ts";
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
  const read = () => database.attempt((line) => readNewest(line));
  return {
    read,
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

const readNewest = async (line: Statements): Promise<AppliedConfiguration | null> => {
  const [row] = await line.orm.select().from(configurations).orderBy(desc(configurations.version)).limit(1);
  if (row === undefined) return null;
  return { ...row, declaration: row.declaration as Declaration, lines: row.lines as readonly string[] };
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
      why: `${input.author} applied configuration version ${version}.`,
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
