-- The agent of a deployment: what it was set up with, the keys that are bound, its session, and what it said last.
create table agents (
  deployment text primary key references deployments on delete cascade,
  -- SHA-256 of the newest enrolment token. It stays after its use: the same keys may ask again.
  token_hash bytea,
  token_expires_at timestamptz(3),
  -- SubjectPublicKeyInfo in base64; null: none is bound.
  sign_key text,
  seal_key text,
  key_id text,
  enrolled_at timestamptz(3),

  -- Rises with each session and each replacement, never falls: tokens of lower numbers are over.
  session bigint not null default 0,
  -- What the agent names as its last session when it begins the next (0 after its enrolment), what it named to get the current one, and
  -- the nonce it named it with.
  named bigint not null default 0,
  named_before bigint,
  nonce text,
  session_at timestamptz(3),

  report_number bigint not null default 0,
  last_report_at timestamptz(3),
  via text check (via in ('sync', 'export')),
  -- The customer's settings as they are in force there, and which of them were set there.
  customer jsonb,
  local jsonb not null default '[]',
  info jsonb,
  -- Where the copy of the agent's own audit chain ends.
  audit_number bigint not null default 0,
  audit_hash text not null,
  -- The newest export that was taken in: its number counts for the key that signed it.
  export_key text,
  export_number bigint not null default 0,
  export_id text,
  -- What the manager found out about it, by code: { message, since }.
  trouble jsonb not null default '{}'
);
-- The newest bundle that was made for a deployment, and the receipts of those that arrived, are read at every look at a fleet.
create index audit_entries_of_bundles on audit_entries (chain, type, number desc) where type in ('bundle.created', 'bundle.receipt');
