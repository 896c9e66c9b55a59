import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '../..');
const { imports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { imports: Record<string, string> };

/** What recomputes a whole log, or all that queries show: seconds to hours of one processor. */
const CHECKS = /\b(verifyLog|fsck|checkProjection)\b/;
/** The commands that run those, each a process of its own that takes nothing in. */
const COMMANDS = ['src/cli/verify.ts', 'src/cli/fsck.ts'];

/** The modules a file names, with what it takes of each. */
function takenBy(file: string): { readonly from: string; readonly names: string }[] {
  const text = readFileSync(join(root, file), 'utf8');
  const statement = /^(import|export)\s([^;]*?)\sfrom '([^'\n]+)';$|^import '([^'\n]+)';$|\bimport\('([^'\n]+)'\)/gm;
  return [...text.matchAll(statement)].map(([, keyword, names = '', a, b, c]) => ({
    names: keyword === 'import' ? names : '', // an index passes names on without using them
    from: a ?? b ?? c ?? '',
  }));
}

function fileOf(name: string, from: string): string | undefined {
  const inside = imports[name];
  if (inside !== undefined) return relative(root, resolve(root, inside));
  if (!name.startsWith('.')) return undefined;
  const file = relative(root, resolve(root, dirname(from), name));
  return existsSync(join(root, file)) ? file : undefined;
}

/** Everything that a program's own code reaches, its parts' indexes and what they name included. */
function reachedFrom(start: string): ReadonlySet<string> {
  const reached = new Set<string>();
  const waiting = [start];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (reached.has(file)) continue;
    reached.add(file);
    for (const { from } of takenBy(file)) {
      const next = fileOf(from, file);
      if (next !== undefined) waiting.push(next);
    }
  }
  return reached;
}

test('nothing that takes observations in, or answers, verifies a log on its own thread: that is another process', () => {
  const reached = reachedFrom('src/cli/server.ts');
  for (const expected of ['src/collector/reception.ts', 'src/ledger/ledger.ts', 'src/query/query-api.ts']) {
    assert.ok(reached.has(expected), `the walk over imports misses ${expected}`);
  }
  const callers = [...reached].filter((file) => takenBy(file).some(({ names }) => CHECKS.test(names)));
  assert.deepEqual(callers, []);
  for (const command of COMMANDS) {
    assert.ok(!reached.has(command), `${command} runs inside the server`);
    assert.ok(
      takenBy(command).some(({ names }) => CHECKS.test(names)),
      `${command} checks nothing`,
    );
  }
});
