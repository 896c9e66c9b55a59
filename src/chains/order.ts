/** Order of code units: the same on every machine, unlike a locale's. */
export const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Order of decimal numbers without leading zeros, such as times and leaf indexes: the shorter is the smaller. */
export const compareDecimals = (a: string, b: string): number => a.length - b.length || compare(a, b);

/** The first in that order. The list is never empty. */
export const smallest = (ids: readonly string[]): string => ids.reduce((least, id) => (id < least ? id : least));

/** Each value once, in that order. */
export const sortedSet = (values: Iterable<string>): string[] => [...new Set(values)].toSorted(compare);

/** Lists by key, in order of arrival; what has no key is left out. */
export function groupBy<T>(
  list: Iterable<T>,
  keyOf: (each: T) => string | undefined,
): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const each of list) {
    const key = keyOf(each);
    if (key !== undefined) addTo(groups, key, each);
  }
  return groups;
}

/** Adds to the list under a key. */
export function addTo<K, T>(groups: Map<K, T[]>, key: K, each: T): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, [each]);
  else group.push(each);
}
