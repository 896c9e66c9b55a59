import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import fastify, { type FastifyInstance } from 'fastify';
import type { Recorded } from '#chains';
import type { Database } from '#database';
import { exportApi } from '#exports';
import type { Ledger } from '#ledger';
import { openPersonReader } from '#ledger/read';
import { type ClearParty, type Observation, parseObservation } from '#observation';
import { type Projection, startProjection } from '#projection';
import { queryApi } from '#query';
import { testLog } from '../ledger/harness.ts';

export interface TestApi {
  readonly app: FastifyInstance;
  readonly database: Database;
  readonly ledger: Ledger;
  readonly projection: Projection;
  /** Everything an operator was told. */
  readonly alarms: Error[];
  /** Appends, publishes, and waits until chains take account of it. */
  take(observations: readonly Observation[]): Promise<void>;
  /** GETs a path that must answer 200. */
  get<T>(path: string): Promise<T>;
  /** GETs a path that must answer a problem, and returns `status code`. */
  problem(path: string): Promise<{ readonly is: string; readonly detail: string }>;
}

/** The whole reading side on a fresh log: ledger, projection, query API and exports in one fastify instance. */
export async function testApi(t: TestContext): Promise<TestApi> {
  const log = await testLog(t);
  const ledger = await log.open();
  const alarms: Error[] = [];
  const onAlarm = (error: Error) => alarms.push(error);
  const persons = await openPersonReader({
    database: log.database,
    logId: 1,
    origin: ledger.origin,
    keyFolder: log.keyFolder,
  });
  const projection = startProjection({ database: log.database, logId: 1, onAlarm });
  t.after(() => projection.close());
  const app = fastify({ routerOptions: { maxParamLength: 700 } });
  t.after(() => app.close());
  const shared = { database: log.database, log: log.reader, persons, onAlarm };
  await app.register(queryApi, { ...shared, projection, verifierKey: ledger.verifierKey });
  await app.register(exportApi, shared);
  await app.ready();
  return {
    app,
    database: log.database,
    ledger,
    projection,
    alarms,
    async take(observations) {
      for (const appended of await ledger.append(observations)) assert.equal(appended.kind, 'sequenced');
      await ledger.publish();
      await projection.caughtUp((await log.reader.log()).size);
    },
    async get(path) {
      const response = await app.inject(path);
      assert.equal(response.statusCode, 200, response.body);
      return response.json();
    },
    async problem(path) {
      const response = await app.inject(path);
      assert.match(response.headers['content-type'] ?? '', /^application\/problem\+json/, response.body);
      const { status, code, detail } = response.json();
      assert.equal(status, response.statusCode);
      return { is: `${status} ${code}`, detail };
    },
  };
}

/** Entries as their reporters would have sent them: persons by name, under one issuer. */
export const observationsOf = (recorded: readonly Recorded[]): readonly Observation[] =>
  recorded.map(({ entry }) =>
    parseObservation(
      JSON.parse(JSON.stringify(entry), (_, value) =>
        typeof value === 'object' && value !== null && 'ref' in value ? inClear(value) : value,
      ),
    ),
  );

function inClear({ type, basis, ref }: ClearParty & { readonly ref: string }): ClearParty {
  const id = Buffer.from(ref.slice(2), 'hex').toString().replaceAll('\u0000', '');
  return { type, basis, issuer: 'https://idp', id };
}
