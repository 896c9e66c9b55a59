import type { Hop } from '#chains';
import type { PartyView } from '#query';
import { type ReachQuestion, reachAddress } from './route.ts';
import { Name } from './shown.tsx';

/** From a hop to what its token, its actor and its callee reached, and to what led to its resource. */
export function ReachLinks({ hop }: { hop: Hop<PartyView> }) {
  const actor = hop.actors.at(-1) ?? hop.subject;
  const questions: readonly (readonly [says: string, name: string, question: ReachQuestion])[] = [
    ...(actor === null || actor === undefined
      ? []
      : [['What else was reached by', actor.id ?? actor.key, forward('party', actor.key)] as const]),
    ...(hop.authority?.digest === undefined
      ? []
      : [
          [
            'What was reached with the token',
            hop.authority.digest.slice(0, 12),
            forward('token', hop.authority.digest),
          ] as const,
        ]),
    ...(hop.to === null ? [] : [['What was reached from', hop.to.name, forward('service', hop.to.name)] as const]),
    ...(hop.resource === null
      ? []
      : [
          [
            'What led, or could have led, to',
            hop.resource,
            { of: 'resource', key: hop.resource, isBackward: true },
          ] as const,
        ]),
  ];
  return (
    <ul class="reach-links">
      {questions.map(([says, name, question]) => (
        <li key={says}>
          <a href={reachAddress(question)}>
            {says} <Name text={name} />
          </a>
        </li>
      ))}
    </ul>
  );
}

const forward = (of: ReachQuestion['of'], key: string): ReachQuestion => ({ of, key, isBackward: false });
