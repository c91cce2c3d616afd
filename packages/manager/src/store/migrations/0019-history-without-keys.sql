-- What belongs to a deployment and is written for every one that a release tells: by the trigger below and not by a foreign key, which
-- would look the deployment up and lock it once more for each row, two fifths of what the row costs. Who tells holds the deployment's row,
-- and that row goes only with its project, when nobody is told any more.
alter table configs drop constraint configs_deployment_fkey;
alter table targets drop constraint targets_deployment_fkey;

create function forget_history() returns trigger language plpgsql as $$
begin
  delete from configs where deployment = old.id;
  delete from targets where deployment = old.id;
  return null;
end $$;
create trigger deployments_forget_history after delete on deployments for each row execute function forget_history();
