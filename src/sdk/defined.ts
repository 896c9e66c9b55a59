/** Members that may hold undefined become members that may be absent. */
export type Defined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** The object without the members that are undefined. */
export function defined<T extends object>(value: T): Defined<T> {
  const found: Partial<T> = {};
  for (const name in value) if (value[name] !== undefined) found[name] = value[name];
  return found as unknown as Defined<T>;
}
