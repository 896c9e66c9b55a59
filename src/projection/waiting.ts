/** Who waits until the projection takes account of so many entries. */
export class Waiting {
  #position = 0n;
  #isClosed = false;
  #waiting: readonly Waiter[] = [];

  get position(): bigint {
    return this.#position;
  }

  arrive(position: bigint): void {
    this.#position = position;
    for (const { size, resolve } of this.#waiting) if (size <= position) resolve();
    this.#waiting = this.#waiting.filter(({ size }) => size > position);
  }

  /** Resolves when that many are taken account of; rejects when it is closed before. */
  until(size: bigint): Promise<void> {
    if (size <= this.#position) return Promise.resolve();
    if (this.#isClosed) return Promise.reject(closed());
    return new Promise((resolve, reject) => {
      this.#waiting = [...this.#waiting, { size, resolve, reject }];
    });
  }

  close(): void {
    this.#isClosed = true;
    for (const { reject } of this.#waiting) reject(closed());
    this.#waiting = [];
  }
}

interface Waiter {
  readonly size: bigint;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

const closed = (): Error => new Error('projection: closed before it caught up');
