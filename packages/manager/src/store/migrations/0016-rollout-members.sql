-- Members of a rollout, one row each: a look writes those that differ. In the rollout's state they were read and written whole, 14 MB for
-- 100,000, also where nothing had changed.
create table rollout_members (
  -- Of `rollouts`. By the trigger below and not by a foreign key, which would look the one rollout up once for each of 100,000 rows.
  rollout text not null,
  -- Refers to nothing: one that is gone stays a member.
  deployment text not null,
  wave integer not null,
  status text not null
    check (status in ('waiting', 'in-flight', 'succeeded', 'failed', 'excluded', 'returning', 'returned')),
  -- Milliseconds since 1970, as the machine counts them.
  since bigint not null,
  -- Digest of its own stable when the rollout told it: where an abort sends it.
  origin text,
  -- Digest of the target; the config that it names and what that config was made of (`basis`), so that neither is worked out again
  -- before an input or a secret changes. Null: work it out.
  target text not null,
  config text,
  basis text,
  -- The rollout told it; one that was on the target before was not reached, and does not go back.
  reached boolean not null,
  -- `origin` is a guess: its first answer says.
  unsure boolean not null default false,
  again boolean not null,
  reason_code text,
  reason_message text,
  primary key (rollout, deployment)
);

insert into rollout_members (rollout, deployment, wave, status, since, origin, target, reached, again, reason_code,
  reason_message)
select r.id, m.key, (m.value ->> 'wave')::integer, m.value ->> 'status', (m.value ->> 'since')::numeric::bigint, m.value ->> 'from',
  m.value ->> 'target', coalesce((m.value ->> 'told')::boolean, false), coalesce((m.value ->> 'again')::boolean, false),
  m.value -> 'reason' ->> 'code', m.value -> 'reason' ->> 'message'
from rollouts r, jsonb_each(r.state -> 'members') m
where jsonb_typeof(r.state -> 'members') = 'object';
update rollouts set state = state - 'members' where state ? 'members';

create function forget_members() returns trigger language plpgsql as $$
begin
  delete from rollout_members where rollout = old.id;
  return null;
end $$;
create trigger rollouts_forget_members after delete on rollouts for each row execute function forget_members();
