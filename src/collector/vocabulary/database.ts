import { given, type Reading, type Vocabulary } from './reading.ts';

const SYSTEM = ['db.system.name', 'db.system'];
const NAMESPACE = ['db.namespace', 'db.name'];
const COLLECTION = ['db.collection.name', 'db.sql.table', 'db.mongodb.collection'];
const OPERATION = ['db.query.summary', 'db.operation.name', 'db.operation'];

/** Databases, semantic conventions 1.44 and before. The query's text is never read: it holds values. */
export const database: Vocabulary = {
  name: 'db',
  keys: [...SYSTEM, ...NAMESPACE, ...COLLECTION, ...OPERATION, 'db.response.status_code'],
  read: (span) => {
    const system = span.text(...SYSTEM);
    if (system === undefined) return undefined;
    const place = [span.text(...NAMESPACE), span.text(...COLLECTION)].filter((part) => part !== undefined);
    return given<Reading>({
      protocol: 'database',
      peerService: system,
      operation: span.text(...OPERATION),
      resource: place.length === 0 ? undefined : place.join('.'),
      code: span.text('db.response.status_code'),
    });
  },
};
