import { joinKeysOf, type Recorded } from '#chains';

/** By leaf index, which entries any path of shared keys connects: union-find over what joins entries. */
export function connectedSets(recorded: readonly Recorded[]): ReadonlyMap<string, number> {
  const parent = recorded.map((_, i) => i);
  const rootOf = (at: number): number => {
    let root = at;
    for (let up = parent[root]; up !== undefined && up !== root; up = parent[root]) root = up;
    parent[at] = root;
    return root;
  };
  const first = new Map<string, number>();
  for (const [i, { entry }] of recorded.entries()) {
    for (const { kind, value } of joinKeysOf(entry)) {
      const other = first.get(`${kind} ${value}`);
      if (other === undefined) first.set(`${kind} ${value}`, i);
      else parent[rootOf(i)] = rootOf(other);
    }
  }
  return new Map(recorded.map(({ leafIndex }, i) => [String(leafIndex), rootOf(i)]));
}
