/*
 * The host that test/bench/sdk-stalls.ts measures: one guarded Fastify route, one collaborator broken as it is told. Arguments:
 * case, issuer, jwksUri, audience, collectorUrl, spool folder. Sends the event loop's delays when it is asked.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import Fastify from 'fastify';

const [broken = '', issuer = '', jwksUri = '', audience = '', collectorUrl = '', folder = ''] = process.argv.slice(2);
const app = Fastify();
let lost = async (): Promise<number> => 0;
if (broken !== 'without the SDK') {
  const { startBehalf } = await import('@behalf/sdk');
  const behalf = startBehalf({ service: 'stalls', collectorUrl, spool: { folder, maxBytes: 4 * 1024 * 1024 } });
  lost = async () => (await behalf.flush({ timeoutMs: 1 })).lost;
  await app.register(behalf.guard, { issuer, jwksUri, audience, mode: 'observe' });
}
app.get('/pay', async () => ({ paid: true }));
const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }));
if (broken === 'the clock is wrong') {
  const { now } = Date;
  Date.now = () => (now() % 2 === 0 ? 0 : now() + 1e12); // 1970, and decades ahead
}
const delays = monitorEventLoopDelay({ resolution: 1 });
let [longestMicros, isMeasured] = [0, false];
let before = process.threadCpuUsage();
/** Processor time of this thread in each turn of its loop: what other processes take from it is not in there. */
function turn(): void {
  const { user, system } = process.threadCpuUsage(before);
  before = process.threadCpuUsage();
  if (isMeasured) longestMicros = Math.max(longestMicros, user + system);
  setImmediate(turn);
}
turn();
process.on('message', async (asked) => {
  if (asked === 'begin') {
    delays.reset();
    delays.enable();
    isMeasured = true;
    return;
  }
  // The histogram counts its own interval in.
  const ms = (nanos: number) => Math.max(0, nanos / 1e6 - 1);
  const told = { workMs: longestMicros / 1000, maxMs: ms(delays.max), p999Ms: ms(delays.percentile(99.9)) };
  process.send?.({ ...told, lost: await lost() });
});
process.send?.({ port: Number(port) });
