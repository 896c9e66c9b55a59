import type { HopEntry } from '#observation';
import type { Fact, Grade, Recorded } from './chain.ts';
import { digestOf, type End, firstOf, indexBySpan, isVerifiedBy, leafIndexesOf, parentsOf } from './end.ts';
import type { Lineage } from './lineage.ts';
import { compare, smallest } from './order.ts';
import { type Joint, pairsOf } from './pair.ts';
import { partyKey } from './party-key.ts';

/** A hop before it is linked and judged: one or both ends of a crossing, or a step inside one program. */
export interface Draft {
  readonly id: string;
  readonly kind: 'crossing' | 'local';
  readonly caller: End | undefined;
  readonly callee: End | undefined; // a local step stands here
  /** Whose span the callee continues, when another service's own report of it is no call: its name is known, its call is not. */
  readonly origin: End | undefined;
  readonly grade: Grade;
  readonly rests: readonly Fact[];
}

/** Everything reported of a hop, the callee's account last. */
export const accountsOf = ({ caller, callee }: Draft): readonly Recorded<HopEntry>[] => [
  ...(caller?.accounts ?? []),
  ...(callee?.accounts ?? []),
];

/** Puts both ends together. One draft per callee, one per caller nobody answered, one per local step. */
export function crossingsOf(ends: readonly End[], lineage: Lineage): readonly Draft[] {
  const pairs = pairsOf(ends);
  const bySpan = indexBySpan(ends);
  const answered = new Set([...pairs.values()].map(({ caller }) => caller));
  return ends
    .filter((end) => !answered.has(end))
    .map((end) => {
      if (end.side === 'caller') return draft(end, undefined, 'span', lineage);
      const pair = pairs.get(end);
      const origin = pair === undefined ? originOf(end, bySpan) : undefined;
      return { ...draft(pair?.caller, end, pair?.joint ?? 'span', lineage), origin };
    })
    .toSorted((a, b) => compare(a.id, b.id));
}

/** The one span of another service that a callee continues, whatever that service says of it. */
function originOf(callee: End, bySpan: ReadonlyMap<string, readonly End[]>): End | undefined {
  const [only, ...others] = callee.side === 'callee' ? parentsOf(callee, bySpan) : [];
  return others.length === 0 && only?.service !== callee.service ? only : undefined;
}

function draft(caller: End | undefined, callee: End | undefined, joint: Joint, lineage: Lineage): Draft {
  const ids = [caller, callee].flatMap((end) => (end === undefined ? [] : [end.id]));
  const kind = callee?.side === 'local' ? 'local' : 'crossing';
  // A caller that several callees answered stands in several drafts: the callee's id keeps them apart.
  return {
    id: callee?.id ?? smallest(ids),
    kind,
    caller,
    callee,
    origin: undefined,
    ...gradeOf(caller, callee, joint, lineage),
  };
}

interface Grading {
  readonly grade: Grade;
  readonly rests: readonly Fact[];
}

function gradeOf(caller: End | undefined, callee: End | undefined, joint: Joint, lineage: Lineage): Grading {
  const says = (grade: Grade, text: string, more: readonly string[] = []): Grading => ({
    grade,
    rests: [{ says: text, entries: [...leafIndexesOf(caller), ...leafIndexesOf(callee), ...more] }],
  });
  if (caller === undefined || callee === undefined) {
    const exchange = caller && lineage.answeredIn(caller);
    if (exchange !== undefined) {
      const isNamed = peerOf(caller) === exchange.entry.reporter.service;
      const leaf = String(exchange.leafIndex);
      return says(isNamed ? 'corroborated' : 'inferred', 'the issuer reports the exchange it answered in this call', [
        leaf,
      ]);
    }
    return says(
      'asserted',
      callee?.side === 'local' ? 'a step inside one service, by its own account' : 'told by one side only',
    );
  }
  if (joint === 'token') {
    return namesAsPeer(caller, callee)
      ? says('corroborated', 'the callee verified the very token the caller sent to it, in another trace')
      : says('asserted', 'one sender and one receiver of the same token, in different traces');
  }
  if (joint === 'span' && (caller.isUnsure || callee.isUnsure))
    return says('inferred', 'span parentage joins the two sides, in a trace that reuses span ids');
  const proof = proofOf(caller, callee, lineage);
  if (proof !== undefined && !namesAnother(caller, callee)) return says('proven', proof.says, proof.entries);
  if (contradict(caller, callee, lineage))
    return says('inferred', `${JOINTS[joint]} joins the two sides, which name different tokens or parties`);
  if (namesAsPeer(caller, callee) || namesSameSubject(caller, callee))
    return says('corroborated', 'both sides reported the crossing and name the same party');
  return says(joint === 'link' ? 'asserted' : 'inferred', `${JOINTS[joint]} alone joins the two sides`);
}

const JOINTS = { span: 'span parentage', link: 'a span link', token: 'a token' } as const;

/** A verified token, or an exchange the issuer accepted, that binds both sides. */
function proofOf(caller: End, callee: End, lineage: Lineage): Fact | undefined {
  const [sent, received] = [digestOf(caller), digestOf(callee)];
  if (sent === undefined) return undefined;
  if (received !== undefined && isVerifiedBy(callee)) {
    const path = lineage.path(sent, received);
    if (path?.length === 0)
      return { says: 'both sides name the same token digest and the callee verified it', entries: [] };
    if (path !== undefined && namesAsPeer(caller, callee)) {
      const entries = path.map(({ leafIndex }) => String(leafIndex));
      return { says: 'the callee verified a token exchanged on the way from the one the caller sent', entries };
    }
  }
  const exchange = received === undefined || received === sent ? lineage.exchangedBy(sent, callee) : undefined;
  return (
    exchange && {
      says: 'the callee exchanged the very token the caller sent',
      entries: [String(exchange.leafIndex)],
    }
  );
}

/** Tokens that no exchange joins, or subjects known from tokens that are not the same. */
function contradict(caller: End, callee: End, lineage: Lineage): boolean {
  const [sent, received] = [digestOf(caller), digestOf(callee)];
  if (sent !== undefined && received !== undefined && lineage.path(sent, received) === undefined) return true;
  const [here, there] = [subjectOf(caller), subjectOf(callee)];
  return here !== undefined && there !== undefined && here.basis === there.basis && partyKey(here) !== partyKey(there);
}

const peerOf = (caller: End | undefined): string | undefined =>
  firstOf([caller], (entry) => entry.transport.peerService);

/** The caller says it called a service of another name. It may be another name of this one: nothing is proven by either. */
const namesAnother = (caller: End, callee: End): boolean => (peerOf(caller) ?? callee.service) !== callee.service;

const namesAsPeer = (caller: End, callee: End): boolean => peerOf(caller) === callee.service;

function namesSameSubject(caller: End, callee: End): boolean {
  const [here, there] = [subjectOf(caller), subjectOf(callee)];
  return here !== undefined && there !== undefined && partyKey(here) === partyKey(there);
}

const subjectOf = (end: End) => firstOf([end], (entry) => entry.subject);
