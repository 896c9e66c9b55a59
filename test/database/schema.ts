import { withSettings } from '../../src/database/url.ts';
import { ask } from './embedded.ts';

/**
 * The schema behalf of a database as text: what migrations add up to, whatever way they were written. The embedded
 * PostgreSQL comes without pg_dump, so this asks the catalogs: tables with their columns and constraints, indexes,
 * triggers, functions, views, and who but the owner may do what.
 */
export async function schemaOf(url: string): Promise<string> {
  const bare = withSettings(url, { search_path: 'pg_catalog' }); // names are then written in full, whoever asks
  const parts = [];
  for (const query of [TABLES, INDEXES, VIEWS, FUNCTIONS, TRIGGERS, GRANTS]) {
    const rows = await ask(bare, query);
    const said = rows.map(({ says }) => String(says).trimEnd()).filter((each) => !OF_A_DAY.test(each));
    parts.push(said.map((each) => `${each};\n`).join(''));
  }
  return parts.filter((part) => part !== '').join('\n');
}

/** Partitions that are made for the days that come: they are no part of what migrations add up to. */
const OF_A_DAY = /\bid_bucket_\d+\b/;

const HERE = `'behalf'::regnamespace`;

const COLUMNS = `
  select '  ' || quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod)
      || case when a.attnotnull then ' not null' else '' end
      || coalesce(case a.attgenerated when 's' then ' generated always as (' || pg_get_expr(d.adbin, d.adrelid) || ') stored'
                  else ' default ' || pg_get_expr(d.adbin, d.adrelid) end, '')
      || case when a.attidentity <> '' then ' generated as identity' else '' end
      || case when a.attstorage <> t.typstorage then ' storage ' || case a.attstorage when 'p' then 'plain' when 'e' then 'external' when 'm' then 'main' else 'extended' end else '' end as line,
    1 as part, a.attnum::text as place
  from pg_attribute a
  join pg_type t on t.oid = a.atttypid
  left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped`;

/** Since PostgreSQL 18 not null is a constraint too; it stands with its column. */
const CONSTRAINTS = `
  select '  constraint ' || quote_ident(k.conname) || ' ' || pg_get_constraintdef(k.oid), 2, k.conname
  from pg_constraint k where k.conrelid = c.oid and k.contype not in ('n', 't')`;

const TABLES = `
  select 'create table ' || c.oid::regclass || case
      when c.relispartition then ' partition of ' || (select inhparent::regclass::text from pg_inherits where inhrelid = c.oid)
                                 || ' ' || pg_get_expr(c.relpartbound, c.oid)
      else e' (\\n' || (select string_agg(line, e',\\n' order by part, lpad(place, 64)) from (${COLUMNS} union all ${CONSTRAINTS}) as lines) || e'\\n)'
    end
    || coalesce(' partition by ' || pg_get_partkeydef(c.oid), '')
    || coalesce(' with (' || array_to_string(c.reloptions, ', ') || ')', '')
    || case when c.relrowsecurity then ' with row level security' else '' end as says
  from pg_class c
  where c.relnamespace = ${HERE} and c.relkind in ('r', 'p')
  order by c.oid::regclass::text collate "C"`;

const INDEXES = `
  select pg_get_indexdef(i.indexrelid) as says from pg_index i join pg_class c on c.oid = i.indexrelid
  where c.relnamespace = ${HERE} and not c.relispartition
    and not exists (select from pg_constraint k where k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x'))
  order by c.relname collate "C"`;

const VIEWS = `
  select 'create view ' || c.oid::regclass || e' as\\n' || rtrim(pg_get_viewdef(c.oid), ';') as says from pg_class c
  where c.relnamespace = ${HERE} and c.relkind in ('v', 'm') order by c.relname collate "C"`;

const FUNCTIONS = `
  select pg_get_functiondef(p.oid) as says from pg_proc p
  where p.pronamespace = ${HERE} and p.prokind in ('f', 'p') order by p.oid::regprocedure::text collate "C"`;

const TRIGGERS = `
  select pg_get_triggerdef(t.oid) as says from pg_trigger t join pg_class c on c.oid = t.tgrelid
  where c.relnamespace = ${HERE} and not t.tgisinternal and t.tgparentid = 0
  order by c.relname collate "C", t.tgname collate "C"`;

const granted = (what: string, acl: string, owner: string) => `
  select string_agg(lower(x.privilege_type), ', ' order by x.privilege_type collate "C") as rights, ${what} as what,
    case x.grantee when 0 then 'public' else pg_get_userbyid(x.grantee) end as grantee
  from aclexplode(${acl}) as x where x.grantee <> ${owner} group by x.grantee`;

/** Without a list of its own a thing has its kind's defaults, which for functions means everybody. */
const GRANTS = `
  select 'grant ' || g.rights || ' on ' || g.what || ' to ' || g.grantee as says from (
    select g.* from pg_namespace n, lateral (${granted(`'schema ' || n.nspname`, `coalesce(n.nspacl, acldefault('n', n.nspowner))`, 'n.nspowner')}) as g
    where n.oid = ${HERE}
    union all
    select g.* from pg_class c, lateral (${granted('c.oid::regclass::text', `coalesce(c.relacl, acldefault('r', c.relowner))`, 'c.relowner')}) as g
    where c.relnamespace = ${HERE} and c.relkind in ('r', 'p', 'v', 'm', 'S')
    union all
    select g.* from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attacl is not null,
      lateral (${granted(`c.oid::regclass || ' (' || quote_ident(a.attname) || ')'`, 'a.attacl', 'c.relowner')}) as g
    where c.relnamespace = ${HERE}
    union all
    select g.* from pg_proc p, lateral (${granted(`'function ' || p.oid::regprocedure`, `coalesce(p.proacl, acldefault('f', p.proowner))`, 'p.proowner')}) as g
    where p.pronamespace = ${HERE}
  ) as g order by g.what collate "C", g.grantee collate "C"`;
