-- People are told: incidents, one outbox for each notifier, and how far history was followed. Moves with what came of it, in one transaction.

create table regent.page_cursor (
  is_only boolean primary key default true check (is_only),
  position bigint not null check (position >= 0),
  -- Places that were passed while their entry wasn't committed yet, and since when.
  missing jsonb not null check (jsonb_typeof(missing) = 'array')
);
-- What was before there was anybody to tell stays untold.
insert into regent.page_cursor (position, missing) select coalesce(max(position), 0), '[]' from regent.history;

create table regent.incident (
  id text primary key check (length(id) = 26),
  cause text not null,
  state text not null check (state in ('open', 'closed')),
  severity text not null check (severity in ('critical', 'warning', 'info')),
  opened_at bigint not null,
  closed_at bigint,
  version bigint not null check (version > 0),
  -- The rest of it, as the port has it.
  body jsonb not null check (jsonb_typeof(body) = 'object'),
  constraint incident_closed_has_time check ((state = 'closed') = (closed_at is not null))
);
create unique index incident_open_once on regent.incident (cause) where state = 'open';

create table regent.page_delivery (
  position bigint generated always as identity primary key,
  -- Receivers recognise doubles by it.
  id text not null unique check (length(id) between 1 and 100),
  notifier text not null,
  incident text not null,
  severity text not null check (severity in ('critical', 'warning', 'info')),
  due_at bigint not null,
  created_at bigint not null,
  attempts integer not null check (attempts >= 0),
  notice jsonb not null check (jsonb_typeof(notice) = 'object')
);
create index page_delivery_turn on regent.page_delivery (notifier, incident, position);

alter table regent.dead_letter drop constraint dead_letter_kind_check;
alter table regent.dead_letter add constraint dead_letter_kind_check check (kind in ('report', 'strike', 'page'));
