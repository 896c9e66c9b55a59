import { readFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { readOptions } from './service-process.ts';
import { traceIdIn } from './traceresponse.ts';

/** What somebody finds in the payments service's debug file. */
interface Loot {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

const OTHER_HOST = '127.0.0.2'; // another address of this machine: what another host would look like

const loot: Loot = JSON.parse(await readFile(readOptions(['loot']).loot, 'utf8'));
const order = JSON.stringify({
  invoice: 'INV-66',
  payee: 'Mallory Ltd',
  iban: 'GB33BUKB20201555555555',
  amount: 'EUR 9000.00',
});
const answer = await send(OTHER_HOST).catch((error: NodeJS.ErrnoException) => {
  // Not every system answers for all of 127.0.0.0/8; the replay is then from the usual address.
  if (error.code === 'EADDRNOTAVAIL') return send(undefined);
  throw error;
});
const body = await text(answer);
const { traceresponse } = answer.headers;
process.stdout.write(
  `${JSON.stringify({ status: answer.statusCode, body, traceId: traceIdIn(traceresponse?.toString()) })}\n`,
);

function send(localAddress: string | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = request(loot.url, {
      method: 'POST',
      headers: loot.headers,
      ...(localAddress === undefined ? {} : { localAddress }),
    });
    outgoing.once('response', resolve).once('error', reject).end(order);
  });
}
