import { RequestError, RPC_CODE } from './request-error.ts';

/** The room one request takes up, until it is answered. */
export interface Room {
  /** Called as bytes of the body arrive, unpacked. Throws RequestError (429) when all requests together hold too many. */
  readonly take: (bytes: number) => void;
  readonly leave: () => void;
}

/*
 * Whoever is turned away should cost nothing: a ledger that is full refuses what was decoded and mapped for it already, and
 * the work lost on that keeps it from the requests it holds. So one such refusal turns the next ones away at the door,
 * until a request got through.
 */

/**
 * Bounds the bytes of request bodies held at once, over all senders, so that memory is bounded whatever they send. A
 * request alone is always let in: its own limit is another.
 */
export class Admission {
  readonly #most: number;
  #held = 0;
  #shut = false;

  constructor(mostBytes: number) {
    this.#most = mostBytes;
  }

  /** True when not even the smallest request would be let in. */
  get isFull(): boolean {
    return this.#held > 0 && (this.#shut || this.#held >= this.#most);
  }

  /** Behind the door there is no room: nobody else is let in until `gotThrough`, or until nobody is left inside. */
  shut(): void {
    this.#shut = true;
  }

  gotThrough(): void {
    this.#shut = false;
  }

  /** `declaredBytes`: what the request says its body takes, reserved at once; what is beyond it counts as it comes. */
  enter(declaredBytes: number): Room {
    if (this.isFull) throw tooMany();
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
