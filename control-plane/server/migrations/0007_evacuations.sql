-- A region is left, or returned to, across services, one after the other; what is done survives the leader.

create table regent.evacuation (
  id text primary key check (length(id) = 26),
  region text not null,
  direction text not null check (direction in ('evacuate', 'return')),
  state text not null check (state in ('running', 'done', 'stopped')),
  at bigint not null,
  version bigint not null check (version > 0),
  -- Services in their order with what became of each, by, reason.
  body jsonb not null check (jsonb_typeof(body) = 'object')
);
create unique index evacuation_running_once on regent.evacuation (region) where state = 'running';
