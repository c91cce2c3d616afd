-- Set by a restore: the agent may name a session that was begun after the backup. Ends with the next session.
alter table agents add column restored boolean not null default false;
