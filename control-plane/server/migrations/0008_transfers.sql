-- The writable role of a stateful service is led from one region to another, in phases.

alter table regent.service add column transfer jsonb check (jsonb_typeof(transfer) = 'object');
