import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { badRequest, RequestError, RPC_CODE, tooLarge } from './request-error.ts';

/**
 * Reads a request body, unpacked, of at most `maxBytes` bytes on the wire and unpacked. Counts while it unpacks and stops
 * at the limit: a compression bomb costs no more than the limit. Throws RequestError; leaves the stream destroyed then.
 */
export async function readBody(
  stream: Readable,
  { encoding, maxBytes }: { encoding: string | undefined; maxBytes: number },
): Promise<Uint8Array> {
  switch ((encoding ?? 'identity').trim().toLowerCase()) {
    case '':
    case 'identity':
      return collect(stream, maxBytes);
    case 'gzip':
    case 'x-gzip':
      return gunzip(stream, maxBytes);
    default:
      throw new RequestError(
        415,
        RPC_CODE.invalidArgument,
        'content-encoding: expected gzip or none; send one of these',
        { headers: { 'accept-encoding': 'gzip' } },
      );
  }
}

async function gunzip(stream: Readable, maxBytes: number): Promise<Uint8Array> {
  const unpacked = stream.pipe(createGunzip());
  stream.once('error', (error) => unpacked.destroy(error));
  stream.once('close', () => {
    if (!stream.readableEnded) unpacked.destroy(new Error('the sender closed the connection'));
  });
  try {
    return await collect(unpacked, maxBytes);
  } catch (error) {
    if (error instanceof RequestError) throw error;
    if (!isZlibError(error)) throw badRequest('the body ended early; send it again', undefined, error);
    throw badRequest(
      'content-encoding gzip: the body is not a whole gzip stream; send it again, or without compression',
      undefined,
      error,
    );
  } finally {
    unpacked.destroy();
  }
}

async function collect(stream: Readable, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > maxBytes) {
      throw tooLarge(`the body is over ${maxBytes} bytes (after decompression); send fewer spans or records at once`);
    }
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, size);
}

const isZlibError = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('Z_');
