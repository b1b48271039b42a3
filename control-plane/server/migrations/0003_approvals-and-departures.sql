-- A move may wait for a person's approval; rules count what automation moved, and since when a service is declared as it is.

alter table regent.service
  add column approval jsonb,
  add column declared jsonb;

update regent.service set traffic = traffic || '{"departures": []}'::jsonb;

alter table regent.history drop constraint history_kind_check;
alter table regent.history add constraint history_kind_check
  check (kind in ('change', 'verdict', 'refused', 'approval', 'fail-static', 'freeze', 'unfreeze', 'drift', 'fence-lost', 'configuration',
    'control', 'dead-letter', 'mode'));
