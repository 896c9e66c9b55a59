-- What migrations/ add up to. Compared by test/database/schema.test.ts; renewed by it when BEHALF_RENEW_SCHEMA=1 is set.

create table behalf.chain (
  log_id integer not null,
  chain_id text not null,
  set_id bigint not null,
  from_time numeric(20,0) not null,
  to_time numeric(20,0) not null,
  subject_key text,
  actor_keys text[] not null,
  services text[] not null,
  resources text[] not null,
  scopes text[] not null,
  trace_ids text[] not null,
  transactions text[] not null,
  verdict text not null,
  rules text[] not null,
  summary text not null,
  body text not null,
  constraint chain_pkey PRIMARY KEY (log_id, chain_id)
);
create table behalf.checkpoint (
  log_id integer not null,
  size bigint not null,
  root bytea not null,
  note text not null,
  published_at timestamp with time zone not null default now(),
  constraint checkpoint_pkey PRIMARY KEY (log_id, size),
  constraint checkpoint_note_check CHECK ((length(note) <= 65536)),
  constraint checkpoint_root_check CHECK ((octet_length(root) = 32)),
  constraint checkpoint_size_check CHECK ((size >= 0))
);
create table behalf.entry_bundle (
  log_id integer not null,
  first_index bigint not null,
  ends integer[] not null storage external,
  leaves bytea not null storage external,
  bytes bytea not null storage external,
  constraint entry_bundle_pkey PRIMARY KEY (log_id, first_index),
  constraint entry_bundle_check CHECK ((octet_length(leaves) = (32 * cardinality(ends)))),
  constraint entry_bundle_check1 CHECK (((((first_index % (256)::bigint) + cardinality(ends)) >= 1) AND (((first_index % (256)::bigint) + cardinality(ends)) <= 256))),
  constraint entry_bundle_check2 CHECK (behalf.is_run(ends, octet_length(bytes))),
  constraint entry_bundle_first_index_check CHECK ((first_index >= 0))
) partition by RANGE (first_index);
create table behalf.entry_bundle_0 partition of behalf.entry_bundle FOR VALUES FROM ('0') TO ('16777216');
create table behalf.entry_key (
  log_id integer not null,
  key bytea not null,
  set_id bigint not null,
  uses bigint not null,
  constraint entry_key_pkey PRIMARY KEY (log_id, key),
  constraint entry_key_key_check CHECK ((octet_length(key) = 32)),
  constraint entry_key_uses_check CHECK ((uses > 0))
);
create table behalf.entry_set (
  log_id integer not null,
  set_id bigint not null,
  entries integer not null,
  bounded boolean not null,
  constraint entry_set_pkey PRIMARY KEY (log_id, set_id),
  constraint entry_set_entries_check CHECK ((entries > 0))
);
create table behalf.finding (
  log_id integer not null,
  chain_id text not null,
  ordinal integer not null,
  set_id bigint not null,
  "time" numeric(20,0) not null,
  rule text not null,
  severity text not null,
  body text not null,
  constraint finding_pkey PRIMARY KEY (log_id, chain_id, ordinal)
);
create table behalf.hand_over (
  log_id integer not null,
  leaf_index bigint not null,
  note text not null,
  constraint hand_over_pkey PRIMARY KEY (log_id, leaf_index),
  constraint hand_over_note_check CHECK ((length(note) <= 8192)),
  constraint hand_over_leaf_index_check CHECK ((leaf_index >= 0))
);
create table behalf.hop (
  log_id integer not null,
  hop_id uuid not null,
  chain_id text not null,
  set_id bigint not null,
  "time" numeric(20,0) not null,
  from_service text,
  to_service text,
  resource text,
  subject_key text,
  actor_keys text[] not null,
  scopes text[] not null,
  grade text not null,
  verdict text not null,
  rules text[] not null,
  body text not null,
  constraint hop_pkey PRIMARY KEY (log_id, hop_id)
);
create table behalf.id_bucket (
  log_id integer not null,
  day integer not null,
  bucket bigint not null,
  first_index bigint not null,
  offsets integer[] storage external,
  ids bytea not null storage external,
  constraint id_bucket_pkey PRIMARY KEY (log_id, bucket, first_index, day),
  constraint id_bucket_check CHECK ((cardinality(offsets) = (octet_length(ids) / 16))),
  constraint id_bucket_ids_check CHECK (((octet_length(ids) >= 16) AND ((octet_length(ids) % 16) = 0))),
  constraint id_bucket_bucket_check CHECK ((bucket >= 0)),
  constraint id_bucket_first_index_check CHECK ((first_index >= 0))
) partition by RANGE (day);
create table behalf.log (
  log_id integer not null,
  origin text not null,
  verifier_key text not null,
  persons_check bytea not null,
  size bigint not null default 0,
  root bytea not null,
  created_at timestamp with time zone not null default now(),
  id_day integer not null default 0,
  constraint log_pkey PRIMARY KEY (log_id),
  constraint log_root_check CHECK ((octet_length(root) = 32)),
  constraint log_size_check CHECK ((size >= 0)),
  constraint log_origin_check CHECK ((origin ~ '^[^\s+]{1,255}$'::text)),
  constraint log_verifier_key_check CHECK ((length(verifier_key) <= 512)),
  constraint log_persons_check_check CHECK ((octet_length(persons_check) = 32))
);
create table behalf.migration (
  number integer not null,
  name text not null,
  sha256 bytea not null,
  applied_at timestamp with time zone not null default now(),
  constraint migration_pkey PRIMARY KEY (number),
  constraint migration_number_check CHECK ((number > 0)),
  constraint migration_sha256_check CHECK ((octet_length(sha256) = 32))
);
create table behalf.party (
  log_id integer not null,
  party_key text not null,
  type text not null,
  issuer text,
  id text,
  constraint party_pkey PRIMARY KEY (log_id, party_key)
);
create table behalf.party_fact (
  log_id integer not null,
  party_key text not null,
  kind text not null,
  value text not null,
  first_leaf bigint not null,
  first_seen numeric(20,0) not null,
  last_seen numeric(20,0) not null,
  constraint party_fact_pkey PRIMARY KEY (log_id, party_key, kind, value),
  constraint party_fact_kind_check CHECK ((kind = ANY (ARRAY['credential'::text, 'day'::text, 'host'::text, 'key'::text, 'on_behalf_of'::text, 'restored'::text, 'revoked'::text, 'scope_held'::text, 'scope_used'::text, 'service'::text, 'target'::text, 'tool'::text]))),
  constraint party_fact_first_leaf_check CHECK ((first_leaf >= 0))
);
create table behalf.person (
  log_id integer not null,
  lookup bytea not null,
  ref text not null,
  wrapped_key bytea not null,
  created_at timestamp with time zone not null default now(),
  constraint person_pkey PRIMARY KEY (log_id, lookup),
  constraint person_ref_check CHECK ((ref ~ '^p_[0-9a-f]{32}$'::text)),
  constraint person_lookup_check CHECK ((octet_length(lookup) = 32)),
  constraint person_log_id_ref_key UNIQUE (log_id, ref),
  constraint person_wrapped_key_check CHECK (((octet_length(wrapped_key) >= 32) AND (octet_length(wrapped_key) <= 1024)))
);
create table behalf.projected_entry (
  log_id integer not null,
  leaf_index bigint not null,
  observation_id uuid not null,
  set_id bigint not null,
  constraint projected_entry_pkey PRIMARY KEY (log_id, leaf_index),
  constraint projected_entry_log_id_observation_id_key UNIQUE (log_id, observation_id)
);
create table behalf.projection (
  log_id integer not null,
  "position" bigint not null,
  thresholds text not null default '{}'::text,
  constraint projection_pkey PRIMARY KEY (log_id),
  constraint projection_position_check CHECK (("position" >= 0))
);
create table behalf.shared_credential (
  log_id integer not null,
  set_id bigint not null,
  digest text not null,
  party_key text not null,
  workload text not null,
  last_seen numeric(20,0) not null,
  constraint shared_credential_pkey PRIMARY KEY (log_id, set_id, digest, party_key, workload)
);
create table behalf.tile (
  log_id integer not null,
  level smallint not null,
  tile_index bigint not null,
  hashes bytea not null storage external,
  constraint tile_pkey PRIMARY KEY (log_id, level, tile_index),
  constraint tile_level_check CHECK (((level >= 1) AND (level <= 7))),
  constraint tile_hashes_check CHECK ((((octet_length(hashes) >= 32) AND (octet_length(hashes) <= 8192)) AND ((octet_length(hashes) % 32) = 0))),
  constraint tile_tile_index_check CHECK ((tile_index >= 0))
) with (fillfactor=70);
create table behalf.unread_entry (
  log_id integer not null,
  leaf_index bigint not null,
  reason text not null,
  constraint unread_entry_pkey PRIMARY KEY (log_id, leaf_index)
);

CREATE INDEX chain_actors ON behalf.chain USING gin (actor_keys);
CREATE INDEX chain_newest ON behalf.chain USING btree (log_id, from_time DESC, chain_id DESC);
CREATE INDEX chain_resources ON behalf.chain USING gin (resources);
CREATE INDEX chain_rules ON behalf.chain USING gin (rules);
CREATE INDEX chain_scopes ON behalf.chain USING gin (scopes);
CREATE INDEX chain_services ON behalf.chain USING gin (services);
CREATE INDEX chain_set ON behalf.chain USING btree (log_id, set_id);
CREATE INDEX chain_subject ON behalf.chain USING btree (log_id, subject_key, from_time DESC, chain_id DESC);
CREATE INDEX chain_traces ON behalf.chain USING gin (trace_ids);
CREATE INDEX chain_transactions ON behalf.chain USING gin (transactions);
CREATE INDEX chain_verdict ON behalf.chain USING btree (log_id, verdict, from_time DESC, chain_id DESC);
CREATE INDEX entry_key_set ON behalf.entry_key USING btree (log_id, set_id);
CREATE INDEX finding_newest ON behalf.finding USING btree (log_id, "time" DESC, chain_id DESC, ordinal DESC);
CREATE INDEX finding_set ON behalf.finding USING btree (log_id, set_id);
CREATE INDEX hop_call ON behalf.hop USING btree (log_id, from_service, to_service, "time" DESC) WHERE (from_service <> to_service);
CREATE INDEX hop_set ON behalf.hop USING btree (log_id, set_id);
CREATE INDEX hop_time ON behalf.hop USING btree (log_id, "time", hop_id);
CREATE INDEX party_fact_credential ON behalf.party_fact USING btree (log_id, value) WHERE (kind = 'credential'::text);
CREATE INDEX party_fact_ended ON behalf.party_fact USING btree (log_id, party_key, value) WHERE (kind = ANY (ARRAY['restored'::text, 'revoked'::text]));
CREATE INDEX party_id ON behalf.party USING btree (log_id, id);
CREATE INDEX projected_entry_set ON behalf.projected_entry USING btree (log_id, set_id);
CREATE INDEX shared_credential_digest ON behalf.shared_credential USING btree (log_id, digest);
CREATE INDEX shared_credential_party ON behalf.shared_credential USING btree (log_id, party_key);

create view behalf.entry as
 SELECT b.log_id,
    ((b.first_index + e.at) - 1) AS leaf_index,
    SUBSTRING(b.bytes FROM (COALESCE(b.ends[(e.at - 1)], 0) + 1) FOR (b.ends[e.at] - COALESCE(b.ends[(e.at - 1)], 0))) AS bytes,
    SUBSTRING(b.leaves FROM ((32 * e.at) - 31) FOR 32) AS leaf
   FROM (behalf.entry_bundle b
     CROSS JOIN LATERAL generate_subscripts(b.ends, 1) e(at));

CREATE OR REPLACE FUNCTION behalf.extend_entry_bundle(for_log integer, up_to bigint)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
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
end $function$;
CREATE OR REPLACE FUNCTION behalf.extend_id_bucket(for_log integer)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
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
end $function$;
CREATE OR REPLACE FUNCTION behalf.forget_id_bucket(hours integer)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET lock_timeout TO '50ms'
AS $function$
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
end $function$;
CREATE OR REPLACE FUNCTION behalf.is_run(ends integer[], bytes_length integer)
 RETURNS boolean
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
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
end $function$;
CREATE OR REPLACE FUNCTION behalf.refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  raise exception '% on % refused: the ledger is append-only', tg_op, tg_table_name
    using errcode = 'insufficient_privilege', hint = 'correct a record by appending another one';
end $function$;
CREATE OR REPLACE FUNCTION behalf.refuse_hand_over_without_entry()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if exists (select from behalf.log where log_id = new.log_id and size > new.leaf_index) then
    return new;
  end if;
  raise exception 'hand-over at entry % of log % refused: there is no such entry', new.leaf_index, new.log_id
    using errcode = 'insufficient_privilege', hint = 'run behalf keys rotate';
end $function$;
CREATE OR REPLACE FUNCTION behalf.refuse_rewrite_of_checkpoint()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if new.log_id = old.log_id and new.size = old.size and new.root = old.root and new.published_at = old.published_at
     and starts_with(new.note, old.note) and length(new.note) > length(old.note) then
    return new;
  end if;
  raise exception 'update of checkpoint % refused: a checkpoint only gains signatures', old.size
    using errcode = 'insufficient_privilege', hint = 'run behalf fsck';
end $function$;
CREATE OR REPLACE FUNCTION behalf.refuse_rewrite_of_tile()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if new.log_id = old.log_id and new.level = old.level and new.tile_index = old.tile_index
     and octet_length(new.hashes) >= octet_length(old.hashes)
     and substring(new.hashes from 1 for octet_length(old.hashes)) = old.hashes then
    return new;
  end if;
  raise exception 'update of tile %/% refused: a tile only grows', old.level, old.tile_index
    using errcode = 'insufficient_privilege', hint = 'run behalf fsck';
end $function$;
CREATE OR REPLACE FUNCTION behalf.refuse_shrinking_log()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if new.log_id = old.log_id and new.origin = old.origin and new.verifier_key = old.verifier_key
     and new.persons_check = old.persons_check and new.size > old.size and new.id_day >= old.id_day then
    return new;
  end if;
  raise exception 'update of log % refused: size may only grow (stored %, new %)', old.log_id, old.size, new.size
    using errcode = 'insufficient_privilege', hint = 'run behalf fsck';
end $function$;

CREATE TRIGGER append_only BEFORE DELETE ON behalf.checkpoint FOR EACH ROW EXECUTE FUNCTION behalf.refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON behalf.checkpoint FOR EACH STATEMENT EXECUTE FUNCTION behalf.refuse_change();
CREATE TRIGGER only_gains BEFORE UPDATE ON behalf.checkpoint FOR EACH ROW EXECUTE FUNCTION behalf.refuse_rewrite_of_checkpoint();
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON behalf.entry_bundle FOR EACH ROW EXECUTE FUNCTION behalf.refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON behalf.entry_bundle FOR EACH STATEMENT EXECUTE FUNCTION behalf.refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON behalf.entry_bundle_0 FOR EACH STATEMENT EXECUTE FUNCTION behalf.refuse_change();
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON behalf.hand_over FOR EACH ROW EXECUTE FUNCTION behalf.refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON behalf.hand_over FOR EACH STATEMENT EXECUTE FUNCTION behalf.refuse_change();
CREATE TRIGGER only_of_entries BEFORE INSERT ON behalf.hand_over FOR EACH ROW EXECUTE FUNCTION behalf.refuse_hand_over_without_entry();
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON behalf.id_bucket FOR EACH ROW EXECUTE FUNCTION behalf.refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON behalf.id_bucket FOR EACH STATEMENT EXECUTE FUNCTION behalf.refuse_change();
CREATE TRIGGER append_only BEFORE DELETE ON behalf.log FOR EACH ROW EXECUTE FUNCTION behalf.refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON behalf.log FOR EACH STATEMENT EXECUTE FUNCTION behalf.refuse_change();
CREATE TRIGGER only_grows BEFORE UPDATE ON behalf.log FOR EACH ROW EXECUTE FUNCTION behalf.refuse_shrinking_log();
CREATE TRIGGER append_only BEFORE DELETE ON behalf.tile FOR EACH ROW EXECUTE FUNCTION behalf.refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON behalf.tile FOR EACH STATEMENT EXECUTE FUNCTION behalf.refuse_change();
CREATE TRIGGER only_grows BEFORE UPDATE ON behalf.tile FOR EACH ROW EXECUTE FUNCTION behalf.refuse_rewrite_of_tile();

grant delete, insert, select, truncate, update on behalf.chain to behalf_projector;
grant select on behalf.chain to behalf_reader;
grant select on behalf.checkpoint to behalf_reader;
grant insert, select on behalf.checkpoint to behalf_writer;
grant update on behalf.checkpoint (note) to behalf_writer;
grant select on behalf.entry to behalf_projector;
grant select on behalf.entry to behalf_reader;
grant select on behalf.entry to behalf_writer;
grant select on behalf.entry_bundle to behalf_projector;
grant select on behalf.entry_bundle to behalf_reader;
grant insert, select on behalf.entry_bundle to behalf_writer;
grant delete, insert, select, truncate, update on behalf.entry_key to behalf_projector;
grant select on behalf.entry_key to behalf_reader;
grant delete, insert, select, truncate, update on behalf.entry_set to behalf_projector;
grant select on behalf.entry_set to behalf_reader;
grant delete, insert, select, truncate, update on behalf.finding to behalf_projector;
grant select on behalf.finding to behalf_reader;
grant select on behalf.hand_over to behalf_reader;
grant insert, select on behalf.hand_over to behalf_writer;
grant delete, insert, select, truncate, update on behalf.hop to behalf_projector;
grant select on behalf.hop to behalf_reader;
grant select on behalf.id_bucket to behalf_reader;
grant insert, select on behalf.id_bucket to behalf_writer;
grant select on behalf.log to behalf_projector;
grant select on behalf.log to behalf_reader;
grant select on behalf.log to behalf_writer;
grant update on behalf.log (id_day) to behalf_writer;
grant update on behalf.log (root) to behalf_writer;
grant update on behalf.log (size) to behalf_writer;
grant delete, insert, select, truncate, update on behalf.party to behalf_projector;
grant select on behalf.party to behalf_reader;
grant delete, insert, select, truncate, update on behalf.party_fact to behalf_projector;
grant select on behalf.party_fact to behalf_reader;
grant select on behalf.person to behalf_reader;
grant insert, select on behalf.person to behalf_writer;
grant delete, insert, select, truncate, update on behalf.projected_entry to behalf_projector;
grant select on behalf.projected_entry to behalf_reader;
grant delete, insert, select, truncate, update on behalf.projection to behalf_projector;
grant select on behalf.projection to behalf_reader;
grant delete, insert, select, truncate, update on behalf.shared_credential to behalf_projector;
grant select on behalf.shared_credential to behalf_reader;
grant select on behalf.tile to behalf_reader;
grant insert, select on behalf.tile to behalf_writer;
grant update on behalf.tile (hashes) to behalf_writer;
grant delete, insert, select, truncate, update on behalf.unread_entry to behalf_projector;
grant select on behalf.unread_entry to behalf_reader;
grant execute on function behalf.extend_entry_bundle(integer,bigint) to behalf_writer;
grant execute on function behalf.extend_id_bucket(integer) to behalf_writer;
grant execute on function behalf.forget_id_bucket(integer) to behalf_writer;
grant execute on function behalf.is_run(integer[],integer) to behalf_writer;
grant usage on schema behalf to behalf_projector;
grant usage on schema behalf to behalf_reader;
grant usage on schema behalf to behalf_writer;
