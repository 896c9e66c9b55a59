import type { FastifyInstance } from 'fastify';

/**
 * Refuses requests whose Host is not this machine's own name: a page elsewhere that points its name at 127.0.0.1 (DNS
 * rebinding) would otherwise read the ledger through the visitor's browser. Sent by the browser, so the page cannot forge it.
 */
export function checkHost(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    if (isThisMachine(request.headers.host ?? '')) return done();
    return reply.code(421).type('application/problem+json').send({
      type: 'about:blank',
      title: 'Not this server',
      status: 421,
      code: 'misdirected',
      detail: 'expected a Host of 127.0.0.1, [::1] or localhost; this server answers on loopback only',
    });
  });
}

/** A Host header (RFC 9110 section 7.2) that names loopback, with or without port. */
export const isThisMachine = (host: string): boolean =>
  /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])(:\d{1,5})?$/i.test(host);
