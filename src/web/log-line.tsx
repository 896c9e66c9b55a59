import type { LogPosition } from '#query';
import { Name } from './shown.tsx';

/** The ledger an answer rests on, and how much of it is under a signed checkpoint. */
export const LogLine = ({ log }: { log: LogPosition }) => (
  <p class="log-line muted small">
    From the ledger <Name text={log.origin} />: {log.treeSize} entries taken into account, {log.published} under the
    last signed checkpoint.
  </p>
);
