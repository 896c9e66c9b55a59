import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

/** `npm run test:tamper -- --mutations N --entries N --seed N`: the mutation test, as long as wanted. */
const { values } = parseArgs({
  options: { mutations: { type: 'string' }, entries: { type: 'string' }, seed: { type: 'string' } },
});
const { mutations = '10000', entries = '5000', seed } = values;

const child = spawn(
  process.execPath,
  [
    '--conditions=behalf-source',
    '--test',
    '--test-reporter=spec',
    `--test-global-setup=${join(import.meta.dirname, '../global-setup.ts')}`,
    join(import.meta.dirname, 'mutations.test.ts'),
  ],
  {
    stdio: 'inherit',
    env: {
      ...process.env,
      BEHALF_TAMPER_ROUNDS: mutations,
      BEHALF_TAMPER_ENTRIES: entries,
      ...(seed === undefined ? {} : { BEHALF_TAMPER_SEED: seed }),
    },
  },
);
child.on('exit', (code) => {
  process.exitCode = code ?? 1;
});
