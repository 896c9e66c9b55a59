import { createWriteStream } from 'node:fs';
import { Writable } from 'node:stream';
import { get, serverAddress } from './api-client.ts';
import { type Command, textOption, URL_OPTION, UsageError } from './command.ts';

const FORMATS = { ndjson: 'application/x-ndjson', csv: 'text/csv' } as const;

/** `behalf export`: the hops of a period, streamed. */
export const exportHops: Command = {
  name: 'export',
  summary: 'stream the hops of a period as ndjson or csv',
  options: {
    from: { value: 'time', says: 'first moment, RFC 3339 such as 2026-11-01T00:00:00Z (inclusive)' },
    to: { value: 'time', says: 'last moment (exclusive)' },
    format: { value: 'ndjson|csv', says: 'default ndjson' },
    out: { value: 'file', says: 'write here instead of standard output; an existing file is refused' },
    ...URL_OPTION,
  },
  async run(given, terminal) {
    const format = textOption(given, 'format') ?? 'ndjson';
    if (!(format in FORMATS)) throw new UsageError(`--format: expected ndjson or csv, got ${format}`);
    const [from, to] = [moment(textOption(given, 'from'), 'from'), moment(textOption(given, 'to'), 'to')];
    const query = new URLSearchParams({ from, to, format });
    const response = await get(serverAddress(given, terminal), `/api/v1/hops/export?${query}`, '*/*');
    if (response.body === null) throw new Error('the server answered without a body; try again');
    const file = textOption(given, 'out');
    const sink: WritableStream<Uint8Array> =
      file === undefined
        ? new WritableStream({ write: (chunk) => terminal.out(Buffer.from(chunk).toString()) })
        : Writable.toWeb(createWriteStream(file, { flags: 'wx', mode: 0o600 }));
    await response.body.pipeTo(sink);
    if (file !== undefined) terminal.err(`wrote ${file}\n`);
    return 0;
  },
};

function moment(text: string | undefined, name: string): string {
  if (text === undefined) throw new UsageError(`--${name}: expected a time such as 2026-11-01T00:00:00Z, got none`);
  const time = Date.parse(text);
  if (Number.isNaN(time))
    throw new UsageError(`--${name}: expected a time such as 2026-11-01T00:00:00Z, got ${text.slice(0, 40)}`);
  return new Date(time).toISOString();
}
