-- Operators' standing decisions have an expiry; history tells of them, of maintenance, evacuations, transfers of a database's role, and alerts.

update regent.service set controls = controls || '{"overrides": []}'::jsonb;

alter table regent.history drop constraint history_kind_check;
alter table regent.history add constraint history_kind_check
  check (kind in ('change', 'verdict', 'refused', 'approval', 'fail-static', 'freeze', 'unfreeze', 'drift', 'fence-lost', 'configuration',
    'control', 'dead-letter', 'override', 'maintenance', 'evacuation', 'transfer', 'alert', 'vantage', 'mode'));
