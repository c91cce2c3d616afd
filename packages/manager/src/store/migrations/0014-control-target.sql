-- A control is for the target that was asked for when a person gave it: a later one does not inherit it.
alter table controls add column target text;
