-- The writable role of a stateful service is led from one region to another, in phases; and what was last seen of its databases, because how far
-- behind a standby was is known only while its replication is connected.

alter table regent.service add column transfer jsonb check (jsonb_typeof(transfer) = 'object');
alter table regent.service add column databases jsonb check (jsonb_typeof(databases) = 'array');
