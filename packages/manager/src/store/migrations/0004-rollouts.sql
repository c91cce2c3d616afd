-- Fleet rollouts: one machine each, moved by whichever manager holds the lease.
create table rollouts (
  id text primary key,
  project text not null references projects on delete cascade,
  channel text not null,
  release text not null,
  version text not null,
  -- FleetPlan as the contract writes it.
  plan jsonb not null,
  -- FleetState of @landfall/rollout; null until its first step.
  state jsonb,
  phase text generated always as (coalesce(state ->> 'phase', 'pending')) stored,
  created_at timestamptz(3) not null,
  created_by text not null,
  finished_at timestamptz(3),
  requested_generation bigint not null default 1,
  observed_generation bigint not null default 0,
  wake_at timestamptz(3),
  lease_owner text,
  lease_epoch bigint not null default 0,
  lease_until timestamptz(3),
  foreign key (project, release) references releases
);
create index rollouts_project on rollouts (project, created_at desc);
create index rollouts_release on rollouts (project, release);
create index rollouts_behind on rollouts (id) where requested_generation > observed_generation;
create index rollouts_wake on rollouts (wake_at) where wake_at is not null;
create index rollouts_open on rollouts (project, channel) where finished_at is null;

create table rollout_controls (
  rollout text not null references rollouts on delete cascade,
  id text not null,
  kind text not null,
  by text not null,
  reason text,
  at timestamptz(3) not null,
  primary key (rollout, id)
);
create table freezes (
  id text primary key,
  project text not null references projects on delete cascade,
  reason text not null,
  until timestamptz(3),
  created_at timestamptz(3) not null,
  created_by text not null,
  lifted_at timestamptz(3),
  lifted_by text
);
create index freezes_project on freezes (project) where lifted_at is null;
