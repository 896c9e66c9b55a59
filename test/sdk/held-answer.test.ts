import assert from 'node:assert/strict';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { holdAnswer } from '../../src/sdk/held-answer.ts';

/** A server that answers as `answer` says, held until `gate` resolves where there is one; gives what came over the wire. */
async function served(
  t: TestContext,
  answer: (response: ServerResponse) => void,
  o: { gate?: Promise<void>; method?: string } = {},
) {
  const server = createServer((_request, response) => {
    response.sendDate = false;
    if (o.gate !== undefined) holdAnswer(response, () => o.gate);
    answer(response);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  t.after(() => server.closeAllConnections());
  t.after(() => server.close());
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.write(`${o.method ?? 'GET'} / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`);
  let seen = '';
  socket.on('data', (part) => {
    seen += part.toString();
  });
  const ended = new Promise<void>((close) => socket.once('close', () => close()));
  return { seen: () => seen, ended };
}

const ANSWERS: readonly (readonly [name: string, answer: (response: ServerResponse) => void, method?: string])[] = [
  ['one piece', (response) => void response.end('paid')],
  ['one piece of bytes', (response) => void response.end(Buffer.from('paid'))],
  ['one piece in an encoding', (response) => void response.end('é', 'latin1')],
  ['nothing', (response) => void response.end()],
  ['no content', (response) => void response.writeHead(204).end()],
  ['HEAD', (response) => void response.end('paid'), 'HEAD'],
  ['a head of its own', (response) => void response.writeHead(418, { 'x-a': 'b', 'content-length': 4 }).end('paid')],
  [
    'pieces',
    (response) => {
      response.write('one ');
      response.write('two ');
      setImmediate(() => response.end('three'));
    },
  ],
  [
    'flushed headers',
    (response) => {
      response.flushHeaders();
      response.end('paid');
    },
  ],
];

/** The status line, the headers in any order, the body's bytes. */
function partsOf(answer: string): unknown {
  const [head = '', ...body] = answer.split('\r\n\r\n');
  const [status, ...headers] = head.split('\r\n');
  return [status, headers.map((header) => header.toLowerCase()).toSorted(), body];
}

test('an answer that was held is the answer that was not, its length and its pieces; before, nothing of it leaves', async (t) => {
  for (const [name, answer, method = 'GET'] of ANSWERS) {
    const free = await served(t, answer, { method });
    await free.ended;
    const gate = Promise.withResolvers<void>();
    const held = await served(t, answer, { method, gate: gate.promise });
    for (let index = 0; index < 20; index += 1) await turn();
    assert.equal(held.seen(), '', name);
    gate.resolve();
    await held.ended;
    assert.deepEqual(partsOf(held.seen()), partsOf(free.seen()), name);
  }
});

test('a writer that waits for room is told when its held pieces have gone', async (t) => {
  const gate = Promise.withResolvers<void>();
  const held = await served(
    t,
    (response) => {
      assert.equal(response.write('one '), false);
      response.once('drain', () => response.end('two'));
      gate.resolve();
    },
    { gate: gate.promise },
  );
  await held.ended;
  assert.match(held.seen(), /one .*two/s);
});

test('what a second answer would be cannot take the place of the held one, and a wrong piece breaks the answer off', async (t) => {
  const gate = Promise.withResolvers<void>();
  const held = await served(
    t,
    (response) => {
      response.end('paid');
      assert.equal(response.headersSent, true);
      assert.throws(() => response.writeHead(500), { code: 'ERR_HTTP_HEADERS_SENT' });
      gate.resolve();
    },
    { gate: gate.promise },
  );
  await held.ended;
  assert.match(held.seen(), /^HTTP\/1.1 200 OK.*paid$/s);
  const wrong = await served(t, (response) => void response.end(7 as never), { gate: Promise.resolve() });
  await wrong.ended;
  assert.equal(wrong.seen().includes('7'), false);
});
