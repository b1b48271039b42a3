-- Drift has a policy, names are adopted and released, and a database that is older than DNS holds automation until a person confirms.

-- What somebody else did to this name in DNS, and what was decided about it.
alter table regent.service
  add column ownership jsonb not null default '{"edit": null, "reverts": [], "released": null}'
    check (jsonb_typeof(ownership) = 'object');
alter table regent.service alter column ownership drop default;

-- Why everything is frozen: an operator said so, or the database was restored from an older state than DNS shows.
alter table regent.global_freeze
  add column cause text not null default 'operator' check (cause in ('operator', 'restored'));

alter table regent.change drop constraint change_kind_check;
alter table regent.change add constraint change_kind_check
  check (kind in
    ('create', 'adopt', 'failover', 'failback', 'return', 'rebalance', 'configure', 'revert', 'drain', 'undrain', 'freeze', 'unfreeze',
      'release'));
