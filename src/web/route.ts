import type { Origin, Verdict } from '#chains';

export interface ChainFilters {
  readonly verdict: Verdict | null;
  readonly service: string;
}

/** How far something reached, or what led to it. */
export interface ReachQuestion {
  readonly of: ReachOrigin;
  readonly key: string;
  readonly isBackward: boolean;
}
export const REACH_ORIGINS = ['party', 'token', 'service', 'resource'] as const satisfies readonly Origin['kind'][];
export type ReachOrigin = (typeof REACH_ORIGINS)[number];

/** What the address after `#` asks for. */
export type Route =
  | { readonly kind: 'chains'; readonly filters: ChainFilters }
  | { readonly kind: 'chain'; readonly id: string; readonly hop: string | null }
  | { readonly kind: 'entry'; readonly index: string }
  | { readonly kind: 'key' }
  | { readonly kind: 'reach'; readonly question: ReachQuestion }
  | { readonly kind: 'nowhere'; readonly address: string };

/** Reads `location.hash`. Never throws: what it does not know is `nowhere`. */
export function parseRoute(hash: string): Route {
  const nowhere: Route = { kind: 'nowhere', address: hash };
  const [path = '', query = ''] = hash.replace(/^#?\/?/, '').split(/\?(.*)/s);
  const words = new URLSearchParams(query);
  const [head = '', rest] = path.split(/\/(.*)/s);
  if (head === '') return { kind: 'chains', filters: filtersFrom(words) };
  if (head === 'key') return { kind: 'key' };
  if (rest === undefined || rest === '') return nowhere;
  if (head === 'entries') return /^(0|[1-9][0-9]{0,18})$/.test(rest) ? { kind: 'entry', index: rest } : nowhere;
  if (head !== 'chains' && head !== 'reach') return nowhere;
  try {
    if (head === 'reach') return reachFrom(rest, words) ?? nowhere;
    return { kind: 'chain', id: decodeURIComponent(rest), hop: words.get('hop') };
  } catch {
    return nowhere; // a broken percent sign
  }
}

function reachFrom(rest: string, words: URLSearchParams): Route | undefined {
  const [kind = '', key = ''] = rest.split(/\/(.*)/s).map(decodeURIComponent);
  const of = REACH_ORIGINS.find((each) => each === kind);
  if (of === undefined || key === '') return undefined;
  return { kind: 'reach', question: { of, key, isBackward: words.get('direction') === 'backward' } };
}

const filtersFrom = (words: URLSearchParams): ChainFilters => {
  const verdict = words.get('verdict') ?? '';
  return { verdict: isVerdict(verdict) ? verdict : null, service: words.get('service') ?? '' };
};

/** The worst first, as everywhere. */
export const VERDICT_NAMES = [
  'suspicious',
  'excessive',
  'denied',
  'unknown',
  'permitted',
] as const satisfies readonly Verdict[];
const isVerdict = (word: string): word is Verdict => VERDICT_NAMES.some((verdict) => verdict === word);

export const chainsAddress = (filters: ChainFilters): string => {
  const query = filterQuery(filters);
  return query === '' ? '#/' : `#/?${query}`;
};
export const chainAddress = (id: string, hop?: string): string =>
  `#/chains/${encodeURIComponent(id)}${hop === undefined ? '' : `?${new URLSearchParams({ hop })}`}`;
export const reachAddress = ({ of, key, isBackward }: ReachQuestion): string =>
  `#/reach/${of}/${encodeURIComponent(key)}${isBackward ? '?direction=backward' : ''}`;
export const entryAddress = (index: string): string => `#/entries/${index}`;

/** The filters as a query, the same words in the page's address and in the API's. */
export function filterQuery({ verdict, service }: ChainFilters): string {
  return new URLSearchParams({
    ...(verdict === null ? {} : { verdict }),
    ...(service === '' ? {} : { service }),
  }).toString();
}
