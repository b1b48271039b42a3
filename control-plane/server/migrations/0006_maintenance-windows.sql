-- Windows that operators planned by command; those of the declaration stand in the configuration.

create table regent.maintenance_window (
  id text primary key check (length(id) = 26),
  from_at bigint not null,
  to_at bigint not null,
  -- Regions, services, by, reason, and when it was taken back.
  body jsonb not null check (jsonb_typeof(body) = 'object'),
  constraint maintenance_window_has_length check (to_at > from_at)
);
create index maintenance_window_to on regent.maintenance_window (to_at);
