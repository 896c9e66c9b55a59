import type { Finding, Grade, Hop, Link, Verdict } from '#chains';
import type { PartyView } from '#query';
import { clean, type Paint, wrap } from './paint.ts';

/** Columns a drawing may take. */
export const WIDTH = 100;

type Style = Parameters<Paint>[0];
export const VERDICT_STYLE: Readonly<Record<Verdict, Style>> = {
  permitted: 'green',
  denied: 'yellow',
  unknown: 'gray',
  excessive: 'magenta',
  suspicious: 'red',
};
export const VERDICT_MARK: Readonly<Record<Verdict, string>> = {
  permitted: '✔',
  denied: '⊘',
  unknown: '?',
  excessive: '▲',
  suspicious: '✖',
};
const GRADE_STYLE: Readonly<Record<Grade, Style>> = {
  proven: ['bold', 'cyan'],
  corroborated: 'cyan',
  asserted: 'blue',
  inferred: 'gray',
  ambiguous: 'yellow',
};

/** A party as a person reads it: its name, and what it is where that is not plain. */
export function nameParty(party: PartyView): string {
  if (party.id === null) return `a ${party.type} no longer named (${clean(party.key, 14)})`;
  const kind = party.type === 'service' ? '' : ` (${party.type.replace('_', ' ')})`;
  return `${clean(party.id, 60)}${kind}`;
}

/** Columns of the right edge: a verdict and how sure the crossing is. */
const RIGHT = 26;

/** First line: number, who to whom, what; at the right edge the verdict and how sure the crossing is. */
export function headLine(hop: Hop<PartyView>, number: number, indent: number, paint: Paint): string {
  const room = WIDTH - indent - RIGHT;
  const left = clean(`${number}  ${titleOf(hop)}`, Math.max(12, room - 1)).padEnd(room);
  if (hop.kind === 'local') return `${paint('bold', left)}${paint('gray', 'step inside the service')}`;
  const verdict = `${VERDICT_MARK[hop.verdict]} ${hop.verdict}`.padEnd(13);
  return `${paint('bold', left)}${paint(VERDICT_STYLE[hop.verdict], verdict)}${paint(GRADE_STYLE[hop.grade], hop.grade)}`;
}

/** Who to whom, and what. An end nobody reported stands in brackets. */
export function titleOf(hop: Hop<PartyView>): string {
  const end = (service: Hop<PartyView>['from']) =>
    service === null ? '(not observed)' : service.reported ? clean(service.name, 32) : `(${clean(service.name, 32)})`;
  const operation = hop.operation === null ? '' : `  ${clean(hop.operation, 80)}`;
  return hop.kind === 'local' ? `${end(hop.from)}${operation}` : `${end(hop.from)} → ${end(hop.to)}${operation}`;
}

export interface HopSurroundings {
  readonly hop: Hop<PartyView>;
  /** The links that led to it, the one it hangs from first. */
  readonly led: readonly Link[];
  /** What rules found at it. */
  readonly found: readonly Finding[];
  readonly numberOf: (hopId: string) => number;
}

/** What else is known of a hop, each line at most `room` columns. */
export function detailLines(
  { hop, led, found, numberOf }: HopSurroundings,
  room: number,
  paint: Paint,
): readonly string[] {
  const dim = (text: string) => wrap(text, room).map((line) => paint('gray', line));
  const plain = (text: string) => wrap(text, room);
  return [
    ...whoOf(hop).flatMap(plain),
    ...authorityOf(hop).flatMap(plain),
    ...(hop.kind === 'crossing' ? dim(`crossing: ${factsOf(hop.rests)}`) : []),
    ...led.flatMap((link, i) =>
      dim(`${i === 0 ? 'led here by' : 'and by'} ${numberOf(link.from)}, ${link.grade}: ${factsOf(link.rests)}`),
    ),
    ...hop.disagreements.flatMap((fact) =>
      wrap(`the sides disagree: ${clean(fact.says)}`, room).map((line) => paint('yellow', line)),
    ),
    ...verdictOf(hop, found).flatMap((text) => wrap(text, room).map((line) => paint(VERDICT_STYLE[hop.verdict], line))),
  ];
}

const factsOf = (facts: Hop['rests']): string => facts.map(({ says }) => clean(says)).join('; ');

/** The findings by name, told in full below the tree; else the refusal. What is permitted or unknown needs no words. */
function verdictOf(hop: Hop<PartyView>, found: readonly Finding[]): readonly string[] {
  const names = [...new Set(found.filter(({ verdict }) => verdict !== null).map(({ title }) => title))];
  if (names.length > 0) return [`found: ${names.join(', ')}`];
  return hop.verdict === 'denied' ? [clean(hop.reason)] : [];
}

function whoOf(hop: Hop<PartyView>): readonly string[] {
  const subject = hop.subject === null ? undefined : `for ${nameParty(hop.subject)}`;
  const actors = hop.actors.length === 0 ? undefined : `by ${hop.actors.map(nameParty).join(' → ')}`;
  const initiator = hop.initiator === null ? undefined : `started by ${nameParty(hop.initiator)}`;
  const said = [subject, actors, initiator].filter((each) => each !== undefined);
  return said.length === 0 ? [] : [said.join(', ')];
}

function authorityOf(hop: Hop<PartyView>): readonly string[] {
  const { authority, requiredScopes, verification, resource } = hop;
  const scopes = authority?.scopes === undefined ? undefined : `scopes ${list(authority.scopes)}`;
  const needs = requiredScopes.length === 0 ? undefined : `needs ${list(requiredScopes)}`;
  const token =
    authority?.digest === undefined ? undefined : `token ${authority.digest.slice(0, 12)}… ${checked(verification)}`;
  const on = resource === null ? undefined : `on ${clean(resource, 80)}`;
  const said = [on, scopes, needs, token].filter((each) => each !== undefined);
  return said.length === 0 ? [] : [said.join(' · ')];
}

const list = (scopes: readonly string[]): string =>
  scopes.length === 0 ? 'none' : scopes.map((scope) => clean(scope, 60)).join(' ');

function checked(verification: Hop['verification']): string {
  if (verification === null) return 'as the caller sent it';
  if (verification.status === 'verified') return 'verified by the callee';
  const why = verification.reason === undefined ? '' : ` (${clean(verification.reason, 80)})`;
  return verification.status === 'failed' ? `failed verification${why}` : `not verified by the callee${why}`;
}
