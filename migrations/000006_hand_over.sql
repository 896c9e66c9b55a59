-- Where the log's entries hand its key over, and the note both keys signed: an index over entries, which fsck compares. It
-- decides nothing by itself. behalf.log.verifier_key stays the first key, and whoever reads follows the signatures from it.
create table behalf.hand_over (
  log_id     integer not null,
  leaf_index bigint  not null check (leaf_index >= 0),
  note       text    not null check (length(note) <= 8192),
  primary key (log_id, leaf_index)
);

create function behalf.refuse_hand_over_without_entry() returns trigger language plpgsql as $$
begin
  if exists (select from behalf.log where log_id = new.log_id and size > new.leaf_index) then
    return new;
  end if;
  raise exception 'hand-over at entry % of log % refused: there is no such entry', new.leaf_index, new.log_id
    using errcode = 'insufficient_privilege', hint = 'run behalf keys rotate';
end $$;

create trigger append_only before update or delete on behalf.hand_over for each row execute function behalf.refuse_change();
create trigger append_only_truncate before truncate on behalf.hand_over execute function behalf.refuse_change();
create trigger only_of_entries before insert on behalf.hand_over for each row execute function behalf.refuse_hand_over_without_entry();

revoke all on behalf.hand_over from public;
revoke all on function behalf.refuse_hand_over_without_entry() from public;
grant select, insert on behalf.hand_over to behalf_writer;
grant select on behalf.hand_over to behalf_reader;
