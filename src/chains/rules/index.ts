import { deniedButEffected } from './denied-but-effected.ts';
import { orphanHop } from './orphan-hop.ts';
import type { Rule } from './rule.ts';
import { scopeExceeded } from './scope-exceeded.ts';
import { scopeWidened } from './scope-widened.ts';
import { sharedCredential } from './shared-credential.ts';
import { tokenReplayed } from './token-replayed.ts';
import { undisclosedBoundary, unverifiedBoundary } from './unverified-boundary.ts';

/** Every rule, one module each. Adding a rule is adding its module and a line here. Proven by test/chains/rules.test.ts. */
export const RULES: readonly Rule[] = [
  scopeWidened,
  scopeExceeded,
  unverifiedBoundary,
  undisclosedBoundary,
  deniedButEffected,
  orphanHop,
  tokenReplayed,
  sharedCredential,
];
