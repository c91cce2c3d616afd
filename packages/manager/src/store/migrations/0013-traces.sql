-- Which transaction brought a line: who follows reads what became visible since, also what is older by its own clock.
alter table logs add column xid xid8 not null default pg_current_xact_id();
create index logs_arrival on logs (deployment, xid, at, id);
create index logs_trace on logs (deployment, trace) where trace is not null;

alter table spans add column message text;
alter table spans add column events jsonb not null default '[]';

-- `counter` and `gauge` have a value, `histogram` a histogram. Of a counter: whether it is a total, and since when.
alter table metric_points add column kind text not null default 'histogram' check (kind in ('counter', 'gauge', 'histogram'));
alter table metric_points add column start_at timestamptz;
alter table metric_points add column cumulative boolean not null default false;

-- The metrics of a deployment's own meters; their number is bounded.
create table metric_names (
  deployment text not null references deployments on delete cascade,
  metric text not null,
  unit text not null,
  kind text not null,
  last_at timestamptz not null,
  primary key (deployment, metric)
);
-- What was not stored since it was beyond a bound: totals.
create table telemetry_drops (
  deployment text not null references deployments on delete cascade,
  signal text not null,
  reason text not null,
  records bigint not null,
  last_at timestamptz not null,
  primary key (deployment, signal, reason)
);
