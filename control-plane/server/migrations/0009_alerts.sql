-- Alert rules of operators by API, and which alerts are pending or firing. Those of the declaration stand in the configuration.

create table regent.alert_rule (
  id text primary key check (length(id) between 1 and 64),
  version bigint not null check (version > 0),
  body jsonb not null check (jsonb_typeof(body) = 'object')
);

create table regent.alert (
  key text primary key check (length(key) between 1 and 200),
  state text not null check (state in ('pending', 'firing')),
  since bigint not null,
  body jsonb not null check (jsonb_typeof(body) = 'object')
);
