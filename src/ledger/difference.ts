/** Where what is stored first disagrees with itself. */
export interface Difference {
  readonly kind: 'log' | 'entry' | 'tile' | 'root' | 'checkpoint' | 'sequenced_id' | 'hand_over' | 'anchor';
  /** The first leaf index concerned, where there is one. */
  readonly leafIndex?: bigint;
  /** Fit for an operator; holds no entry content. */
  readonly says: string;
}

/** Ends a recomputation at its first difference. */
export class DifferenceFound extends Error {
  override readonly name = 'DifferenceFound';
  readonly difference: Difference;

  constructor(difference: Difference) {
    super(difference.says);
    this.difference = difference;
  }
}

export function differs(difference: Difference): never {
  throw new DifferenceFound(difference);
}
