/**
 * Spans by number, in order of first mention, so that ends are found by index and not by text: a trace of ten thousand spans
 * names each of them many times. Lives for one set of entries.
 */
export class Places {
  readonly #traces = new Map<string, Map<string, number>>();
  #lastTrace = '';
  #lastSpans: Map<string, number> = new Map();
  #count = 0;

  /** The number of a span of a trace, from 0; a new one where it was not named before. */
  at(traceId: string, spanId: string): number {
    const spans = this.#spansOf(traceId);
    const known = spans.get(spanId);
    if (known !== undefined) return known;
    spans.set(spanId, this.#count);
    this.#count += 1;
    return this.#count - 1;
  }

  /** Entries of one trace mostly come together. */
  #spansOf(traceId: string): Map<string, number> {
    if (traceId === this.#lastTrace && this.#lastSpans.size > 0) return this.#lastSpans;
    const spans = this.#traces.get(traceId) ?? new Map<string, number>();
    if (spans.size === 0) this.#traces.set(traceId, spans);
    [this.#lastTrace, this.#lastSpans] = [traceId, spans];
    return spans;
  }
}
