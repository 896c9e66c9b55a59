/*
 * The signer, as a process of its own: it alone holds the private key. A server starts it, tells it first where the key is,
 * and asks it one thing after another. It ends when the server's end of the channel closes, however the server ended.
 */
import { LedgerError } from './errors.ts';
import { finishHandOver, type KeySource, openKeyRing, prepareHandOver } from './key-ring.ts';
import { Signer } from './signer.ts';
import { parseRequest, type SignerReply, type SignerRequest } from './signer-messages.ts';
import { SignerState } from './signer-state.ts';

interface Opened {
  readonly folder: string;
  readonly source: KeySource;
}

let opened: Opened | undefined;
let turn: Promise<void> = Promise.resolve();

// A terminal's Ctrl-C reaches the whole group, and the server still wants its last checkpoint signed.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

process.on('message', (message) => {
  turn = turn.then(() => reply(message));
});

async function reply(message: unknown): Promise<void> {
  const { id, request } = parseRequest(message);
  const answer = await answerTo(id, request);
  if (process.connected) process.send?.(answer, () => undefined); // a server that has gone is told nothing
}

async function answerTo(id: number, request: SignerRequest): Promise<SignerReply> {
  try {
    return { id, kind: 'done', value: await perform(request) };
  } catch (error) {
    if (error instanceof LedgerError) return { id, kind: 'refused', code: error.code, says: error.message };
    return { id, kind: 'failed', says: error instanceof Error ? error.message : String(error) };
  }
}

async function perform(request: SignerRequest): Promise<unknown> {
  if (request.kind === 'open') return open(request);
  if (opened === undefined) throw new TypeError('open comes first');
  const { folder, source } = opened;
  const signer = new Signer({ folder, origin: request.origin, keys: () => keysNow(opened as Opened) });
  switch (request.kind) {
    case 'last':
      return signer.last();
    case 'sign':
      return signer.sign(request.head, request.proof, request.since);
    case 'prepare':
      requireFile(source);
      return prepareHandOver(folder, request.origin, request.until);
    case 'finish':
      requireFile(source);
      await signer.requireSignedByAll();
      return finishHandOver(folder);
  }
}

async function open({ folder, source }: Opened): Promise<unknown> {
  const { current, next } = await openKeyRing(source, folder);
  opened = { folder, source };
  const hasSigned = await new SignerState(folder).isThere();
  return { current: current.publicKey, next: next?.publicKey, hasSigned };
}

/** A key that was fit at the start and is not now keeps checkpoints back, not observations. */
async function keysNow({ source, folder }: Opened) {
  try {
    return await openKeyRing(source, folder);
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    throw new LedgerError('unsigned', `${error.message}; nothing was signed; it is tried again`, { cause: error });
  }
}

function requireFile({ kind }: KeySource): void {
  if (kind === 'file') return;
  throw new LedgerError('key', 'only a key that Behalf keeps in its key folder can be handed over by it');
}
