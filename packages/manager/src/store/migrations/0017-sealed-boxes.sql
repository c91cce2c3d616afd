-- Secrets sealed to the key of the deployment's agent, as orders carry them: made once for each version and key, not once for each order.
-- Each is sealed again under a data key, so that a copy of the database opens with an agent's key as little as without, and so that whoever
-- can write here can't put another box in its place.
create table sealed_boxes (
  deployment text not null,
  name text not null,
  version integer not null,
  -- The agent's public key that it opens with: for another key it counts as not there.
  seal_key text not null,
  sealed bytea not null,
  primary key (deployment, name, version),
  foreign key (deployment, name, version) references secrets on delete cascade
);
-- An agent that was replaced or that is gone takes its boxes along, whoever ends it.
create function drop_sealed_boxes() returns trigger language plpgsql as $$
begin
  delete from sealed_boxes where deployment = old.deployment;
  return null;
end $$;
create trigger agents_unbound after update of seal_key on agents
  for each row when (old.seal_key is distinct from new.seal_key) execute function drop_sealed_boxes();
create trigger agents_gone after delete on agents for each row execute function drop_sealed_boxes();
