-- Content by digest. Bytes lie in chunks of an upload, so that no transaction is open while a client sends, and an upload
-- that was broken off is never taken for a blob.
create table blob_uploads (
  id text primary key,
  started_at timestamptz(3) not null
);
create table blob_chunks (
  upload text not null references blob_uploads on delete cascade,
  number integer not null,
  bytes bytea not null check (octet_length(bytes) <= 1048576),
  primary key (upload, number)
);
-- Compressed content does not get smaller: do not try.
alter table blob_chunks alter column bytes set storage external;
create table blobs (
  project text not null references projects on delete cascade,
  digest text not null,
  size bigint not null,
  upload text not null references blob_uploads,
  created_at timestamptz(3) not null,
  primary key (project, digest)
);
create unique index blobs_upload on blobs (upload);

create table channels (
  project text not null references projects on delete cascade,
  name text not null,
  description text not null default '',
  -- FleetPlan as the contract writes it (durations as text).
  plan jsonb not null,
  created_at timestamptz(3) not null,
  primary key (project, name)
);
create table releases (
  project text not null references projects on delete cascade,
  digest text not null,
  version text not null,
  channel text not null,
  sequence bigint not null,
  envelope jsonb not null,
  -- The verified payload, for reading; what is trusted is the envelope.
  statement jsonb not null,
  signed_by jsonb not null,
  created_at timestamptz(3) not null,
  published_at timestamptz(3) not null,
  published_by text not null,
  primary key (project, digest),
  unique (project, version),
  unique (project, sequence),
  foreign key (project, channel) references channels
);
create index releases_channel on releases (project, channel, sequence desc);
