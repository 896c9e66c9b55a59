-- What is known of each party that is no person from its use, and the graph of observed use. Part of the projection: built from
-- the entries alone, each taken once, so that a rebuild gives the same rows.

-- One fact of a party: where it works, whom it calls, what it holds and needed, for whom, from where, on which days.
create table behalf.party_fact (
  log_id     integer     not null,
  party_key  text        not null,
  kind       text        not null check (kind in ('day', 'host', 'on_behalf_of', 'scope_held', 'scope_used', 'service', 'target', 'tool')),
  value      text        not null,
  first_leaf bigint      not null check (first_leaf >= 0), -- the first entry that says so
  first_seen numeric(20) not null, -- unix nanoseconds, as claimed
  last_seen  numeric(20) not null,
  primary key (log_id, party_key, kind, value)
);

-- Which service calls which, and when last: distinct pairs are found without reading every call.
create index hop_call on behalf.hop (log_id, from_service, to_service, time desc) where from_service <> to_service;

revoke all on behalf.party_fact from public;
grant select, insert, update, delete, truncate on behalf.party_fact to behalf_projector;
grant select on behalf.party_fact to behalf_reader;
