-- What a fleet reads of each deployment at every look lies beside the state, not in it: a state is large and packed, and opening it for one
-- word of it costs more than all else that is read. As generated columns, `phase` and `actual_release` had it opened at every write of the
-- row as well, whatever was written: PostgreSQL makes generated columns anew wherever a table has a trigger before updates. By this
-- trigger they follow the state where it is written, and nobody can write anything else into them.
alter table deployments
  alter column phase drop expression,
  alter column actual_release drop expression,
  -- The generation that the state answers.
  add column state_generation bigint,
  -- Digest of the target that it rests on, and of the one before.
  add column resting text,
  add column rested_before text,
  add column reason_code text,
  add column reason_message text,
  -- Targets that went back, each with its reason; null: none.
  add column rejected jsonb;

update deployments d set state_generation = s.generation, resting = s.stable ->> 'digest', rested_before = s.history -> 0 ->> 'digest',
  reason_code = s.reason ->> 'code', reason_message = s.reason ->> 'message', rejected = nullif(s.rejected, '[]')
from deployments o, jsonb_to_record(o.state) as s (generation bigint, stable jsonb, history jsonb, reason jsonb, rejected jsonb)
where o.id = d.id and o.state is not null;

create function note_state() returns trigger language plpgsql as $$
begin
  new.phase := coalesce(new.state ->> 'phase', 'pending');
  new.actual_release := new.state -> 'stable' ->> 'release';
  new.state_generation := (new.state ->> 'generation')::bigint;
  new.resting := new.state -> 'stable' ->> 'digest';
  new.rested_before := new.state -> 'history' -> 0 ->> 'digest';
  new.reason_code := new.state -> 'reason' ->> 'code';
  new.reason_message := new.state -> 'reason' ->> 'message';
  new.rejected := nullif(new.state -> 'rejected', '[]');
  return new;
end $$;
create trigger deployments_state before insert or update of state, phase, actual_release, state_generation, resting, rested_before,
  reason_code, reason_message, rejected on deployments for each row execute function note_state();

-- Nobody asks for it, and every deployment that was told wrote a line into it.
drop index deployments_rollout;
