-- An audit log that can be edited is none. The owner of the database can still drop this trigger; the chain and the
-- checkpoints that customers hold are there to show it.
create function refuse_audit_change() returns trigger language plpgsql as $$
begin
  raise exception 'audit entries are append-only' using errcode = 'restrict_violation';
end $$;
create trigger audit_entries_append_only before update or delete on audit_entries
  for each row execute function refuse_audit_change();
create trigger audit_entries_no_truncate before truncate on audit_entries
  for each statement execute function refuse_audit_change();
create trigger audit_checkpoints_append_only before update or delete on audit_checkpoints
  for each row execute function refuse_audit_change();

-- Since when a deployment or a rollout waits for its newest generation: what is due longest is taken first, so that neither
-- new targets nor wake times starve the other. By trigger, so that whoever raises a generation can't forget it.
alter table deployments add column requested_at timestamptz(3) not null default clock_timestamp();
alter table rollouts add column requested_at timestamptz(3) not null default clock_timestamp();
create function note_request() returns trigger language plpgsql as $$
begin
  new.requested_at := clock_timestamp();
  return new;
end $$;
create trigger deployments_requested before update of requested_generation on deployments
  for each row when (old.requested_generation <= old.observed_generation
    and new.requested_generation > old.requested_generation) execute function note_request();
create trigger rollouts_requested before update of requested_generation on rollouts
  for each row when (old.requested_generation <= old.observed_generation
    and new.requested_generation > old.requested_generation) execute function note_request();

create index deployments_last_told on targets (deployment, ((target ->> 'digest')));
