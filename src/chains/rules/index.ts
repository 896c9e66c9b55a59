import { actMissing } from './act-missing.ts';
import { actorNotPeer } from './actor-not-peer.ts';
import { afterOffboarding } from './after-offboarding.ts';
import { agentAsHuman } from './agent-as-human.ts';
import { approvalMissing } from './approval-missing.ts';
import { audienceViolated } from './audience-violated.ts';
import { baggageContradicts } from './baggage-contradicts.ts';
import { callCycle } from './call-cycle.ts';
import { confusedDeputy } from './confused-deputy.ts';
import { delegationLaundered } from './delegation-laundered.ts';
import { deniedButEffected } from './denied-but-effected.ts';
import { dormantAwakened } from './dormant-awakened.ts';
import { environmentCrossed } from './environment-crossed.ts';
import { expiryViolated } from './expiry-violated.ts';
import { humanUsesService } from './human-uses-service.ts';
import { impersonation } from './impersonation.ts';
import { issuerViolated } from './issuer-violated.ts';
import { longLivedSecret } from './long-lived-secret.ts';
import { orphanHop } from './orphan-hop.ts';
import type { Rule } from './rule.ts';
import { scopeExceeded } from './scope-exceeded.ts';
import { scopeUnused } from './scope-unused.ts';
import { scopeWidened } from './scope-widened.ts';
import { secretInTelemetry } from './secret-in-telemetry.ts';
import { sharedCredential } from './shared-credential.ts';
import { tokenReplayed } from './token-replayed.ts';
import { tooDeep } from './too-deep.ts';
import { toolFirstUsed } from './tool-first-used.ts';
import { unexpectedPlace } from './unexpected-place.ts';
import { undisclosedBoundary, unverifiedBoundary } from './unverified-boundary.ts';

/**
 * Every rule, one module each; among findings of one verdict and severity the first rule here gives the reason. Adding a rule
 * is adding its module and a line here. Proven by test/chains/rules.test.ts and test/findings.
 */
export const RULES: readonly Rule[] = [
  delegationLaundered,
  tokenReplayed,
  afterOffboarding,
  audienceViolated,
  issuerViolated,
  expiryViolated,
  unverifiedBoundary,
  actorNotPeer,
  baggageContradicts,
  deniedButEffected,
  confusedDeputy,
  sharedCredential,
  approvalMissing,
  scopeWidened,
  actMissing,
  impersonation,
  agentAsHuman,
  humanUsesService,
  environmentCrossed,
  unexpectedPlace,
  dormantAwakened,
  orphanHop,
  callCycle,
  tooDeep,
  scopeExceeded,
  longLivedSecret,
  secretInTelemetry,
  toolFirstUsed,
  scopeUnused,
  undisclosedBoundary,
];
