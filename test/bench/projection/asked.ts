import { stitch } from '#chains';
import type { Database } from '#database';
import { chainRow, hopRows } from '../../../src/projection/row.ts';
import { insertStitched } from '../../../src/projection/sql/chain.ts';
import { delegatedCall, Entries } from '../../chains/entries.ts';
import { LOG } from './fill.ts';

const DAY = 86_400_000_000_000n;
const CHAINS = 100;

/** The chains of the rare party that is asked for, a hundred over ninety days; their sets are 0 to 99. */
export async function insertAsked(database: Database): Promise<void> {
  for (let i = 0; i < CHAINS; i += 1) {
    const shift = BigInt(i) * ((90n * DAY) / BigInt(CHAINS));
    const entries = delegatedCall(new Entries(), i + 1).all.map(({ leafIndex, entry }) => ({
      leafIndex,
      entry: {
        ...entry,
        id: entry.id.replace('-8000-', `-8${i.toString(16).padStart(3, '0')}-`),
        time: String(BigInt(entry.time) - shift),
      },
    }));
    const chains = stitch(entries);
    await insertStitched(database.pool('projector'), LOG, {
      chains: chains.map((chain) => chainRow(chain, BigInt(i))),
      hops: chains.flatMap((chain) => hopRows(chain, BigInt(i))),
      findings: [],
    });
  }
}
