-- Observation ids are remembered for a window, not for ever: after it a retry is stored as an entry of its own. One
-- partition for each day of the database's clock, so that forgetting a day is dropping a table.
alter table behalf.sequenced_id rename to sequenced_id_before;
alter table behalf.sequenced_id_before rename constraint sequenced_id_pkey to sequenced_id_before_pkey;

-- In this order a row has no padding.
create table behalf.sequenced_id (
  log_id         integer not null,
  day            integer not null default (extract(epoch from now())::bigint / 86400)::integer, -- since 1970-01-01 UTC
  leaf_index     bigint  not null,
  observation_id uuid    not null,
  primary key (log_id, observation_id, day)
) partition by range (day);

create trigger append_only before update or delete on behalf.sequenced_id for each row execute function behalf.refuse_change();
create trigger append_only_truncate before truncate on behalf.sequenced_id execute function behalf.refuse_change();

-- Makes the partitions of today and tomorrow, so that a day begins without anyone's help. Made aside and attached, so
-- that nobody is held up. The writer asks, and owns none of them.
create function behalf.extend_sequenced_id() returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  today constant integer := extract(epoch from now())::bigint / 86400;
  name  text;
begin
  for part in today .. today + 1 loop
    name := 'sequenced_id_' || part;
    continue when to_regclass('behalf.' || name) is not null;
    perform pg_advisory_xact_lock(hashtextextended('behalf.extend_sequenced_id', 0));
    -- Asked of the catalog: whoever had the lock may just have made it, and to_regclass may not know yet.
    continue when exists (select from pg_catalog.pg_class c where c.relname = name and c.relnamespace = 'behalf'::regnamespace);
    execute format('create table behalf.%I (like behalf.sequenced_id including constraints including storage)', name);
    execute format('alter table behalf.sequenced_id attach partition behalf.%I for values from (%s) to (%s)', name, part, part + 1);
    execute format('create trigger append_only_truncate before truncate on behalf.%I execute function behalf.refuse_change()', name);
  end loop;
end $$;

-- Forgets days that ended more than this many hours ago: never less than 24. Waits for nobody: while others read, as
-- fsck does, false is returned and the days stay until it is asked again.
create function behalf.forget_sequenced_id(hours integer) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '50ms' as $$
declare
  oldest integer; -- the first day that is still needed
  name   text;
begin
  if hours is null or hours not between 24 and 8784 then
    raise exception 'window of % hours refused: expected 24 to 8784', hours using errcode = 'invalid_parameter_value';
  end if;
  oldest := (extract(epoch from now())::bigint - hours * 3600) / 86400;
  for name in
    select c.relname from pg_catalog.pg_inherits i join pg_catalog.pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'behalf.sequenced_id'::regclass and substring(c.relname from '^sequenced_id_(\d+)$')::integer < oldest
  loop
    execute format('drop table behalf.%I', name);
  end loop;
  return true;
exception when lock_not_available then
  return false;
end $$;

-- What is remembered now is remembered for another window.
do $$
begin
  if exists (select from behalf.sequenced_id_before) then
    perform behalf.extend_sequenced_id();
    insert into behalf.sequenced_id (log_id, leaf_index, observation_id)
    select log_id, leaf_index, observation_id from behalf.sequenced_id_before;
  end if;
end $$;
drop table behalf.sequenced_id_before;

revoke all on behalf.sequenced_id from public;
revoke all on function behalf.extend_sequenced_id(), behalf.forget_sequenced_id(integer) from public;
grant select, insert on behalf.sequenced_id to behalf_writer;
grant select on behalf.sequenced_id to behalf_reader;
grant execute on function behalf.extend_sequenced_id(), behalf.forget_sequenced_id(integer) to behalf_writer;
