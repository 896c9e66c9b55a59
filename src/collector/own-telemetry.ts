import type { Accounting } from './account.ts';
import type { Group } from './otlp.ts';
import { OWN_TELEMETRY, senderOf } from './reporter.ts';

/** What others sent. A server's own telemetry is counted and left: stored, each store would make another. */
export function withoutOwn<T>(groups: readonly Group<T>[], accounting: Accounting): readonly Group<T>[] {
  const isOwn = ({ resource }: Group<T>) => resource.attributes.get(OWN_TELEMETRY) === true;
  if (!groups.some(isOwn)) return groups;
  return groups.filter((group) => {
    if (!isOwn(group)) return true;
    const sender = accounting.sender(senderOf(group.resource));
    for (const _record of group.records) {
      sender.leaveOut('own_telemetry');
      accounting.leaveOut('own_telemetry');
    }
    return false;
  });
}
