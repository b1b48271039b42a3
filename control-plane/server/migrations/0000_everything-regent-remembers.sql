-- 0000: everything Regent remembers, from the first day.
--
-- Why one schema of our own: the database may be shared, and a backup or a golden comparison can then name everything that is ours.
-- Why bigint for times: every instant is database time in whole milliseconds since 1970, as the engine reads it, so that a value that
-- went in comes out equal. Columns named *_at, since and minute hold such instants.
-- Why so many checks: what the engine promises, the database also constrains. A broken promise then stops at the door.

create schema if not exists regent;

create function regent.now_ms() returns bigint
  language sql volatile parallel safe
  return floor(extract(epoch from clock_timestamp()) * 1000)::bigint;

-- Weights of all families: integers 0..255, and no family without a positive one: an empty answer can't be written down.
create function regent.answers_somewhere(weights jsonb) returns boolean
  language sql immutable parallel safe
  return jsonb_typeof(weights) = 'object'
    and not exists (
      select 1 from jsonb_each(weights) as family(id, regions)
      where jsonb_typeof(regions) <> 'object'
        or coalesce((select max(value::numeric) from jsonb_each_text(case jsonb_typeof(regions) when 'object' then regions else '{}' end)), 0) <= 0
        or exists (
          select 1 from jsonb_each_text(case jsonb_typeof(regions) when 'object' then regions else '{}' end)
          where value::numeric not between 0 and 255 or value::numeric <> trunc(value::numeric)
        )
    );

create function regent.refuse_rewrite() returns trigger language plpgsql as $$
begin
  raise exception 'regent.% is append-only: % is refused', tg_table_name, lower(tg_op) using errcode = 'restrict_violation';
end $$;

-- ------------------------------------------------------------------------------------------------ evidence

-- Rewritten by every taken report. Half-filled pages and no index but the key keep that a heap-only update.
create table regent.agent (
  agent text primary key,
  boot bigint not null check (boot >= 0),
  sequence bigint not null check (sequence >= 0),
  taken bigint not null check (taken >= 0),
  heard_at bigint,
  skew_ms double precision,
  self_healthy boolean not null,
  mode text not null check (mode in ('normal', 'degraded', 'emergency', 'offline')),
  build text not null,
  configuration_version bigint not null check (configuration_version >= 0),
  version bigint not null check (version >= 0),
  live json not null,
  -- Grows with every write of this agent: a writer that read an older one starts again.
  guard bigint not null check (guard > 0)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
comment on column regent.agent.taken is 'bit i: report sequence - 1 - i of this boot was taken, i in 0..62';

create table regent.agent_check (
  agent text not null references regent.agent,
  target text not null,
  state text not null check (state in ('unknown', 'up', 'down')),
  failures integer not null check (failures >= 0),
  passes integer not null check (passes >= 0),
  since bigint not null,
  failing_since bigint,
  at bigint not null,
  outcome text not null check (outcome in ('ok', 'degraded', 'fail', 'unknown')),
  reason text,
  latency_ms double precision not null check (latency_ms >= 0),
  facts json,
  primary key (agent, target)
) with (fillfactor = 70);

create table regent.transition (
  id bigint generated always as identity primary key,
  agent text not null,
  target text not null,
  at bigint not null,
  from_state text not null check (from_state in ('unknown', 'up', 'down')),
  to_state text not null check (to_state in ('unknown', 'up', 'down')),
  outcome text not null check (outcome in ('ok', 'degraded', 'fail', 'unknown')),
  reason text,
  is_backfill boolean not null
);
create index transition_at on regent.transition (at);
create index transition_target_at on regent.transition (target, at);

-- Read by target and time, so the key starts with the target; pruned by time, for which a block range index is enough.
create table regent.minute_aggregate (
  target text not null,
  minute bigint not null check (minute % 60000 = 0),
  agent text not null,
  count integer not null check (count >= 0),
  failures integer not null check (failures between 0 and count),
  latency_sum_ms double precision not null check (latency_sum_ms >= 0),
  latency_max_ms double precision not null check (latency_max_ms >= 0),
  primary key (target, minute, agent)
);
create index minute_aggregate_minute on regent.minute_aggregate using brin (minute);

-- ------------------------------------------------------------------------------------------------ decisions

create table regent.service (
  service text primary key,
  version bigint not null check (version > 0),
  revision bigint not null check (revision >= 0),
  -- Hysteresis: everything of the engine's traffic memory except the shares, which are rows.
  traffic jsonb not null check (jsonb_typeof(traffic) = 'object'),
  controls jsonb not null check (jsonb_typeof(controls) = 'object'),
  is_written boolean not null,
  expected jsonb check (jsonb_typeof(expected) = 'array'),
  epoch text check (length(epoch) = 26),
  blocked_by text,
  drift text,
  seen jsonb check (jsonb_typeof(seen) = 'object'),
  last_refusal text
);

create table regent.verdict (
  service text not null references regent.service,
  region text not null,
  verdict text not null check (verdict in ('healthy', 'degraded', 'unhealthy', 'recovering', 'unknown', 'maintenance')),
  since bigint not null,
  why text not null,
  evidence text not null check (evidence in ('good', 'soft', 'bad', 'unknown')),
  evidence_since bigint not null,
  before text check (before in ('healthy', 'degraded', 'unhealthy', 'recovering', 'unknown', 'maintenance')),
  detected_at bigint,
  penalty double precision not null check (penalty >= 0),
  penalty_at bigint not null,
  is_suppressed boolean not null,
  factor double precision not null check (factor between 0 and 1),
  primary key (service, region)
);

-- By (family, region): the share that is wanted, the weight that we wrote, the share that DNS gives.
create table regent.share (
  service text not null references regent.service,
  family text not null,
  region text not null,
  wanted double precision check (wanted between 0 and 1),
  written smallint check (written between 0 and 255),
  seen double precision check (seen between 0 and 1),
  primary key (service, family, region)
);

create table regent.change (
  id text primary key check (length(id) = 26),
  service text not null,
  revision bigint not null check (revision > 0),
  kind text not null
    check (kind in
      ('create', 'failover', 'failback', 'return', 'rebalance', 'configure', 'drain', 'undrain', 'freeze', 'unfreeze')),
  stage text not null
    check (stage in ('decided', 'sent', 'accepted', 'in-sync', 'visible', 'unknown', 'lost', 'refused', 'abandoned')),
  actor_kind text not null check (actor_kind in ('automation', 'operator')),
  actor_name text not null,
  reason text,
  why text not null,
  shares_before jsonb not null check (jsonb_typeof(shares_before) = 'object'),
  shares_after jsonb not null check (jsonb_typeof(shares_after) = 'object'),
  weights_before jsonb not null check (jsonb_typeof(weights_before) = 'object'),
  weights_after jsonb not null check (regent.answers_somewhere(weights_after)),
  rules jsonb not null check (jsonb_typeof(rules) = 'array'),
  evidence jsonb not null check (jsonb_typeof(evidence) = 'array'),
  times jsonb not null check (times ? 'decided'),
  unique (service, revision)
);
comment on column regent.change.stage is 'as decided; the present one is the last row of change_stage';
comment on column regent.change.times is 'clocks known at the decision; the others are in change_stage';

-- Nulls are not distinct, so a stage without a clock is told once as well.
create table regent.change_stage (
  position bigint generated always as identity primary key,
  change_id text not null references regent.change,
  stage text not null
    check (stage in ('decided', 'sent', 'accepted', 'in-sync', 'visible', 'unknown', 'lost', 'refused', 'abandoned')),
  at bigint not null,
  clock text check (clock in ('detected', 'decided', 'sent', 'accepted', 'inSync', 'visible', 'resolved')),
  why text,
  constraint change_stage_once unique nulls not distinct (change_id, stage, clock)
);

create table regent.outbox (
  ulid text primary key check (length(ulid) = 26),
  service text not null,
  revision bigint not null check (revision > 0),
  term bigint not null check (term > 0),
  expects text check (length(expects) = 26),
  state text not null check (state in ('intent', 'sent', 'unknown', 'accepted', 'lost', 'refused', 'abandoned')),
  change_id text not null references regent.change,
  zone_id text not null,
  deletes jsonb not null check (jsonb_typeof(deletes) = 'array'),
  creates jsonb not null check (jsonb_typeof(creates) = 'array'),
  weights jsonb not null check (regent.answers_somewhere(weights)),
  created_at bigint not null,
  sent_at bigint,
  change_info_id text,
  unique (service, revision)
);
create index outbox_created_at on regent.outbox (created_at);
create index outbox_unsettled on regent.outbox (service) where state in ('intent', 'sent', 'unknown');

-- What a write-ahead row says it will write is what recovery recognises in DNS: only its fate may change.
create function regent.keep_outbox_row() returns trigger language plpgsql as $$
begin
  if (new.ulid, new.service, new.revision, new.term, new.expects, new.change_id, new.zone_id, new.created_at)
       is distinct from (old.ulid, old.service, old.revision, old.term, old.expects, old.change_id, old.zone_id, old.created_at)
    or new.deletes <> old.deletes or new.creates <> old.creates or new.weights <> old.weights then
    raise exception 'regent.outbox: only state, sent_at and change_info_id may change' using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
create trigger outbox_keeps before update on regent.outbox for each row execute function regent.keep_outbox_row();
create trigger outbox_stays before delete or truncate on regent.outbox for each statement execute function regent.refuse_rewrite();

-- The row of a scope is locked by the transaction that takes numbers from it, so history has no gap and no order but that of commits.
create table regent.history_counter (
  scope text primary key,
  last bigint not null check (last > 0)
);
comment on column regent.history_counter.scope is 'service id; empty for global entries';

create table regent.history (
  position bigint generated always as identity primary key,
  id text not null unique check (length(id) = 26),
  service text,
  sequence bigint not null check (sequence > 0),
  at bigint not null,
  kind text not null
    check (kind in ('change', 'verdict', 'refused', 'fail-static', 'freeze', 'unfreeze', 'drift', 'fence-lost', 'configuration', 'control')),
  actor_kind text not null check (actor_kind in ('automation', 'operator')),
  actor_name text not null,
  why text not null,
  page boolean not null,
  change_id text references regent.change,
  detail jsonb not null check (jsonb_typeof(detail) = 'object'),
  constraint history_sequence unique nulls not distinct (service, sequence),
  constraint history_change_is_named check (kind <> 'change' or change_id is not null)
);
create unique index history_change_once on regent.history (change_id) where kind = 'change';
create index history_service_position on regent.history (service, position);
create index history_kind_position on regent.history (kind, position);

create trigger history_stays before update or delete or truncate on regent.history
  for each statement execute function regent.refuse_rewrite();
create trigger change_stays before update or delete or truncate on regent.change
  for each statement execute function regent.refuse_rewrite();
create trigger change_stage_stays before update or delete or truncate on regent.change_stage
  for each statement execute function regent.refuse_rewrite();

-- One row: the right to lead. It is never deleted, so the term can only grow.
create table regent.lease (
  name text primary key check (name = 'leader'),
  holder text not null,
  term bigint not null check (term > 0),
  expires_at bigint not null
);

create table regent.global_freeze (
  is_only boolean primary key default true check (is_only),
  by text not null,
  reason text not null,
  at bigint not null
);

-- ------------------------------------------------------------------------------------------------ configuration and access

create table regent.configuration (
  version bigint primary key check (version > 0),
  declaration jsonb not null check (jsonb_typeof(declaration) = 'object'),
  text text not null,
  author text not null,
  at bigint not null,
  lines jsonb not null check (jsonb_typeof(lines) = 'array')
);
create trigger configuration_stays before update or delete or truncate on regent.configuration
  for each statement execute function regent.refuse_rewrite();

create table regent.signing_key (
  key_id text primary key,
  sealed text not null,
  public_key text not null,
  created_at bigint not null,
  retired_at bigint
);
create unique index signing_key_in_force on regent.signing_key ((retired_at is null)) where retired_at is null;

create table regent.credential (
  hash text primary key check (hash ~ '^[0-9a-f]{64}$'),
  kind text not null check (kind in ('token', 'session', 'code')),
  name text not null,
  role text not null check (role in ('viewer', 'operator', 'approver', 'admin')),
  scope jsonb check (jsonb_typeof(scope) = 'array'),
  expires_at bigint
);
create index credential_expires_at on regent.credential (expires_at) where expires_at is not null;

create table regent.idempotency (
  key text primary key,
  digest text not null,
  begun_at bigint not null,
  http_status smallint check (http_status between 100 and 599),
  -- json, not jsonb: the same answer again, down to the order of its fields.
  body json,
  constraint idempotency_answer_is_whole check ((http_status is null) = (body is null))
);
create index idempotency_begun_at on regent.idempotency (begun_at);
