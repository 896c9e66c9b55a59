import type { ServerResponse } from 'node:http';
import { harmless } from './harmless.ts';

type Sending = (...args: unknown[]) => unknown;

/**
 * Holds a response back from its first byte on until `before` has resolved, which is asked for then; undefined lets it go
 * at once. Its status and headers are settled when the host sends, as without this: only the sending waits. Node tells of
 * no moment before an answer leaves, so that `write`, `end` and `flushHeaders` are replaced on this response.
 */
export function holdAnswer(response: ServerResponse, before: () => Promise<void> | undefined): void {
  const held: (() => void)[] = [];
  let state: 'untouched' | 'held' | 'free' = 'untouched';
  const release = (): void => {
    state = 'free';
    for (const send of held) send();
    if (held.length > 0 && !response.writableEnded && !response.writableNeedDrain) response.emit('drain');
  };
  const begin = (name: string, args: readonly unknown[]): void => {
    const waits = before();
    state = waits === undefined ? 'free' : 'held';
    if (waits === undefined) return;
    settleHead(response, name, args);
    void waits.then(release, release);
  };
  for (const name of ['write', 'end', 'flushHeaders'] as const) {
    const send: Sending = response[name].bind(response) as Sending;
    const sending: Sending = (...args) => {
      if (state === 'untouched') begin(name, args);
      if (state === 'free') return send(...args);
      held.push(() => sendLate(response, () => send(...args)));
      return name === 'end' ? response : false;
    };
    Object.assign(response, { [name]: sending });
  }
}

/** As Node does with a first piece: the length stands in the head where the first piece is the last. */
function settleHead(response: ServerResponse, name: string, [piece, encoding]: readonly unknown[]): void {
  if (response.headersSent) return;
  const isWhole = name === 'end' && !response.hasHeader('content-length') && !response.hasHeader('transfer-encoding');
  if (isWhole && hasBody(response)) response.setHeader('content-length', lengthOf(piece, encoding));
  response.writeHead(response.statusCode);
}

/** RFC 9110 section 6.4.1; a response to HEAD tells no length here, as Node's does not. */
const hasBody = ({ statusCode, req }: ServerResponse): boolean =>
  statusCode >= 200 && statusCode !== 204 && statusCode !== 304 && req.method !== 'HEAD';

function lengthOf(piece: unknown, encoding: unknown): number {
  if (piece instanceof Uint8Array) return piece.length;
  if (typeof piece !== 'string') return 0;
  return Buffer.byteLength(piece, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8');
}

/** What would have been thrown into the host's code comes when that code is gone: the answer is broken off. */
function sendLate(response: ServerResponse, send: () => unknown): void {
  const sent = harmless('sending a held answer', () => {
    send();
    return true;
  });
  if (sent !== true) response.destroy();
}
