import type { HopEntry } from '#observation';
import type { Fact, Grade, Recorded } from './chain.ts';
import { type End, firstOf, indexBySpan, leavesIn, parentsOf, type SpanIndex } from './end.ts';
import type { Lineage } from './lineage.ts';
import { compare } from './order.ts';
import { type Joint, type Pair, pairsOf } from './pair.ts';
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
      const pair = pairs.get(end);
      return draft(end, pair, pair === undefined ? originOf(end, bySpan) : undefined, lineage);
    })
    .toSorted((a, b) => compare(a.id, b.id));
}

/** The one span of another service that a callee continues, whatever that service says of it. */
function originOf(end: End, bySpan: SpanIndex): End | undefined {
  if (end.side !== 'callee') return undefined;
  const parents = parentsOf(end, bySpan);
  return parents.length === 1 && parents[0]?.service !== end.service ? parents[0] : undefined;
}

/** A caller that several callees answered stands in several drafts: the callee's id keeps them apart. */
function draft(end: End, pair: Pair | undefined, origin: End | undefined, lineage: Lineage): Draft {
  const [caller, callee] = end.side === 'caller' ? [end, undefined] : [pair?.caller, end];
  const { grade, rests } = gradeOf(caller, callee, pair?.joint ?? 'span', lineage);
  return { id: end.id, kind: end.side === 'local' ? 'local' : 'crossing', caller, callee, origin, grade, rests };
}

interface Grading {
  readonly grade: Grade;
  readonly rests: readonly Fact[];
}

function gradeOf(caller: End | undefined, callee: End | undefined, joint: Joint, lineage: Lineage): Grading {
  if (caller === undefined || callee === undefined) return gradeOneSided(caller, callee, lineage);
  const says = (grade: Grade, text: string, more: readonly string[] = []): Grading => ({
    grade,
    rests: [{ says: text, entries: [...caller.leaves, ...callee.leaves, ...more] }],
  });
  if (joint === 'token') {
    return namesAsPeer(caller, callee)
      ? says('corroborated', 'the callee verified the very token the caller sent to it, in another trace')
      : says('asserted', 'one sender and one receiver of the same token, in different traces');
  }
  if (joint !== 'link' && (caller.isUnsure || callee.isUnsure))
    return says('inferred', `${JOINTS[joint]} joins the two sides, in a trace that reuses span ids`);
  const isOne = joint !== 'message' || isOneMessage(caller, callee);
  const proof = isOne && !namesAnother(caller, callee) ? proofOf(caller, callee, lineage) : undefined;
  if (proof !== undefined) return says('proven', proof.says, proof.entries);
  if (contradict(caller, callee, lineage))
    return says('inferred', `${JOINTS[joint]} joins the two sides, which name different tokens or parties`);
  if (isOne && (namesAsPeer(caller, callee) || (namesSameSubject(caller, callee) && !carryOthers(caller, callee))))
    return says('corroborated', BOTH_NAME[joint]);
  return says(joint === 'link' ? 'asserted' : 'inferred', `${JOINTS[joint]} alone joins the two sides`);
}

function gradeOneSided(caller: End | undefined, callee: End | undefined, lineage: Lineage): Grading {
  const exchange = caller && lineage.answeredIn(caller);
  if (exchange !== undefined) {
    const says = 'the issuer reports the exchange it answered in this call';
    const entries = [...leavesIn(caller), ...leavesIn(callee), String(exchange.leafIndex)];
    const isNamed = caller?.peer === exchange.entry.reporter.service;
    return { grade: isNamed ? 'corroborated' : 'inferred', rests: [{ says, entries }] };
  }
  const says = callee?.side === 'local' ? 'a step inside one service, by its own account' : 'told by one side only';
  return { grade: 'asserted', rests: [{ says, entries: [...leavesIn(caller), ...leavesIn(callee)] }] };
}

const JOINTS = {
  span: 'span parentage',
  link: 'a span link',
  message: 'the id of one message',
  token: 'a token',
} as const;

const BOTH = 'both sides reported the crossing and name the same party';
const BOTH_NAME = {
  span: BOTH,
  link: BOTH,
  message: 'both sides reported the same message and name the same party',
  token: BOTH,
} as const;

/** An id may be given twice, on two queues or by two senders: whoever names another receiver or queue sent another message. */
function isOneMessage(caller: End, callee: End): boolean {
  if (namesAnother(caller, callee)) return false;
  const [sent, received] = [queueOf(caller), queueOf(callee)];
  return sent === undefined || received === undefined || sent === received;
}

const queueOf = (end: End): string | undefined =>
  firstOf([end], ({ transport, resource }) => (transport.protocol === 'messaging' ? resource : undefined));

/** A verified token, or an exchange the issuer accepted, that binds both sides. */
function proofOf(caller: End, callee: End, lineage: Lineage): Fact | undefined {
  const [sent, received] = [caller.digest, callee.digest];
  if (sent === undefined) return undefined;
  if (received !== undefined && callee.isVerified) {
    const path = lineage.path(sent, received);
    if (path?.length === 0)
      return { says: 'both sides name the same token digest and the callee verified it', entries: [] };
    if (path !== undefined && namesAsPeer(caller, callee)) {
      const entries = path.map(({ leaf }) => leaf);
      return { says: 'the callee verified a token derived on the way from the one the caller sent', entries };
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
  const [sent, received] = [caller.digest, callee.digest];
  if (sent !== undefined && received !== undefined && lineage.path(sent, received) === undefined) return true;
  const [here, there] = [caller.subject, callee.subject];
  return here !== undefined && there !== undefined && here.basis === there.basis && partyKey(here) !== partyKey(there);
}

/** One token was made from the other: somebody between exchanged it, or these are two calls for the same person. */
const carryOthers = ({ digest: sent }: End, { digest: received }: End): boolean =>
  sent !== undefined && received !== undefined && sent !== received;

/** The caller says it called a service of another name. It may be another name of this one: nothing is proven by either. */
const namesAnother = (caller: End, callee: End): boolean => (caller.peer ?? callee.service) !== callee.service;

const namesAsPeer = (caller: End, callee: End): boolean => caller.peer === callee.service;

function namesSameSubject(caller: End, callee: End): boolean {
  const [here, there] = [caller.subject, callee.subject];
  return here !== undefined && there !== undefined && partyKey(here) === partyKey(there);
}
