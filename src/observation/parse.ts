import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { Entry, Observation } from './observation.ts';

/** Outside data that is not what the closed schema allows; the message names the first field that is wrong. */
export class ObservationError extends Error {
  override readonly name = 'ObservationError';
}

interface Complaint {
  readonly keyword: string;
  readonly instancePath: string;
  readonly message: string;
}
interface Checker<T> {
  Check(value: unknown): value is T;
  Errors(value: unknown): readonly Complaint[];
}

const observationCheckers = checkersOf(Observation.anyOf);
const entryCheckers = checkersOf(Entry.anyOf);

function checkersOf<H extends TSchema, X extends TSchema, R extends TSchema>([hop, exchange, revocation]: [H, X, R]) {
  return { hop: Compile(hop), exchange: Compile(exchange), revocation: Compile(revocation) };
}

/** Takes outside data as an observation with parties in clear. Throws ObservationError. */
export const parseObservation = (value: unknown): Observation => check(value, observationCheckers, 'observation');

/** Takes outside data as an entry, persons sealed. Throws ObservationError. */
export const checkEntry = (value: unknown): Entry => check(value, entryCheckers, 'entry');

type Checkers<H, X, R> = { readonly hop: Checker<H>; readonly exchange: Checker<X>; readonly revocation: Checker<R> };

function check<H, X, R>(value: unknown, checkers: Checkers<H, X, R>, what: string): H | X | R {
  const kind = typeof value === 'object' && value !== null && 'kind' in value ? value.kind : undefined;
  if (kind !== 'hop' && kind !== 'exchange' && kind !== 'revocation') {
    throw new ObservationError(`${what}: expected kind hop, exchange or revocation, got ${brief(kind)}`);
  }
  const checker: Checker<H | X | R> = checkers[kind];
  if (checker.Check(value)) return value;
  throw new ObservationError(`${what} of kind ${kind}: ${complain(checker.Errors(value))}`);
}

/** Names the field and the rule, never the value: it may be a secret or a person. */
function complain(complaints: readonly Complaint[]): string {
  const first = complaints.find((complaint) => complaint.keyword !== 'boolean') ?? complaints[0];
  if (first === undefined) return 'does not fit the schema';
  return `${first.instancePath === '' ? 'it' : first.instancePath} ${first.message}`.slice(0, 300);
}

const brief = (value: unknown): string =>
  typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : typeof value;
