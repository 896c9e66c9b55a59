import type { Evidence } from '../evidence.ts';
import type { UnjudgedHop } from '../hop.ts';
import { credentialOf, entriesOfHop, type Rule, type Violation } from './rule.ts';

/**
 * One token presented by several workloads. Passing the same token on along a chain is not sharing (a Txn-Token does so by
 * design): only presenters that no other use of the token led to count. Where one workload reports its use and a stranger
 * does not, the stranger's chain is the wrong one. Can be wrong where one workload changes address.
 */
export const sharedCredential: Rule = {
  id: 'shared_credential',
  title: 'One credential, several workloads',
  meaning: 'One token was presented by several workloads that did not pass it on to each other.',
  clears: 'Each workload has a credential of its own.',
  wrong: 'One workload changed its address and did not report its calls.',
  severity: 'critical',
  verdict: 'suspicious',
  owasp: ['NHI9:2025', 'NHI2:2025', 'ASI03'],
  restsOnAbsence: true,
  judge: (evidence) =>
    [...digestsOf(evidence)].flatMap(([digest, first]): Violation[] => {
      const all = evidence.usesOf(digest);
      const uses = all.filter((use) => !mayContinueToken(use, all, evidence));
      const { reported, strangers } = presentersOf(uses, evidence);
      const presenters = [...reported, ...strangers];
      const isRightful = reported.length === 1 && first.callerEntries.length > 0;
      if (presenters.length < 2 || isRightful) return [];
      const says = `token ${digest.slice(0, 12)}… was presented by ${presenters.length} workloads: ${presenters.join(', ')}`;
      return [{ hop: first.id, says, facts: [{ says, entries: [...new Set(uses.flatMap(entriesOfHop))] }] }];
    }),
};

/**
 * A hop that some earlier use of the same token led to, through whatever steps, passes it on. So may a service that was
 * itself called with the token, and one of which nobody tells what it was called with.
 */
function mayContinueToken(use: UnjudgedHop, uses: readonly UnjudgedHop[], evidence: Evidence): boolean {
  if (uses.some((other) => other.to !== null && other.to.name === use.from?.name)) return true;
  if (evidence.before(use.id).some((each) => each.authority?.digest === use.authority?.digest)) return true;
  const inbound = evidence.callBefore(use);
  return inbound === undefined ? namesEarlier(use, evidence) : credentialOf(evidence, inbound) === undefined;
}

const namesEarlier = (use: UnjudgedHop, { accountsOf }: Evidence): boolean =>
  accountsOf(use).caller.some(({ trace, cause }) => trace?.parentSpanId !== undefined || cause !== undefined);

/** Each digest used more than once, with the hop to show it at: one nobody reported making, if there is one. */
function digestsOf({ hops, usesOf }: Evidence): ReadonlyMap<string, UnjudgedHop> {
  const digests = new Map<string, UnjudgedHop>();
  for (const hop of hops) {
    const digest = hop.authority?.digest;
    if (digest === undefined || usesOf(digest).length < 2) continue;
    if (!digests.has(digest) || hop.callerEntries.length === 0) digests.set(digest, hop);
  }
  return digests;
}

/** The services that report presenting the token, and the network hosts no reported presenter was seen at. */
function presentersOf(uses: readonly UnjudgedHop[], { peerHostOf }: Evidence) {
  const reported = uses.filter((use) => use.callerEntries.length > 0);
  const knownHosts = new Set(reported.map(peerHostOf));
  const hosts = uses
    .filter((use) => use.callerEntries.length === 0 && !isPersonsOwn(use))
    .flatMap((use) => peerHostOf(use) ?? [])
    .filter((host) => !knownHosts.has(host));
  return {
    reported: namesIn(reported.flatMap((use) => use.from?.name ?? [])),
    strangers: namesIn(hosts.map((host) => `an unreported caller at ${host}`)),
  };
}

const namesIn = (names: readonly string[]): readonly string[] => [...new Set(names)].toSorted();

/** A person without any actor in between: people change networks, workloads rarely. */
const isPersonsOwn = (use: UnjudgedHop): boolean => use.subject?.type === 'user' && use.actors.length === 0;
