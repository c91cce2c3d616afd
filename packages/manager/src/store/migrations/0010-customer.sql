-- What the customer says about a deployment (`CustomerSettings`): only a deployer token or the agent changes it.
alter table deployments add column customer jsonb not null default
  '{"updates":"automatic","approvals":"portal","windows":[],"telemetry":"on","access":"granted"}';
update deployments set customer = jsonb_set(customer, '{telemetry}', coalesce(policy -> 'telemetry', '"on"')), policy = policy - 'telemetry';

-- What people answered. Each answer is for one target: what was approved for one lets no other in.
drop table gate_answers;
create table answers (
  deployment text not null references deployments on delete cascade,
  id text not null,
  gate text not null,
  target text not null,
  status text not null check (status in ('pass', 'fail')),
  by text not null,
  message text,
  at timestamptz(3) not null,
  primary key (deployment, id)
);
create index answers_by_target on answers (deployment, target);
