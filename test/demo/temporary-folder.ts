import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** A folder of this test file's own in place of the system's for temporary files: what is left in it, the test left. */
export async function ownTemporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'behalf-test-'));
  process.env.TMPDIR = folder;
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}
