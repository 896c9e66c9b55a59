import { setTimeout as sleep } from 'node:timers/promises';
import { newObservationId } from '#observation';
import type { Server } from './server.ts';

/**
 * Senders that do what a sender must: send the same observations again until some server acknowledges them, whichever
 * answers. They keep what was acknowledged; one they were told of twice must stand where it stood.
 */
export class Load {
  readonly acknowledged = new Map<string, number>();
  /** Calls that had to be sent again. */
  refused = 0;
  /** Acknowledgements that contradict an earlier one. */
  moved = 0;
  readonly #servers: () => readonly Server[];
  readonly #senders: readonly Promise<void>[];
  #stopped = false;

  constructor(servers: () => readonly Server[], sizes: readonly number[]) {
    this.#servers = servers;
    this.#senders = sizes.map((size, i) => this.#send(size, i));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#senders);
  }

  async #send(size: number, turn: number): Promise<void> {
    for (let at = turn; !this.#stopped; at += 1) {
      const ids = Array.from({ length: size }, () => newObservationId(Date.now()));
      while (!(await this.#sendTo(at, ids))) {
        at += 1;
        await sleep(20);
      }
      // One in eight is sent again though it was acknowledged: its answer was lost on the way.
      if (at % 8 === 0) await this.#sendTo(at + 1, ids);
      await sleep(10);
    }
  }

  async #sendTo(turn: number, ids: readonly string[]): Promise<boolean> {
    const servers = this.#servers();
    const answer = await servers[turn % servers.length]?.append(ids);
    if (answer?.kind !== 'acknowledged') {
      this.refused += 1;
      return this.#stopped;
    }
    for (const [i, id] of ids.entries()) this.#acknowledge(id, answer.indexes[i] ?? -1);
    return true;
  }

  #acknowledge(id: string, index: number): void {
    if ((this.acknowledged.get(id) ?? index) !== index) this.moved += 1;
    this.acknowledged.set(id, index);
  }
}
