import type { Exchange } from '#chains';
import type { PartyView } from '#query';
import { EntryLinks } from './findings.tsx';
import { PartyName } from './party.tsx';
import { Arrow, Digest, Names, Sentence } from './shown.tsx';
import { formatInstant, formatLocal } from './time.ts';

/** Token in, token out, as whoever performed the exchange reported it. */
export const Exchanges = ({ exchanges }: { exchanges: readonly Exchange<PartyView>[] }) => (
  <div class="scroll">
    <table>
      <thead>
        <tr>
          <th scope="col">When</th>
          <th scope="col">Requested by</th>
          <th scope="col">Token in, token out</th>
          <th scope="col">Scopes held, granted</th>
          <th scope="col">Decision</th>
          <th scope="col">Entry</th>
        </tr>
      </thead>
      <tbody>
        {exchanges.map((exchange) => (
          <tr key={exchange.id}>
            <td>
              <time dateTime={formatInstant(exchange.time)}>{formatLocal(exchange.time)}</time>
            </td>
            <td>
              {exchange.requester === null ? (
                <span class="muted">not stated</span>
              ) : (
                <PartyName party={exchange.requester} />
              )}
            </td>
            <td>
              <Digest hex={exchange.tokenIn} /> <Arrow />{' '}
              {exchange.tokenOut === null ? 'none' : <Digest hex={exchange.tokenOut} />}
            </td>
            <td>
              <Names list={exchange.scopesHeld ?? []} none="not stated" /> <Arrow />{' '}
              <Names list={exchange.scopesGranted ?? []} none={exchange.tokenOut === null ? 'nothing' : 'not stated'} />
            </td>
            <td>
              {exchange.decision.outcome === 'permit' ? 'granted' : 'refused'}
              {exchange.decision.reason === undefined ? null : (
                <>
                  : <Sentence text={exchange.decision.reason} />
                </>
              )}
            </td>
            <td>
              <EntryLinks entries={[exchange.leafIndex]} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  </div>
);
