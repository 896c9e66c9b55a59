import { RequestError, RPC_CODE } from './request-error.ts';

/** The room one request takes up, until it is answered. */
export interface Room {
  /** Called as bytes of the body arrive, unpacked. Throws RequestError (429) when all requests together hold too many. */
  readonly take: (bytes: number) => void;
  readonly leave: () => void;
}

/**
 * Bounds the bytes of request bodies held at once, over all senders, so that memory is bounded whatever they send. A
 * request alone is always let in: its own limit is another.
 */
export class Admission {
  readonly #most: number;
  #held = 0;

  constructor(mostBytes: number) {
    this.#most = mostBytes;
  }

  /** True when not even the smallest request would be let in. */
  get isFull(): boolean {
    return this.#held >= this.#most;
  }

  /** `declaredBytes`: what the request says its body takes, reserved at once; what is beyond it counts as it comes. */
  enter(declaredBytes: number): Room {
    let reserved = 0;
    let taken = 0;
    const reserve = (bytes: number) => {
      if (this.#held > reserved && this.#held + bytes > this.#most) throw tooMany();
      this.#held += bytes;
      reserved += bytes;
    };
    reserve(declaredBytes);
    return {
      take: (bytes) => {
        taken += bytes;
        if (taken > reserved) reserve(taken - reserved);
      },
      leave: () => {
        this.#held -= reserved;
        reserved = 0;
      },
    };
  }
}

/** 429: the sender is to come again in a moment. */
export const tooMany = (): RequestError =>
  new RequestError(429, RPC_CODE.resourceExhausted, 'too many requests at once; send this one again', {
    retryAfterSeconds: 1,
  });
