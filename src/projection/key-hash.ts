import { hash } from 'node:crypto';

/** How a key that joins entries stands in behalf.entry_key: hex. `kind` is trace, token or transaction. */
export const keyHash = (kind: string, value: string): string => hash('sha256', `${kind} ${value}`);
