import { spawn } from 'node:child_process';
import { join } from 'node:path';

/** `npm run test:trees`: every proof and every tile of the large trees too, each hash of them changed; many minutes. */
const child = spawn(
  process.execPath,
  ['--conditions=behalf-source', '--test', '--test-reporter=spec', join(import.meta.dirname, 'every-tree.test.ts')],
  { stdio: 'inherit', env: { ...process.env, BEHALF_EVERY_TREE: 'yes' } },
);
child.on('exit', (code) => {
  process.exitCode = code ?? 1;
});
