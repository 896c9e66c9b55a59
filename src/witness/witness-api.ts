import type { FastifyInstance, FastifyPluginAsync, FastifyReply } from 'fastify';
import { hexOfOrigin } from './cosigned-store.ts';
import type { Answer, Witness } from './witness.ts';

/** Longest request: 63 hashes and a note of some dozen post-quantum signatures. */
const MAX_BODY_BYTES = 128 * 1024;

/** POST /add-checkpoint, and GET /<hex SHA-256 of the origin>/checkpoint for monitors (C2SP tlog-witness). */
export const witnessApi: FastifyPluginAsync<{ readonly witness: Witness }> = async (app, { witness }) => {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: MAX_BODY_BYTES }, (_request, body, done) =>
    done(null, body),
  );
  app.post('/add-checkpoint', async (request, reply) => {
    const body = textOf(request.body);
    if (body === undefined) return send(reply, { status: 400, says: 'expected a body in UTF-8' });
    return send(reply, await witness.addCheckpoint(body));
  });
  monitoring(app, witness);
};

function monitoring(app: FastifyInstance, witness: Witness): void {
  app.get<{ Params: { log: string } }>('/:log/checkpoint', async (request, reply) => {
    const origin = witness.origins.find((each) => hexOfOrigin(each) === request.params.log);
    const note = origin === undefined ? undefined : await witness.last(origin);
    if (note === undefined) return send(reply, { status: 404, says: 'no checkpoint of such a log was cosigned here' });
    return reply.type('text/plain; charset=utf-8').header('cache-control', 'no-cache').send(note);
  });
}

function send(reply: FastifyReply, answer: Answer): FastifyReply {
  reply.code(answer.status);
  if (answer.status === 409) return reply.type('text/x.tlog.size').send(Buffer.from(`${answer.size}\n`));
  reply.type('text/plain; charset=utf-8');
  return reply.send(answer.status === 200 ? answer.signatures : `${answer.says}\n`);
}

function textOf(body: unknown): string | undefined {
  try {
    return body instanceof Uint8Array
      ? new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body)
      : undefined;
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}
