-- A checkpoint that was published short of the quorum may gain cosignatures afterwards: its note may have lines put to its
-- end, and nothing else of it changes.
create function behalf.refuse_rewrite_of_checkpoint() returns trigger language plpgsql as $$
begin
  if new.log_id = old.log_id and new.size = old.size and new.root = old.root and new.published_at = old.published_at
     and starts_with(new.note, old.note) and length(new.note) > length(old.note) then
    return new;
  end if;
  raise exception 'update of checkpoint % refused: a checkpoint only gains signatures', old.size
    using errcode = 'insufficient_privilege', hint = 'run behalf fsck';
end $$;

drop trigger append_only on behalf.checkpoint;
create trigger append_only before delete on behalf.checkpoint for each row execute function behalf.refuse_change();
create trigger only_gains before update on behalf.checkpoint for each row execute function behalf.refuse_rewrite_of_checkpoint();

revoke all on function behalf.refuse_rewrite_of_checkpoint() from public;
grant update (note) on behalf.checkpoint to behalf_writer;
