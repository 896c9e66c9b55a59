-- What findings and the inventory rest on beside use: thresholds of the log's own, when parties were offboarded, and which
-- credentials several share. All of it is part of the projection.

-- The thresholds by which a log's chains are judged, where they differ from the defaults: canonical JSON. They change only
-- together with all that was judged by them.
alter table behalf.projection add column thresholds text not null default '{}';

-- More facts of a party. `revoked`, `restored`: when it was offboarded and when it came back (also of persons), as 20 digits of
-- unix nanoseconds. `credential`: the digest of one that holds for long; `key`: the key its tokens are signed with.
alter table behalf.party_fact drop constraint party_fact_kind_check;
alter table behalf.party_fact add constraint party_fact_kind_check check (kind in ('credential', 'day', 'host', 'key',
  'on_behalf_of', 'restored', 'revoked', 'scope_held', 'scope_used', 'service', 'target', 'tool'));
create index party_fact_ended on behalf.party_fact (log_id, party_key, value) where kind in ('restored', 'revoked');
create index party_fact_credential on behalf.party_fact (log_id, value) where kind = 'credential';

-- Who presented a token that several workloads presented without passing it on.
create table behalf.shared_credential (
  log_id    integer     not null,
  set_id    bigint      not null,
  digest    text        not null,
  party_key text        not null,
  workload  text        not null,
  last_seen numeric(20) not null, -- unix nanoseconds, as claimed
  primary key (log_id, set_id, digest, party_key, workload)
);
create index shared_credential_party on behalf.shared_credential (log_id, party_key);
create index shared_credential_digest on behalf.shared_credential (log_id, digest);

revoke all on behalf.shared_credential from public;
grant select, insert, update, delete, truncate on behalf.shared_credential to behalf_projector;
grant select on behalf.shared_credential to behalf_reader;
