-- Entries stand in runs that were committed together, and ids in buckets of their own time: fewer and larger rows.

-- One row is a run of consecutive entries, never across a multiple of 256, so a C2SP entry bundle is the rows with
-- first_index in [256 b, 256 b + 256) and a level-0 tile is their leaves. ends[i] is where entry first_index + i - 1 ends
-- in `bytes`; stored out of line and uncompressed, so that one entry is read without the others.
create function behalf.is_run(ends integer[], bytes_length integer) returns boolean
language plpgsql immutable parallel safe set search_path = pg_catalog, pg_temp as $$
declare
  before integer := 0;
  ending integer;
begin
  if ends is null or array_ndims(ends) is distinct from 1 or array_lower(ends, 1) <> 1 then return false; end if;
  foreach ending in array ends loop
    if ending is null or ending - before not between 1 and 65535 then return false; end if;
    before := ending;
  end loop;
  return before = bytes_length;
end $$;

create table behalf.entry_bundle (
  log_id      integer   not null,
  first_index bigint    not null check (first_index >= 0),
  ends        integer[] not null,
  leaves      bytea     not null check (octet_length(leaves) = 32 * cardinality(ends)),
  bytes       bytea     not null,
  primary key (log_id, first_index),
  check (first_index % 256 + cardinality(ends) between 1 and 256),
  check (behalf.is_run(ends, octet_length(bytes)))
) partition by range (first_index);
alter table behalf.entry_bundle alter column ends set storage external;
alter table behalf.entry_bundle alter column leaves set storage external;
alter table behalf.entry_bundle alter column bytes set storage external;

-- Partitions hold 2^24 indexes each and are shared by all logs. The writer asks for the one ahead of its log's size,
-- never further, and owns none of them. Made aside and attached, so that readers are not held up.
create function behalf.extend_entry_bundle(for_log integer, up_to bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  width  constant bigint := 16777216;
  stored bigint;
  first  bigint;
  name   text;
begin
  select size into stored from behalf.log where log_id = for_log;
  if up_to > coalesce(stored, 0) + width then
    raise exception 'log % has % entries: partitions are made at most % ahead, not up to %', for_log, coalesce(stored, 0), width, up_to;
  end if;
  for part in 0 .. up_to / width loop
    name := 'entry_bundle_' || part;
    continue when to_regclass('behalf.' || name) is not null;
    perform pg_advisory_xact_lock(hashtextextended('behalf.extend_entry_bundle', 0));
    -- Asked of the catalog: whoever had the lock may just have made it, and to_regclass may not know yet.
    continue when exists (select from pg_catalog.pg_class c where c.relname = name and c.relnamespace = 'behalf'::regnamespace);
    first := part * width;
    execute format('create table behalf.%I (like behalf.entry_bundle including constraints including storage)', name);
    execute format('alter table behalf.entry_bundle attach partition behalf.%I for values from (%s) to (%s)', name, first, first + width);
    execute format('create trigger append_only_truncate before truncate on behalf.%I execute function behalf.refuse_change()', name);
  end loop;
end $$;

-- Ids of one batch in one bucket: 256 ms of their own time (UUIDv7, RFC 9562 section 5.7), its milliseconds / 256. `ids`
-- holds 16 bytes each in order of the log; the i-th stands at first_index + offsets[i], or + i - 1 where offsets is null.
create table behalf.id_bucket (
  log_id      integer   not null,
  day         integer   not null, -- since 1970-01-01 UTC, by behalf.log.id_day
  bucket      bigint    not null check (bucket >= 0),
  first_index bigint    not null check (first_index >= 0),
  offsets     integer[] check (cardinality(offsets) = octet_length(ids) / 16),
  ids         bytea     not null check (octet_length(ids) >= 16 and octet_length(ids) % 16 = 0),
  primary key (log_id, bucket, first_index, day)
) partition by range (day);
alter table behalf.id_bucket alter column offsets set storage external;
alter table behalf.id_bucket alter column ids set storage external;

-- The day under which ids are remembered never goes back, though the clock may: what is sequenced later is forgotten later.
alter table behalf.log add column id_day integer not null default 0;

create or replace function behalf.refuse_shrinking_log() returns trigger language plpgsql as $$
begin
  if new.log_id = old.log_id and new.origin = old.origin and new.verifier_key = old.verifier_key
     and new.persons_check = old.persons_check and new.size > old.size and new.id_day >= old.id_day then
    return new;
  end if;
  raise exception 'update of log % refused: size may only grow (stored %, new %)', old.log_id, old.size, new.size
    using errcode = 'insufficient_privilege', hint = 'run behalf fsck';
end $$;

-- Makes the partitions of today and tomorrow, and of the day a log stands at where its clock went back.
create function behalf.extend_id_bucket(for_log integer) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  today constant integer := extract(epoch from now())::bigint / 86400;
  name  text;
  part  integer;
begin
  for part in
    select today union select today + 1 union select id_day from behalf.log where log_id = for_log and id_day > today
  loop
    name := 'id_bucket_' || part;
    continue when to_regclass('behalf.' || name) is not null;
    perform pg_advisory_xact_lock(hashtextextended('behalf.extend_id_bucket', 0));
    continue when exists (select from pg_catalog.pg_class c where c.relname = name and c.relnamespace = 'behalf'::regnamespace);
    execute format('create table behalf.%I (like behalf.id_bucket including constraints including storage)', name);
    execute format('alter table behalf.id_bucket attach partition behalf.%I for values from (%s) to (%s)', name, part, part + 1);
    execute format('create trigger append_only_truncate before truncate on behalf.%I execute function behalf.refuse_change()', name);
  end loop;
end $$;

-- Forgets days that ended more than this many hours ago: never less than 24. Waits for nobody: while others read, as
-- fsck does, false is returned and the days stay until it is asked again.
create function behalf.forget_id_bucket(hours integer) returns boolean
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
    where i.inhparent = 'behalf.id_bucket'::regclass and substring(c.relname from '^id_bucket_(\d+)$')::integer < oldest
  loop
    execute format('drop table behalf.%I', name);
  end loop;
  return true;
exception when lock_not_available then
  return false;
end $$;

-- What is stored moves over as it is: a gap that someone made stays one.
do $$
declare
  part bigint;
begin
  for part in select distinct leaf_index / 16777216 from behalf.entry loop
    perform behalf.extend_entry_bundle(log_id, part * 16777216) from behalf.log where size > part * 16777216 limit 1;
  end loop;
  perform behalf.extend_entry_bundle(0, 0);
end $$;
insert into behalf.entry_bundle (log_id, first_index, ends, leaves, bytes)
select log_id, min(leaf_index), array_agg(ending order by leaf_index),
       string_agg(leaf, '' order by leaf_index), string_agg(bytes, '' order by leaf_index)
from (
  select log_id, leaf_index, bytes, leaf, run,
         (sum(octet_length(bytes)) over (partition by log_id, leaf_index / 256, run order by leaf_index))::integer as ending
  from (
    select e.log_id, e.leaf_index, e.bytes,
           case when octet_length(t.hashes) >= 32 * (e.leaf_index % 256 + 1)
                then substring(t.hashes from (32 * (e.leaf_index % 256) + 1)::integer for 32)
                else sha256('\x00'::bytea || e.bytes) end as leaf,
           e.leaf_index - row_number() over (partition by e.log_id, e.leaf_index / 256 order by e.leaf_index) as run
    from behalf.entry e
    left join behalf.tile t on t.log_id = e.log_id and t.level = 0 and t.tile_index = e.leaf_index / 256
  ) placed
) measured
group by log_id, leaf_index / 256, run;

do $$
declare
  part integer;
begin
  for part in select distinct day from behalf.sequenced_id loop
    continue when to_regclass('behalf.id_bucket_' || part) is not null;
    execute format('create table behalf.%I (like behalf.id_bucket including constraints including storage)', 'id_bucket_' || part);
    execute format('alter table behalf.id_bucket attach partition behalf.%I for values from (%s) to (%s)', 'id_bucket_' || part, part, part + 1);
    execute format('create trigger append_only_truncate before truncate on behalf.%I execute function behalf.refuse_change()', 'id_bucket_' || part);
  end loop;
end $$;
insert into behalf.id_bucket (log_id, day, bucket, first_index, offsets, ids)
select log_id, day, bucket, min(leaf_index), array_agg((leaf_index - first_index)::integer order by leaf_index),
       string_agg(uuid_send(observation_id), '' order by leaf_index)
from (
  select log_id, day, bucket, leaf_index, observation_id,
         min(leaf_index) over (partition by log_id, day, bucket, leaf_index / 16777216) as first_index
  from (
    select log_id, day, leaf_index, observation_id,
           ('x' || left(replace(observation_id::text, '-', ''), 12))::bit(48)::bigint / 256 as bucket
    from behalf.sequenced_id
  ) timed
) placed
group by log_id, day, bucket, leaf_index / 16777216;
-- The guard asks for growth; this is the one update that brings none.
alter table behalf.log disable trigger only_grows;
update behalf.log l set id_day = coalesce((select max(day) from behalf.id_bucket b where b.log_id = l.log_id), 0);
alter table behalf.log enable trigger only_grows;

drop function behalf.extend_entry(integer, bigint), behalf.extend_sequenced_id(), behalf.forget_sequenced_id(integer);
drop table behalf.entry, behalf.sequenced_id;

-- Level 0 stands with the entries it hashes; only the levels above are rows of their own.
alter table behalf.tile disable trigger append_only;
delete from behalf.tile where level = 0;
alter table behalf.tile enable trigger append_only;
alter table behalf.tile drop constraint tile_level_check;
alter table behalf.tile add constraint tile_level_check check (level between 1 and 7);

create trigger append_only before update or delete on behalf.entry_bundle for each row execute function behalf.refuse_change();
create trigger append_only_truncate before truncate on behalf.entry_bundle execute function behalf.refuse_change();
create trigger append_only before update or delete on behalf.id_bucket for each row execute function behalf.refuse_change();
create trigger append_only_truncate before truncate on behalf.id_bucket execute function behalf.refuse_change();

-- Entries one by one, for people who look.
create view behalf.entry as
select b.log_id, b.first_index + e.at - 1 as leaf_index,
       substring(b.bytes from coalesce(b.ends[e.at - 1], 0) + 1 for b.ends[e.at] - coalesce(b.ends[e.at - 1], 0)) as bytes,
       substring(b.leaves from 32 * e.at - 31 for 32) as leaf
from behalf.entry_bundle b cross join lateral generate_subscripts(b.ends, 1) as e(at);

revoke all on behalf.entry_bundle, behalf.id_bucket, behalf.entry from public;
revoke all on function behalf.is_run(integer[], integer), behalf.extend_entry_bundle(integer, bigint),
  behalf.extend_id_bucket(integer), behalf.forget_id_bucket(integer) from public;
grant select, insert on behalf.entry_bundle, behalf.id_bucket to behalf_writer;
grant select on behalf.entry_bundle, behalf.entry to behalf_reader, behalf_projector;
grant select on behalf.entry to behalf_writer;
grant select on behalf.id_bucket to behalf_reader;
grant update (id_day) on behalf.log to behalf_writer;
grant execute on function behalf.is_run(integer[], integer), behalf.extend_entry_bundle(integer, bigint),
  behalf.extend_id_bucket(integer), behalf.forget_id_bucket(integer) to behalf_writer;
