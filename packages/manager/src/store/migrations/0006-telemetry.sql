-- Telemetry is kept for a bounded window: a table per day, dropped whole.
create table logs (
  deployment text not null,
  at timestamptz not null,
  id text not null,
  severity smallint not null,
  worker text,
  version text,
  body text not null,
  attributes jsonb not null default '{}',
  trace text,
  primary key (deployment, at, id)
) partition by range (at);
create table metric_points (
  deployment text not null,
  at timestamptz not null,
  worker text not null,
  version text not null,
  metric text not null,
  -- Distinguishes points of one metric by their other attributes.
  series text not null default '',
  unit text not null default '',
  value double precision,
  -- { bounds, counts, sum, count } of a histogram; null for a plain number.
  histogram jsonb,
  attributes jsonb not null default '{}',
  primary key (deployment, worker, metric, version, series, at)
) partition by range (at);
create table spans (
  deployment text not null,
  at timestamptz not null,
  trace text not null,
  span text not null,
  parent text,
  worker text,
  version text,
  name text not null,
  kind smallint not null default 0,
  duration_ms double precision not null,
  status smallint not null default 0,
  attributes jsonb not null default '{}',
  primary key (deployment, at, trace, span)
) partition by range (at);
create index spans_trace on spans (deployment, trace);

-- Makes the partitions of one UTC day; harmless when they exist, and when two managers do it at once.
create function open_telemetry_day(day date) returns void language plpgsql as $$
declare
  parent text;
begin
  perform pg_advisory_xact_lock(hashtext('landfall telemetry days'));
  foreach parent in array array['logs', 'metric_points', 'spans'] loop
    execute format(
      'create table if not exists %I partition of %I for values from (%L) to (%L)',
      parent || '_' || to_char(day, 'YYYYMMDD'), parent,
      day::text || ' 00:00:00+00', (day + 1)::text || ' 00:00:00+00');
  end loop;
end $$;

-- Drops the partitions of every UTC day before this one; answers how many.
create function drop_telemetry_before(day date) returns integer language plpgsql as $$
declare
  child regclass;
  dropped integer := 0;
begin
  perform pg_advisory_xact_lock(hashtext('landfall telemetry days'));
  for child in
    select i.inhrelid::regclass
    from pg_inherits i
    join pg_class c on c.oid = i.inhrelid
    where i.inhparent in ('logs'::regclass, 'metric_points'::regclass, 'spans'::regclass)
      and right(c.relname, 8) < to_char(day, 'YYYYMMDD')
  loop
    execute format('drop table %s', child);
    dropped := dropped + 1;
  end loop;
  return dropped;
end $$;

create table telemetry_settings (
  project text primary key references projects on delete cascade,
  retention_days integer not null default 7,
  -- Sealed JSON: header values are secrets.
  forward bytea
);
