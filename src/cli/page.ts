import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';

const ROOT = join(import.meta.dirname, '..', '..', 'dist', 'web');

/** Serves the built page at `/`. It may load nothing from elsewhere and may not be framed. */
export async function page(app: FastifyInstance): Promise<void> {
  if (!existsSync(join(ROOT, 'index.html'))) {
    app.get('/', (_, reply) => reply.code(404).send('the page is not built; run: npm run build\n'));
    return;
  }
  await app.register(fastifyStatic, {
    root: ROOT,
    setHeaders: (reply) => {
      reply.header('content-security-policy', "default-src 'self'; frame-ancestors 'none'; base-uri 'none'");
      reply.header('x-content-type-options', 'nosniff');
      reply.header('referrer-policy', 'no-referrer');
    },
  });
}
