create table groups (
  project text not null references projects on delete cascade,
  name text not null,
  description text not null default '',
  primary key (project, name)
);

-- One permanent row per deployment: what is asked of it, what the engine remembers, and who may act on it now.
create table deployments (
  id text primary key,
  project text not null references projects,
  name text not null,
  group_name text,
  channel text not null,
  platform text not null,
  model text not null,
  environment jsonb not null,
  -- Every resource is named `<prefix>-<resource>`.
  prefix text not null,
  policy jsonb not null,
  -- Release digest it is held at, or null.
  pinned text,
  created_at timestamptz(3) not null,
  created_by text not null,

  -- Desired: read by the engine as `Desired`, together with controls and gate_answers.
  operation text not null default 'run' check (operation in ('run', 'destroy')),
  -- { digest, release, config }
  target jsonb,
  setup_release text,
  -- Digest in `configs` of what inputs and secrets are now; a new target takes it.
  config text not null,
  requested_generation bigint not null default 1,
  observed_generation bigint not null default 0,

  -- Due when requested > observed, or wake_at has come; and no lease is held.
  wake_at timestamptz(3),
  lease_owner text,
  lease_epoch bigint not null default 0,
  lease_until timestamptz(3),

  -- The engine's DeploymentState.
  state jsonb,
  phase text generated always as (coalesce(state ->> 'phase', 'pending')) stored,
  actual_release text generated always as (state -> 'stable' ->> 'release') stored,
  target_release text generated always as (target ->> 'release') stored,
  -- The fleet rollout that last told it a target.
  rollout text,
  last_seen_at timestamptz(3),
  deleted_at timestamptz(3),
  foreign key (project, channel) references channels,
  foreign key (project, group_name) references groups (project, name)
);
create unique index deployments_name on deployments (project, name) where deleted_at is null;
create index deployments_channel on deployments (project, channel) where deleted_at is null;
create index deployments_behind on deployments (id) where requested_generation > observed_generation and deleted_at is null;
create index deployments_wake on deployments (wake_at) where wake_at is not null and deleted_at is null;
create index deployments_rollout on deployments (rollout) where deleted_at is null;

-- What was set, by whom; the current values.
create table inputs (
  deployment text not null references deployments on delete cascade,
  name text not null,
  value jsonb not null,
  set_by text not null,
  set_at timestamptz(3) not null,
  primary key (deployment, name)
);
create table secrets (
  deployment text not null references deployments on delete cascade,
  name text not null,
  version integer not null,
  sealed bytea not null,
  -- HMAC of the value: equal values of one secret have equal hashes, and nobody without the key learns anything.
  hash text not null,
  set_by text not null,
  set_at timestamptz(3) not null,
  removed_at timestamptz(3),
  primary key (deployment, name, version)
);
-- Content-addressed: { inputs: {name: value}, secrets: {name: {version, hash}}, bindings: {} }.
create table configs (
  deployment text not null references deployments on delete cascade,
  digest text not null,
  document jsonb not null,
  created_at timestamptz(3) not null,
  created_by text not null,
  primary key (deployment, digest)
);
-- Every target a deployment was ever told.
create table targets (
  deployment text not null references deployments on delete cascade,
  generation bigint not null,
  target jsonb not null,
  cause text not null,
  told_at timestamptz(3) not null,
  told_by text not null,
  primary key (deployment, generation)
);
create table controls (
  deployment text not null references deployments on delete cascade,
  id text not null,
  kind text not null,
  by text not null,
  reason text,
  at timestamptz(3) not null,
  primary key (deployment, id)
);
create table gate_answers (
  deployment text not null references deployments on delete cascade,
  gate text not null,
  status text not null check (status in ('pass', 'fail', 'wait')),
  message text,
  by text not null,
  at timestamptz(3) not null,
  primary key (deployment, gate)
);
