import type { Chain } from '#chains';
import type { PartyView } from '#query';
import { PartyLines } from './party.tsx';

/** Whose authority is used and who acted for them, oldest first, each with its place in the delegation. */
export const Delegation = ({ chain }: { chain: Pick<Chain<PartyView>, 'subject' | 'actors'> }) => (
  <section class="card" aria-labelledby="delegation-title">
    <header class="card-head">
      <h2 id="delegation-title">On whose behalf</h2>
    </header>
    <ol class="delegation">
      <li>
        <span class="place">subject</span>
        {chain.subject === null ? (
          <span class="muted">no subject was observed</span>
        ) : (
          <PartyLines party={chain.subject} />
        )}
      </li>
      {chain.actors.map((actor, i) => (
        <li key={`${i} ${actor.key}`}>
          <span class="place">actor {i + 1}</span>
          <PartyLines party={actor} />
        </li>
      ))}
    </ol>
    {chain.actors.length === 0 ? (
      <p class="hint">No actor was observed: the subject acted alone, or nobody said who did.</p>
    ) : null}
  </section>
);
