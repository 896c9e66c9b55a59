import { activeContext, delegationIn } from './active-context.ts';
import type { Delegation } from './delegation.ts';

/** The delegation of the guarded request the running code serves; undefined outside one, or when no token was verified. */
export const currentDelegation = (): Delegation | undefined => delegationIn(activeContext());
