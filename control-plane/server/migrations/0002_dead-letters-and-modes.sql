-- What was acknowledged and could not be kept where it belongs, until a person decides; and history tells of it and of modes.

create table regent.dead_letter (
  id text primary key check (length(id) = 26),
  at bigint not null,
  kind text not null check (kind in ('report', 'strike')),
  subject text not null,
  why text not null,
  attempts integer not null check (attempts > 0),
  tried_at bigint not null,
  bytes integer not null check (bytes > 0),
  -- JSON, as text: jsonb refuses some of what made a report poison.
  payload text not null
);

alter table regent.history drop constraint history_kind_check;
alter table regent.history add constraint history_kind_check
  check (kind in ('change', 'verdict', 'refused', 'fail-static', 'freeze', 'unfreeze', 'drift', 'fence-lost', 'configuration', 'control',
    'dead-letter', 'mode'));
