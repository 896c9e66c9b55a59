import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GATEWAY, PAYMENTS, PLANNER } from './parties.ts';
import { type Program, type RunningService, startService } from './processes.ts';
import { payInvoice, payPoisonedInvoice, replayStolenToken, type Scene, type Stage } from './scenes.ts';

export interface DemoOptions {
  readonly collectorUrl: string; // OTLP/HTTP, such as http://127.0.0.1:4318
  readonly onProgress: (says: string) => void;
}

/**
 * Plays the demo against a running collector: starts the services as processes of their own, signs a user in, plays the
 * scenes, stops every process and waits for it, so that all observations have been taken when this returns. Leaves no
 * process and no file behind, whatever happens. Throws when a scene does not go as it is told.
 */
export async function runDemo({ collectorUrl, onProgress }: DemoOptions): Promise<{ scenes: readonly Scene[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'behalf-demo-')); // mode 0700
  const running: RunningService[] = [];
  try {
    onProgress('starting the services: provider, books, payments, planner, gateway');
    const stage = await setStage(collectorUrl, folder, running);
    const scenes: Scene[] = [];
    for (const play of [payInvoice, payPoisonedInvoice, replayStolenToken]) {
      const scene = await play(stage);
      onProgress(`played: ${scene.name}`);
      scenes.push(scene);
    }
    onProgress('stopping the services');
    await stopAll(running);
    return { scenes };
  } finally {
    await stopAll(running);
    await rm(folder, { recursive: true, force: true });
  }
}

/** Starts every service after those it calls. Each gets its own secret and nobody else's; all live as long as this run. */
async function setStage(collector: string, folder: string, running: RunningService[]): Promise<Stage> {
  const secret = () => randomBytes(32).toString('base64url');
  const password = secret();
  const clients = { [GATEWAY.name]: secret(), [PLANNER.name]: secret(), [PAYMENTS.name]: secret() };
  const debugFile = join(folder, 'last-request.json');
  const start = async (program: Program): Promise<string> => {
    const service = await startService(program);
    running.push(service);
    return service.url;
  };
  const secretOf = ({ name }: { readonly name: string }) => ({ secret: clients[name] ?? '' });
  const issuer = await start({
    file: 'provider.ts',
    args: { collector },
    secret: JSON.stringify({ password, clients }),
  });
  const books = await start({ file: 'books.ts', args: { collector, issuer } });
  const payments = await start({
    file: 'payments.ts',
    args: { collector, issuer, books, 'debug-file': debugFile },
    ...secretOf(PAYMENTS),
  });
  const planner = await start({
    file: 'planner.ts',
    args: { issuer, payments },
    ...secretOf(PLANNER),
    environment: plainTelemetry(collector),
  });
  const gateway = await start({ file: 'gateway.ts', args: { collector, issuer, planner }, ...secretOf(GATEWAY) });
  return { issuer, gateway, password, debugFile };
}

/** The standard variables by which any OpenTelemetry program is pointed at a collector. */
const plainTelemetry = (collector: string): Readonly<Record<string, string>> => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: collector,
  OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
  OTEL_TRACES_EXPORTER: 'otlp',
  OTEL_METRICS_EXPORTER: 'none',
  OTEL_LOGS_EXPORTER: 'none',
  OTEL_NODE_RESOURCE_DETECTORS: 'env,serviceinstance',
});

/** Stops those still running, the last started first; all of them, even when one fails. */
async function stopAll(running: RunningService[]): Promise<void> {
  const results = await Promise.allSettled(running.splice(0).map((service) => service.stop()));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
