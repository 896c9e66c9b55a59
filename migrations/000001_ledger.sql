-- The ledger: entries, the tree over them, checkpoints. Append-only by privilege and by trigger.
-- Every primary key starts with log_id and every statement filters by it, so that the same schema distributes.

-- One row per log: its name and keys, fixed when it is opened, and how far it is sequenced. `size` and `root` move
-- together, by compare-and-swap. verifier_key and persons_check let a server with other keys notice before it writes.
create table behalf.log (
  log_id        integer     not null,
  origin        text        not null check (origin ~ '^[^\s+]{1,255}$'),
  verifier_key  text        not null check (length(verifier_key) <= 512),
  persons_check bytea       not null check (octet_length(persons_check) = 32),
  size          bigint      not null default 0 check (size >= 0),
  root          bytea       not null check (octet_length(root) = 32),
  created_at    timestamptz not null default now(),
  primary key (log_id)
);

-- The exact bytes of each entry. leaf = SHA-256(0x00 || bytes), kept in the level-0 tiles.
create table behalf.entry (
  log_id     integer not null,
  leaf_index bigint  not null check (leaf_index >= 0),
  bytes      bytea   not null check (octet_length(bytes) between 1 and 65535),
  primary key (log_id, leaf_index)
) partition by range (leaf_index);

-- Ids already sequenced: a repeated observation is acknowledged again and stored once.
create table behalf.sequenced_id (
  log_id         integer not null,
  observation_id uuid    not null,
  leaf_index     bigint  not null,
  primary key (log_id, observation_id)
);

-- C2SP tiles. A partial tile is a prefix of the full one, so each tile is one row that only grows.
create table behalf.tile (
  log_id     integer  not null,
  level      smallint not null check (level between 0 and 7),
  tile_index bigint   not null check (tile_index >= 0),
  hashes     bytea    not null check (octet_length(hashes) between 32 and 8192 and octet_length(hashes) % 32 = 0),
  primary key (log_id, level, tile_index)
) with (fillfactor = 70);
alter table behalf.tile alter column hashes set storage external;

create table behalf.checkpoint (
  log_id       integer     not null,
  size         bigint      not null check (size >= 0),
  root         bytea       not null check (octet_length(root) = 32),
  note         text        not null check (length(note) <= 65536),
  published_at timestamptz not null default now(),
  primary key (log_id, size)
);

-- Persons, outside the tree and erasable: keyed hash of (issuer, id) -> random reference and wrapped key.
create table behalf.person (
  log_id      integer     not null,
  lookup      bytea       not null check (octet_length(lookup) = 32),
  ref         text        not null check (ref ~ '^p_[0-9a-f]{32}$'),
  wrapped_key bytea       not null check (octet_length(wrapped_key) between 32 and 1024),
  created_at  timestamptz not null default now(),
  primary key (log_id, lookup),
  unique (log_id, ref)
);

create function behalf.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% on % refused: the ledger is append-only', tg_op, tg_table_name
    using errcode = 'insufficient_privilege', hint = 'correct a record by appending another one';
end $$;

create function behalf.refuse_rewrite_of_tile() returns trigger language plpgsql as $$
begin
  if new.log_id = old.log_id and new.level = old.level and new.tile_index = old.tile_index
     and octet_length(new.hashes) >= octet_length(old.hashes)
     and substring(new.hashes from 1 for octet_length(old.hashes)) = old.hashes then
    return new;
  end if;
  raise exception 'update of tile %/% refused: a tile only grows', old.level, old.tile_index
    using errcode = 'insufficient_privilege', hint = 'run behalf fsck';
end $$;

create function behalf.refuse_shrinking_log() returns trigger language plpgsql as $$
begin
  if new.log_id = old.log_id and new.origin = old.origin and new.verifier_key = old.verifier_key
     and new.persons_check = old.persons_check and new.size > old.size then
    return new;
  end if;
  raise exception 'update of log % refused: size may only grow (stored %, new %)', old.log_id, old.size, new.size
    using errcode = 'insufficient_privilege', hint = 'run behalf fsck';
end $$;

create trigger append_only before update or delete on behalf.entry for each row execute function behalf.refuse_change();
create trigger append_only_truncate before truncate on behalf.entry execute function behalf.refuse_change();
create trigger append_only before update or delete on behalf.sequenced_id for each row execute function behalf.refuse_change();
create trigger append_only_truncate before truncate on behalf.sequenced_id execute function behalf.refuse_change();
create trigger append_only before update or delete on behalf.checkpoint for each row execute function behalf.refuse_change();
create trigger append_only_truncate before truncate on behalf.checkpoint execute function behalf.refuse_change();
create trigger append_only before delete on behalf.tile for each row execute function behalf.refuse_change();
create trigger append_only_truncate before truncate on behalf.tile execute function behalf.refuse_change();
create trigger only_grows before update on behalf.tile for each row execute function behalf.refuse_rewrite_of_tile();
create trigger append_only before delete on behalf.log for each row execute function behalf.refuse_change();
create trigger append_only_truncate before truncate on behalf.log execute function behalf.refuse_change();
create trigger only_grows before update on behalf.log for each row execute function behalf.refuse_shrinking_log();

-- Entry partitions hold 2^24 indexes each and are shared by all logs. The writer asks for the one ahead of its log's
-- size, never further, and owns none of them. Made aside and attached, so that readers are not held up.
create function behalf.extend_entry(for_log integer, up_to bigint) returns void
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
    name := 'entry_' || part;
    continue when to_regclass('behalf.' || name) is not null;
    perform pg_advisory_xact_lock(hashtextextended('behalf.extend_entry', 0));
    continue when to_regclass('behalf.' || name) is not null;
    first := part * width;
    execute format('create table behalf.%I (like behalf.entry including constraints including storage)', name);
    execute format('alter table behalf.entry attach partition behalf.%I for values from (%s) to (%s)', name, first, first + width);
    execute format('create trigger append_only_truncate before truncate on behalf.%I execute function behalf.refuse_change()', name);
  end loop;
end $$;
select behalf.extend_entry(0, 0);

revoke all on all tables in schema behalf from public;
revoke all on all functions in schema behalf from public;
grant usage on schema behalf to behalf_writer, behalf_reader, behalf_projector;
grant select on behalf.log, behalf.entry, behalf.sequenced_id, behalf.tile, behalf.checkpoint, behalf.person to behalf_writer;
grant insert on behalf.entry, behalf.sequenced_id, behalf.tile, behalf.checkpoint, behalf.person to behalf_writer;
grant update (hashes) on behalf.tile to behalf_writer;
grant update (size, root) on behalf.log to behalf_writer;
grant execute on function behalf.extend_entry(integer, bigint) to behalf_writer;
grant select on behalf.log, behalf.entry, behalf.sequenced_id, behalf.tile, behalf.checkpoint, behalf.person to behalf_reader;
grant select on behalf.log, behalf.entry to behalf_projector;
