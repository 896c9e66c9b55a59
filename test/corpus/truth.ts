/** What really happened, apart from what anybody reported. */
export interface Scenario {
  readonly kind: string;
  readonly requests: readonly SentRequest[];
  readonly calls: readonly Call[];
  /** Whom every report is about, by its time: no two reports of a scenario carry the same. */
  readonly told: ReadonlyMap<string, Told>;
}

/** One OTLP/HTTP request as one service's exporter sends it. */
export interface SentRequest {
  readonly signal: 'traces' | 'logs';
  readonly body: string;
}

export type Told =
  | { readonly kind: 'caller' | 'callee'; readonly call: number }
  | { readonly kind: 'local' | 'exchange'; readonly within: number };

/** One crossing as it was. */
export interface Call {
  readonly id: number;
  /** The call whose handling made this one; undefined for what came from outside. */
  readonly parent: number | undefined;
  /** Which transaction it belongs to. */
  readonly root: number;
  readonly callerTold: boolean;
  readonly calleeTold: boolean;
  /** What the reports hold, whatever anybody makes of it: both sides name one token, verified, and the trace context joins them. */
  readonly isPairProvable: boolean;
  /** The same of the call that led here: its token or one exchanged from it, and a span, cause or exchange that points there. */
  readonly isLinkProvable: boolean;
}
