import type { TestContext } from 'node:test';
import fastify from 'fastify';
import { Witness, WitnessKey, type WitnessOptions, witnessApi } from '#witness';
import { temporaryFolder } from './harness.ts';

/** A witness of its own, served over HTTP on loopback. */
export async function witnessServer(
  t: TestContext,
  name: string,
  logs: readonly string[],
  more: Partial<WitnessOptions> = {},
) {
  const folder = await temporaryFolder(t);
  const witness = new Witness({ key: await WitnessKey.open(folder, name), logs, folder, ...more });
  const app = fastify();
  await app.register(witnessApi, { witness });
  t.after(() => app.close());
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return { witness, url, folder, verifierKey: witness.verifierKey, close: () => app.close() };
}
