create table commands (
  deployment text not null references deployments on delete cascade,
  id text not null,
  project text not null,
  worker text not null,
  command text not null,
  -- Sealed JSON: what goes in and what comes out belongs to the customer.
  input bytea not null,
  result bytea,
  status text not null default 'queued'
    check (status in ('queued', 'running', 'succeeded', 'failed', 'expired', 'cancelled')),
  attempt integer not null default 0,
  created_at timestamptz(3) not null,
  created_by text not null,
  deadline timestamptz(3) not null,
  started_at timestamptz(3),
  finished_at timestamptz(3),
  cancel_requested_at timestamptz(3),
  error jsonb,
  lease_owner text,
  lease_epoch bigint not null default 0,
  lease_until timestamptz(3),
  primary key (deployment, id)
);
create index commands_newest on commands (deployment, created_at desc);
create index commands_open on commands (created_at) where status in ('queued', 'running');
create table command_output (
  deployment text not null,
  command text not null,
  number integer not null,
  at timestamptz(3) not null,
  chunk text not null,
  primary key (deployment, command, number),
  foreign key (deployment, command) references commands on delete cascade
);

-- Hash chains. `chain` is a deployment's id, or `project:<name>`, or `landfall` for what belongs to none.
create table audit_heads (
  chain text primary key,
  number bigint not null,
  hash text not null
);
create table audit_entries (
  chain text not null,
  number bigint not null,
  project text,
  deployment text,
  at timestamptz(3) not null,
  type text not null,
  actor text not null,
  code text,
  message text not null,
  resource text,
  data jsonb,
  previous text not null,
  hash text not null,
  primary key (chain, number)
);
create index audit_entries_project on audit_entries (project, at desc, chain, number desc);
create table audit_checkpoints (
  chain text not null,
  number bigint not null,
  hash text not null,
  at timestamptz(3) not null,
  signature text not null,
  primary key (chain, number)
);

-- The change feed. Readers ask for rows whose transaction had not ended in the snapshot they read last: a sequence's
-- high-water mark would miss rows of transactions that took their number early and committed late.
create table changes (
  number bigint generated always as identity primary key,
  xid xid8 not null default pg_current_xact_id(),
  project text not null,
  kind text not null,
  id text not null,
  at timestamptz(3) not null
);
create index changes_xid on changes (xid);
create index changes_at on changes (at);
