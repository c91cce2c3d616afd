-- How a command reaches its worker: `direct` (this manager, or its agent by sync), `bundle` (signed, carried by a person),
-- `agent` (made there, by a gate or offline: the manager only hears of it).
alter table commands add column via text not null default 'direct' check (via in ('direct', 'bundle', 'agent'));
-- The claim takes the oldest of each deployment in turn, so that no deployment's queue stands before another's.
drop index commands_due;
drop index commands_open;
create index commands_fair on commands (deployment, created_at, id) where status in ('queued', 'running');
create index commands_running on commands (deployment) where status = 'running';
create index commands_deadline on commands (deadline) where status in ('queued', 'running');
