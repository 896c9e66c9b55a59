import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { badRequest, RequestError, RPC_CODE, tooLarge } from './request-error.ts';

/** What a request declares its body to take in memory; 0 when it does not say. Throws RequestError (413) over the limit. */
export function declaredBytes(headers: IncomingHttpHeaders, maxBytes: number): number {
  const length = Number(headers['content-length'] ?? 0);
  if (length > maxBytes) throw overLimit(maxBytes);
  return headers['content-encoding'] === undefined ? length : 0;
}

interface ReadOptions {
  readonly encoding: string | undefined;
  readonly maxBytes: number;
  /** Told of every piece, unpacked, as it comes; what it throws ends the reading. */
  readonly onBytes: (bytes: number) => void;
}

/**
 * Reads a request body, unpacked, of at most `maxBytes` bytes on the wire and unpacked. Counts while it unpacks and stops
 * at the limit: a compression bomb costs no more than the limit. Throws RequestError; the connection stays usable for the
 * answer.
 */
export async function readBody(stream: Readable, options: ReadOptions): Promise<Uint8Array> {
  const isPacked = isGzip(options.encoding);
  try {
    return isPacked ? await gunzip(stream, options) : await collect(stream, options);
  } catch (error) {
    if (error instanceof RequestError) throw error;
    throw isZlibError(error)
      ? badRequest(`${NOT_GZIP}; send it again, or without compression`, undefined, error)
      : badRequest('the body ended early; send it again', undefined, error);
  }
}

const NOT_GZIP = 'content-encoding gzip: the body is not a whole gzip stream';

function isGzip(encoding = 'identity'): boolean {
  const name = encoding.trim().toLowerCase();
  if (name === 'gzip' || name === 'x-gzip') return true;
  if (name === 'identity' || name === '') return false;
  const says = 'content-encoding: expected gzip or none; send one of these';
  throw new RequestError(415, RPC_CODE.invalidArgument, says, { headers: { 'accept-encoding': 'gzip' } });
}

async function gunzip(stream: Readable, options: ReadOptions): Promise<Uint8Array> {
  const unpacked = stream.pipe(createGunzip());
  const breakOff = () => unpacked.destroy(new Error('the sender closed the connection'));
  const onClose = () => {
    if (!stream.readableEnded) breakOff();
  };
  stream.once('error', breakOff).once('close', onClose);
  try {
    return await collect(unpacked, options);
  } finally {
    stream.off('close', onClose);
    unpacked.destroy();
  }
}

async function collect(stream: Readable, { maxBytes, onBytes }: ReadOptions): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  // A request destroyed here would take its socket with it, and the sender would never read why.
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    size += chunk.length;
    if (size > maxBytes) throw overLimit(maxBytes);
    onBytes(chunk.length);
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, size);
}

const overLimit = (maxBytes: number): RequestError =>
  tooLarge(`the body is over ${maxBytes} bytes (after decompression); send fewer spans or records at once`);

const isZlibError = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('Z_');
