import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

/** `npm run test:formats -- --rounds N --seed N`: hostile files for every format, as many as wanted. */
const { values } = parseArgs({ options: { rounds: { type: 'string' }, seed: { type: 'string' } } });
const { rounds = '200000', seed } = values;

const child = spawn(
  process.execPath,
  ['--conditions=behalf-source', '--test', '--test-reporter=spec', join(import.meta.dirname, 'formats.test.ts')],
  {
    stdio: 'inherit',
    env: {
      ...process.env,
      BEHALF_FORMATS_ROUNDS: rounds,
      ...(seed === undefined ? {} : { BEHALF_FORMATS_SEED: seed }),
    },
  },
);
child.on('exit', (code) => {
  process.exitCode = code ?? 1;
});
