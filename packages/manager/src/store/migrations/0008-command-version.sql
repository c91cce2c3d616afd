-- A gate's smoke command goes to the candidate, not to whatever the router serves: the version's digest; null: the router decides.
alter table commands add column version text;
-- What is due now: the claim reads little else of a table that keeps every command.
create index commands_due on commands (lease_until nulls first, created_at) where status in ('queued', 'running');
