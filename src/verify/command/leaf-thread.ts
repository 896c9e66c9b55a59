import { isMainThread, type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { leafReader } from '../leaf-reader.ts';
import { LogClient } from '../log-client.ts';
import { type VerificationCode, VerificationError } from '../verification-error.ts';

/** What a thread is started with. */
export interface LeafThreadData {
  readonly kind: 'behalf-verify leaves';
  readonly url: string;
  readonly timeoutMs: number;
}
export interface LeafRequest {
  readonly index: bigint;
  readonly size: bigint;
}
export type LeafAnswer =
  | { readonly kind: 'leaves'; readonly index: bigint; readonly leaves: Uint8Array }
  | {
      readonly kind: 'refused';
      readonly index: bigint;
      readonly code: VerificationCode;
      readonly message: string;
      readonly leaf: bigint | undefined;
    };

/** The module to start a thread with: this one, which works only when it is started so. */
export const LEAF_THREAD = new URL(import.meta.url);

if (!isMainThread && parentPort !== null && isOurs(workerData)) serveLeaves(parentPort, workerData);

function isOurs(data: unknown): data is LeafThreadData {
  return typeof data === 'object' && data !== null && 'kind' in data && data.kind === 'behalf-verify leaves';
}

function serveLeaves(port: MessagePort, { url, timeoutMs }: LeafThreadData): void {
  const { signal } = new AbortController();
  const client = new LogClient({ url, timeoutMs, signal, fetch: (address, init) => fetch(address, init) });
  const read = leafReader(client);
  port.on('message', async ({ index, size }: LeafRequest) => {
    try {
      const leaves = await read(index, size);
      port.postMessage({ kind: 'leaves', index, leaves } satisfies LeafAnswer);
    } catch (error) {
      if (!(error instanceof VerificationError)) throw error; // ends the thread, and with it the verification
      const { code, message, index: leaf } = error;
      port.postMessage({ kind: 'refused', index, code, message, leaf } satisfies LeafAnswer);
    }
  });
}
