import type { Authority } from './authority.ts';
import { unixMicros } from './clock.ts';
import { type ExchangeAccount, exchangeAttributes } from './exchange.ts';
import {
  endingAttributes,
  type HopAccount,
  hopAttributes,
  identityAttributes,
  type OpenHop,
  type Outcome,
  ownAttributes,
} from './hop.ts';
import { newObservationId } from './observation-id.ts';
import { encodeAttributes, encodeEnding, encodeRecord, type LogEnding } from './otlp-record.ts';
import { EVENT_EXCHANGE, EVENT_HOP, OBSERVATION_ID, SEQUENCE } from './semconv.ts';

/** An observation's log record, under a new id; to be copied by whoever keeps it. */
export function recordOf(account: HopAccount | OpenHop | ExchangeAccount, sequence: number): Uint8Array {
  const isHop = account.kind === 'hop';
  return encodeRecord({
    eventName: isHop ? EVENT_HOP : EVENT_EXCHANGE,
    timeMicros: unixMicros(account.startMs),
    span: account.span,
    attributes: [OBSERVATION_ID, newObservationId(account.startMs), SEQUENCE, sequence, ...ownAttributes(account)],
    encoded: isHop
      ? [encodedIdentity(account), encodedHop(account)]
      : [encodeAttributes(identityAttributes(account)), encodeAttributes(exchangeAttributes(account))],
    ending:
      'endMs' in account
        ? logEnding(account.endMs, isHop && 'outcome' in account ? account.outcome : undefined)
        : undefined,
  });
}

/** What is put behind the record of a hop that was held. */
export const endingRecord = (endMs: number, outcome: Outcome): Uint8Array => encodeEnding(logEnding(endMs, outcome));

/** The process ended before its request did: whether the answer went out is not known. To be copied. */
export const abandonedEnding = (): Uint8Array =>
  encodeEnding({
    observedMicros: unixMicros(Date.now()),
    attributes: endingAttributes({ outcome: { status: 'unknown', code: 'process_ended' } }),
  });

const logEnding = (endMs: number, outcome: Outcome | undefined): LogEnding => ({
  observedMicros: unixMicros(endMs),
  attributes: endingAttributes({ endMs, outcome }),
});

/** Of tokens that were verified before, as their readings are kept: by the authority, whose reading holds the others. */
const identities = new WeakMap<Authority, Pick<OpenHop, 'subject' | 'actors'> & { readonly bytes: Uint8Array }>();

function encodedIdentity({ subject, actors, authority }: OpenHop): Uint8Array {
  const known = identities.get(authority);
  if (known !== undefined && known.subject === subject && known.actors === actors) return known.bytes;
  const bytes = encodeAttributes(identityAttributes({ subject, actors, authority }));
  identities.set(authority, { subject, actors, bytes });
  return bytes;
}

interface EncodedHop {
  readonly hop: OpenHop;
  /** A copy: a host may change its list. */
  readonly scopes: readonly string[];
  readonly bytes: Uint8Array;
}

/** Of the last hop of each operation: the next one mostly differs in nothing but its ids and times. */
const lastHops = new Map<string, EncodedHop>();
/** An operation may be named by a function of the request. */
const MAX_OPERATIONS = 256;

function encodedHop(hop: OpenHop): Uint8Array {
  const { operation, anomalies, requiredScopes = [] } = hop;
  if (operation === undefined || anomalies.length > 0) return encodeAttributes(hopAttributes(hop));
  const last = lastHops.get(operation);
  if (last !== undefined && saysTheSame(last, hop)) return last.bytes;
  const bytes = encodeAttributes(hopAttributes(hop));
  if (lastHops.size >= MAX_OPERATIONS) lastHops.clear();
  lastHops.set(operation, { hop, scopes: [...requiredScopes], bytes });
  return bytes;
}

/** Compares what `hopAttributes` takes. */
function saysTheSame({ hop, scopes }: EncodedHop, next: OpenHop): boolean {
  return (
    hop.side === next.side &&
    hop.protocol === next.protocol &&
    hop.resource === next.resource &&
    hop.decision === next.decision &&
    hop.purpose === next.purpose &&
    hop.absent === next.absent &&
    hop.peer === next.peer &&
    hop.peerService === next.peerService &&
    (hop.requiredScopes === undefined) === (next.requiredScopes === undefined) &&
    scopes.length === (next.requiredScopes?.length ?? 0) &&
    scopes.every((scope, index) => scope === next.requiredScopes?.[index])
  );
}
