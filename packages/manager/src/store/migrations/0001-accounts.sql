-- People, machines and what they may do.
create table users (
  id text primary key,
  email text not null check (email = lower(email)),
  name text not null,
  operator boolean not null default false,
  -- scrypt: { n, r, p, salt, hash }; null until the invitation is used, and for people who only use single sign-on.
  password jsonb,
  created_at timestamptz(3) not null,
  last_seen_at timestamptz(3),
  removed_at timestamptz(3)
);
create unique index users_email on users (email) where removed_at is null;

create table sessions (
  hash bytea primary key,
  user_id text not null references users,
  created_at timestamptz(3) not null,
  last_seen_at timestamptz(3) not null,
  expires_at timestamptz(3) not null
);
create index sessions_user on sessions (user_id);
create index sessions_expiry on sessions (expires_at);

-- One-time links. `user_id` is null for the link that makes the first account.
create table invitations (
  hash bytea primary key,
  user_id text references users,
  created_at timestamptz(3) not null,
  expires_at timestamptz(3) not null,
  used_at timestamptz(3)
);
create unique index invitations_bootstrap on invitations ((user_id is null)) where user_id is null and used_at is null;

-- Single sign-on on its way: made when the browser leaves, taken when it returns.
create table oidc_logins (
  state bytea primary key,
  nonce text not null,
  verifier text not null,
  return_to text not null,
  expires_at timestamptz(3) not null
);

create table projects (
  name text primary key,
  root_public_key text not null,
  root_key_id text not null,
  keyset jsonb not null,
  keyset_version bigint not null,
  -- The highest sequence a release of the project ever had. Its row lock makes publishing one at a time.
  last_sequence bigint not null default 0,
  created_at timestamptz(3) not null,
  created_by text not null
);
create table keysets (
  project text not null references projects on delete cascade,
  version bigint not null,
  digest text not null,
  envelope jsonb not null,
  put_at timestamptz(3) not null,
  put_by text not null,
  primary key (project, version)
);
create table members (
  project text not null references projects on delete cascade,
  user_id text not null references users,
  role text not null check (role in ('admin', 'developer', 'viewer')),
  primary key (project, user_id)
);
create index members_user on members (user_id);

create table tokens (
  id text primary key,
  -- SHA-256 of the token: it is random, so a slow hash would add nothing.
  hash bytea not null unique,
  kind text not null check (kind in ('user', 'ci', 'deployer', 'agent')),
  name text not null,
  prefix text not null,
  project text references projects on delete cascade,
  deployment text,
  user_id text references users,
  created_at timestamptz(3) not null,
  created_by text not null,
  expires_at timestamptz(3) not null,
  last_used_at timestamptz(3),
  revoked_at timestamptz(3),
  check ((kind = 'user') = (user_id is not null)),
  check ((kind = 'user') = (project is null)),
  check ((kind in ('deployer', 'agent')) = (deployment is not null))
);
create index tokens_project on tokens (project, created_at);
create index tokens_user on tokens (user_id);

-- Keys that seal rows, themselves wrapped by the master key, which is never in the database.
create table data_keys (
  id text primary key,
  purpose text not null check (purpose in ('seal', 'hash')),
  wrapped bytea not null,
  master_key text not null,
  created_at timestamptz(3) not null
);

-- Answers of mutating calls, so that a repeated call changes nothing. `response` is sealed: it may hold a new token.
create table idempotency_keys (
  principal text not null,
  key text not null,
  request_hash bytea not null,
  status integer,
  response bytea,
  claimed_at timestamptz(3) not null,
  expires_at timestamptz(3) not null,
  primary key (principal, key)
);
create index idempotency_keys_expiry on idempotency_keys (expires_at);
