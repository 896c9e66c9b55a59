-- The projection: what queries read, followed from the entries and droppable. No row here is a source of truth; rebuilding
-- gives the same rows, byte for byte, so nothing here is a time of writing, a sequence or a random value.
-- Persons stand as their reference and sealed value only: the projection has no keys.

-- How far a log is followed. The position moves in the transaction that writes what it stands for.
create table behalf.projection (
  log_id   integer not null,
  position bigint  not null check (position >= 0),
  primary key (log_id)
);

-- Which set of entries each entry is stitched in. set_id: the smallest leaf index of the set.
create table behalf.projected_entry (
  log_id         integer not null,
  leaf_index     bigint  not null,
  observation_id uuid    not null,
  set_id         bigint  not null,
  primary key (log_id, leaf_index),
  unique (log_id, observation_id)
);
create index projected_entry_set on behalf.projected_entry (log_id, set_id);

create table behalf.entry_set (
  log_id  integer not null,
  set_id  bigint  not null,
  entries integer not null check (entries > 0),
  bounded boolean not null, -- more entries belong with these than are stitched together
  primary key (log_id, set_id)
);

-- What joins entries: SHA-256 of a trace id, a token digest or a verified transaction, each with its kind.
create table behalf.entry_key (
  log_id integer not null,
  key    bytea   not null check (octet_length(key) = 32),
  set_id bigint  not null,
  uses   bigint  not null check (uses > 0),
  primary key (log_id, key)
);
create index entry_key_set on behalf.entry_key (log_id, set_id);

-- Entries the projection cannot read; they stay in the ledger and are counted here.
create table behalf.unread_entry (
  log_id     integer not null,
  leaf_index bigint  not null,
  reason     text    not null,
  primary key (log_id, leaf_index)
);

create table behalf.chain (
  log_id       integer     not null,
  chain_id     text        not null,
  set_id       bigint      not null,
  from_time    numeric(20) not null, -- unix nanoseconds, as claimed: up to 20 digits
  to_time      numeric(20) not null,
  subject_key  text,
  actor_keys   text[]      not null,
  services     text[]      not null,
  resources    text[]      not null,
  scopes       text[]      not null,
  trace_ids    text[]      not null,
  transactions text[]      not null,
  verdict      text        not null,
  rules        text[]      not null,
  summary      text        not null, -- canonical JSON of what a list shows
  body         text        not null, -- canonical JSON of the chain, persons sealed
  primary key (log_id, chain_id)
);
create index chain_set on behalf.chain (log_id, set_id);
create index chain_newest on behalf.chain (log_id, from_time desc, chain_id desc);
create index chain_verdict on behalf.chain (log_id, verdict, from_time desc, chain_id desc);
create index chain_subject on behalf.chain (log_id, subject_key, from_time desc, chain_id desc);
create index chain_actors on behalf.chain using gin (actor_keys);
create index chain_services on behalf.chain using gin (services);
create index chain_resources on behalf.chain using gin (resources);
create index chain_scopes on behalf.chain using gin (scopes);
create index chain_rules on behalf.chain using gin (rules);
create index chain_traces on behalf.chain using gin (trace_ids);
create index chain_transactions on behalf.chain using gin (transactions);

create table behalf.hop (
  log_id       integer     not null,
  hop_id       uuid        not null,
  chain_id     text        not null,
  set_id       bigint      not null,
  time         numeric(20) not null,
  from_service text,
  to_service   text,
  resource     text,
  subject_key  text,
  actor_keys   text[]      not null,
  scopes       text[]      not null,
  grade        text        not null,
  verdict      text        not null,
  rules        text[]      not null,
  body         text        not null, -- canonical JSON of the hop, persons sealed
  primary key (log_id, hop_id)
);
create index hop_set on behalf.hop (log_id, set_id);
create index hop_time on behalf.hop (log_id, time, hop_id);

create table behalf.finding (
  log_id   integer     not null,
  chain_id text        not null,
  ordinal  integer     not null,
  set_id   bigint      not null,
  time     numeric(20) not null, -- of its chain
  rule     text        not null,
  severity text        not null,
  body     text        not null, -- canonical JSON of the finding
  primary key (log_id, chain_id, ordinal)
);
create index finding_set on behalf.finding (log_id, set_id);
create index finding_newest on behalf.finding (log_id, time desc, chain_id desc, ordinal desc);

-- Every party an entry of a set names in clear, by its exact key; persons only by reference.
create table behalf.party (
  log_id    integer not null,
  party_key text    not null,
  type      text    not null,
  issuer    text,
  id        text, -- null for persons
  primary key (log_id, party_key)
);
create index party_id on behalf.party (log_id, id);

do $$
declare
  name text;
begin
  foreach name in array array['projection', 'projected_entry', 'entry_set', 'entry_key', 'unread_entry', 'chain', 'hop', 'finding', 'party'] loop
    execute format('revoke all on behalf.%I from public', name);
    execute format('grant select, insert, update, delete, truncate on behalf.%I to behalf_projector', name);
    execute format('grant select on behalf.%I to behalf_reader', name);
  end loop;
end $$;
