import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import * as semconv from '@behalf/sdk/semconv';
import { CONVENTIONS, formatConventions } from '../../src/sdk/semconv-table.ts';

const page = join(import.meta.dirname, '..', '..', 'src', 'sdk', 'SEMCONV.md');

test('the page says what the table says: node test/sdk/write-semconv.ts writes it', async () => {
  assert.equal(await readFile(page, 'utf8'), formatConventions());
});

test('every attribute stands in the table once, and nothing else does', () => {
  const events: readonly string[] = [semconv.EVENT_HOP, semconv.EVENT_EXCHANGE, semconv.EVENT_REVOCATION];
  const names = Object.values(semconv).filter((name) => !events.includes(name));
  assert.deepEqual(CONVENTIONS.map(({ name }) => name).toSorted(), names.toSorted());
});
