import { searchable } from '#projection';
import type { QueryContext } from './context.ts';
import { parseMoment } from './moment.ts';
import { partyKeysOf } from './party-filter.ts';
import { QueryProblem } from './problem.ts';
import type { ListParameters } from './schema/parameter.ts';
import type { Filter } from './sql/list.ts';

/** Parameters as the tables hold what they name. Throws QueryProblem. */
export async function filterOf(given: ListParameters, context: QueryContext): Promise<Filter> {
  const partyKeys = async (text: string | undefined) => (text === undefined ? undefined : partyKeysOf(text, context));
  const plain = (text: string | undefined) => (text === undefined ? undefined : searchable(text));
  return {
    subject: await partyKeys(given.subject),
    actor: await partyKeys(given.actor),
    service: plain(given.service),
    resource: plain(given.resource),
    scope: plain(given.scope),
    verdict: given.verdict,
    finding: given.finding,
    ...periodOf(given),
  };
}

/** A period as decimal unix nanoseconds. Throws QueryProblem when it ends before it begins. */
export function periodOf(given: { readonly from?: string; readonly to?: string }) {
  const from = given.from === undefined ? undefined : parseMoment(given.from, 'from');
  const to = given.to === undefined ? undefined : parseMoment(given.to, 'to');
  if (from !== undefined && to !== undefined && BigInt(to) <= BigInt(from))
    throw new QueryProblem('invalid_parameter', 'to: expected a moment after `from`');
  return { from, to };
}
