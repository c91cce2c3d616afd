-- Whoever created the deployment before its channel had a release asked to be set up with the first one.
alter table deployments add column setup_first boolean not null default false;
