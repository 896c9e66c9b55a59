import type { DemoService } from './parties.ts';

/** RFC 8693 section 4.1: outermost is who acts now; each nested `act` is the one before. */
export interface Act {
  readonly iss: string;
  readonly sub: string;
  readonly sub_profile?: string;
  readonly act?: Act;
}

/** Most actors a token may name; deeper is refused, never shortened (OAuth Actor Profile). */
export const MAX_DEPTH = 8;

/** What one exchange was, as the issuer saw it. Tokens are strings here; whoever records them takes digests. */
export interface ExchangeSeen {
  readonly tokenIn: string;
  readonly tokenOut?: string;
  readonly issuer: string;
  readonly requester: DemoService;
  readonly traceparent?: string; // of the request that asked
  readonly subject?: string; // of a verified subject token only, like all below
  readonly actorsBefore?: Act;
  readonly act?: Act;
  readonly audience?: string;
  readonly scopesHeld?: readonly string[];
  readonly scopesRequested?: readonly string[];
  readonly scopesGranted?: readonly string[];
  readonly decision: { readonly outcome: 'permit' } | { readonly outcome: 'deny'; readonly reason: string };
}

export const depthOf = (act: Act | undefined): number => (act === undefined ? 0 : 1 + depthOf(act.act));

/** The `act` claim of a token this provider signed itself; undefined when there is none. Throws TypeError on another shape. */
export function parseAct(claim: unknown): Act | undefined {
  if (claim === undefined) return undefined;
  if (typeof claim === 'object' && claim !== null && 'sub' in claim && 'iss' in claim) {
    const { sub, iss } = claim;
    const profile = 'sub_profile' in claim ? claim.sub_profile : undefined;
    const before = parseAct('act' in claim ? claim.act : undefined);
    if (typeof sub === 'string' && typeof iss === 'string') {
      return {
        iss,
        sub,
        ...(typeof profile === 'string' ? { sub_profile: profile } : {}),
        ...(before === undefined ? {} : { act: before }),
      };
    }
  }
  throw new TypeError('act: expected an object with iss and sub');
}

/** The actors of a token, oldest first. */
export const actorsOf = (act: Act | undefined): readonly Act[] =>
  act === undefined ? [] : [...actorsOf(act.act), act];
