import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { csvField, csvLine } from '../../src/exports/csv.ts';
import { rfc3339 } from '../../src/exports/hop-line.ts';
import { agent, delegatedCall, Entries, user } from '../chains/entries.ts';
import { observationsOf, testApi } from '../query/api.ts';

const YEAR = 'from=2026-01-01T00:00:00Z&to=2027-01-01T00:00:00Z';

/** Reads RFC 4180 as its grammar has it: a reader of ours, so that the writer is not its own judge. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  for (let at = 0; at < text.length; ) {
    const row: string[] = [];
    for (;;) {
      const quoted = /^"((?:[^"]|"")*)"/.exec(text.slice(at));
      const field = quoted ?? /^[^",\r\n]*/.exec(text.slice(at));
      row.push(quoted ? (quoted[1] ?? '').replaceAll('""', '"') : (field?.[0] ?? ''));
      at += field?.[0].length ?? 0;
      if (text[at] !== ',') break;
      at += 1;
    }
    assert.equal(text.slice(at, at + 2), '\r\n', 'a line ends with CRLF');
    at += 2;
    rows.push(row);
  }
  return rows;
}

test('every field is read back as it was, save formulas, which get an apostrophe', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' }), { minLength: 1, maxLength: 5 }), (fields) => {
      const [row] = parseCsv(csvLine(fields));
      assert.deepEqual(
        row,
        fields.map((field) => (/^[=+\-@\t\r\n＝＋－＠]/.test(field) ? `'${field}` : field)),
      );
    }),
    { numRuns: 500 },
  );
});

test('text that a spreadsheet would run does not begin a field', () => {
  for (const evil of ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '\n=1', '＝1', '=HYPERLINK("http://x")'])
    assert.match(csvField(evil), /^"?'/, JSON.stringify(evil));
});

test('times are told to the nanosecond', () => {
  assert.equal(rfc3339('1793439700000000001'), '2026-10-31T09:41:40.000000001Z');
  assert.equal(rfc3339('0'), '1970-01-01T00:00:00.000000000Z');
  assert.equal(rfc3339('99999999999999999999'), '5138-11-16T09:46:39.999999999Z');
});

test('csv and ndjson hold the same hops of the period, persons by name', async (t) => {
  const { app, take } = await testApi(t);
  const entries = delegatedCall();
  entries.hop({ service: 'late', at: [3, 1], time: '1824975700000000000' });
  entries.hop({
    service: 'evil',
    at: [2, 1],
    operation: '=cmd|"x", y\n',
    subject: user('erin'),
    actors: [agent('a,b')],
  });
  await take(observationsOf(entries.all));
  const csv = await app.inject(`/api/v1/hops/export?${YEAR}&format=csv`);
  assert.match(String(csv.headers['content-type']), /^text\/csv/);
  const [head, ...rows] = parseCsv(csv.body);
  const column = (name: string) => rows.map((row) => row[head?.indexOf(name) ?? -1]);
  const ndjson = await app.inject(`/api/v1/hops/export?${YEAR}`);
  assert.match(String(ndjson.headers['content-type']), /^application\/x-ndjson/);
  const lines = ndjson.body
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.equal(lines.length, 6);
  assert.deepEqual(
    column('hop_id'),
    lines.map(({ hop }) => hop.id),
  );
  assert.deepEqual(column('subject'), ['dana', 'dana', '', 'dana', 'dana', 'erin']);
  assert.ok(rows.every((row) => row.length === head?.length));
  assert.equal(column('operation').at(-1), `'=cmd|"x", y\n`);
  assert.equal(column('actors').at(-1), 'a,b');
  assert.ok(!column('to_service').includes('late'));
});

test('a period without hops gives the csv header and an empty ndjson', async (t) => {
  const { app } = await testApi(t);
  const csv = await app.inject(`/api/v1/hops/export?${YEAR}&format=csv`);
  assert.equal(csv.statusCode, 200);
  assert.match(csv.body, /^time,chain_id,hop_id,[^\n]*entries\r\n$/);
  const ndjson = await app.inject(`/api/v1/hops/export?${YEAR}`);
  assert.deepEqual([ndjson.statusCode, ndjson.body], [200, '']);
});

test('an export longer than a page holds every hop once, in order of time', async (t) => {
  const { app, take } = await testApi(t);
  const entries = new Entries();
  for (let n = 1; n <= 1203; n += 1) entries.hop({ service: 'a', at: [n, 1], time: `179343970000000000${n % 7}` });
  const all = observationsOf(entries.all);
  for (let at = 0; at < all.length; at += 400) await take(all.slice(at, at + 400));
  const { body } = await app.inject(`/api/v1/hops/export?${YEAR}`);
  const hops = body
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).hop);
  assert.equal(new Set(hops.map(({ id }) => id)).size, 1203);
  const times = hops.map(({ time }) => time);
  assert.deepEqual(times, times.toSorted());
});
