import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { runDemo } from '#demo';
import { ownTemporaryFolder } from './temporary-folder.ts';

const childrenAlive = () => process.getActiveResourcesInfo().filter((name) => name === 'ProcessWrap').length;

test('observations the collector refuses make the demo fail, and nothing of it is left behind', async (t) => {
  const folder = await ownTemporaryFolder(t);
  const collector = createServer((request, response) => {
    request.resume();
    response.writeHead(400, { 'content-type': 'application/x-protobuf' }).end();
  });
  await once(collector.listen(0, '127.0.0.1'), 'listening');
  t.after(() => collector.close());
  const collectorUrl = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
  await assert.rejects(
    runDemo({ collectorUrl, onProgress: () => undefined }),
    /observations did not reach the collector/,
  );
  assert.equal(childrenAlive(), 0);
  assert.deepEqual(await readdir(folder), []);
});
