import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { LedgerError } from './errors.ts';
import type { KeySource } from './key-ring.ts';
import type { CheckpointSigner } from './signer.ts';
import {
  errorOf,
  type OpenedKeys,
  type SignerAnswers,
  type SignerReply,
  type SignerRequest,
} from './signer-messages.ts';

export interface SignerClientOptions {
  readonly folder: string;
  readonly source: KeySource;
  /** Told when the process ended by itself: once, until one answered again. */
  readonly onAlarm: (error: unknown) => void;
  readonly timeoutMs?: number; // for one answer, 20 000 unless told
}

type Waiting = PromiseWithResolvers<unknown>;

/**
 * Holds a signer process: the private key is there and never here. One that ends is started again when it is next asked,
 * and asked the same once more: what it does rests on its own memory on disk, so nothing is signed twice differently.
 */
export class SignerClient {
  readonly #o: SignerClientOptions;
  #process: Promise<SignerProcess> | undefined;
  #alarmed = false;
  #closed = false;

  private constructor(options: SignerClientOptions) {
    this.#o = options;
  }

  /** Starts it and has it read its key. Throws LedgerError `key`, or `unsigned` when it cannot be started. */
  static async start(options: SignerClientOptions): Promise<{ signer: SignerClient; keys: OpenedKeys }> {
    const signer = new SignerClient(options);
    try {
      return { signer, keys: await (await signer.#running()).opened };
    } catch (error) {
      await signer.close();
      throw error;
    }
  }

  /** The signer of one log. */
  of(origin: string): CheckpointSigner {
    return {
      last: () => this.#ask({ kind: 'last', origin }),
      sign: (head, proof, since) => this.#ask({ kind: 'sign', origin, head, proof, since }),
    };
  }

  /** The note by which the log is handed to a key that the signer made; from now on both sign. */
  prepareHandOver(origin: string, until: bigint): Promise<string> {
    return this.#ask({ kind: 'prepare', origin, until });
  }

  /** The new key takes over. Throws LedgerError `mismatch` unless the last checkpoint bears both signatures. */
  finishHandOver(origin: string): Promise<undefined> {
    return this.#ask({ kind: 'finish', origin });
  }

  /** For tests and operators: which process it is. */
  async processId(): Promise<number | undefined> {
    return (await this.#running()).pid;
  }

  /** Ends it; what it was asked before is answered first. */
  async close(): Promise<void> {
    this.#closed = true;
    await (await this.#process?.catch(() => undefined))?.close(); // one that could not start is no more
  }

  async #ask<K extends keyof SignerAnswers & Exclude<SignerRequest, { kind: 'open' }>['kind']>(
    request: SignerRequest & { readonly kind: K },
  ): Promise<SignerAnswers[K]> {
    const answer = (await this.#askOnce(request)) ?? (await this.#askOnce(request));
    if (answer === undefined) throw gone('it ended each time it was asked');
    this.#alarmed = false;
    if (answer.kind !== 'done') throw errorOf(answer);
    return answer.value as SignerAnswers[K]; // the process runs this program's own file, over a channel of its own
  }

  /** Undefined when the process ended before it answered. */
  async #askOnce(request: SignerRequest): Promise<SignerReply | undefined> {
    if (this.#closed) throw new LedgerError('closing', 'the signer is closed');
    const running = await this.#running();
    return running.ask(request, this.#o.timeoutMs ?? 20_000);
  }

  #running(): Promise<SignerProcess> {
    this.#process ??= this.#start();
    return this.#process;
  }

  async #start(): Promise<SignerProcess> {
    const { folder, source } = this.#o;
    const started = new SignerProcess(() => this.#ended());
    try {
      await started.open({ kind: 'open', folder, source }, this.#o.timeoutMs ?? 20_000);
      return started;
    } catch (error) {
      this.#process = undefined;
      await started.close();
      throw error;
    }
  }

  #ended(): void {
    this.#process = undefined;
    if (this.#closed || this.#alarmed) return;
    this.#alarmed = true;
    this.#o.onAlarm(gone('it ended by itself'));
  }
}

const gone = (says: string): LedgerError =>
  new LedgerError('unsigned', `the signer process: ${says}; observations are taken in; it is started again`);

class SignerProcess {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;
  #closing = false;
  #opened: OpenedKeys | undefined;

  constructor(onEnd: () => void) {
    const conditions = process.execArgv.filter((word) => word.startsWith('--conditions='));
    this.#child = fork(join(import.meta.dirname, 'signer-process.ts'), [], {
      serialization: 'advanced',
      execArgv: conditions,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    // What is being asked holds a timer, and that holds this process; a signer that idles holds nothing.
    this.#child.unref();
    this.#child.channel?.unref();
    this.#child.on('message', (reply: SignerReply) => this.#take(reply));
    this.#child.on('error', () => this.#giveUp()); // it could not be started or told
    this.#child.on('exit', () => {
      this.#giveUp();
      if (!this.#closing) onEnd();
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get opened(): OpenedKeys {
    if (this.#opened === undefined) throw new TypeError('signer process: not open');
    return this.#opened;
  }

  async open(request: SignerRequest, timeoutMs: number): Promise<void> {
    const reply = await this.ask(request, timeoutMs);
    if (reply === undefined) throw gone('it could not be started');
    if (reply.kind !== 'done') throw errorOf(reply);
    this.#opened = reply.value as OpenedKeys;
  }

  /** Undefined when it ended before it answered; one that does not answer in time is ended. */
  async ask(request: SignerRequest, timeoutMs: number): Promise<SignerReply | undefined> {
    const id = this.#next++;
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.set(id, waiting);
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), timeoutMs);
    try {
      if (!this.#child.connected) return undefined;
      this.#child.send({ id, request }, (error) => error !== null && this.#giveUp());
      return (await waiting.promise) as SignerReply | undefined;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  async close(): Promise<void> {
    this.#closing = true;
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 2000);
    if (this.#child.connected) this.#child.disconnect();
    await ended;
    clearTimeout(timer);
  }

  #take(reply: SignerReply): void {
    this.#waiting.get(reply.id)?.resolve(reply);
  }

  #giveUp(): void {
    for (const { resolve } of this.#waiting.values()) resolve(undefined);
  }
}
