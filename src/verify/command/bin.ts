#!/usr/bin/env node
import { availableParallelism } from 'node:os';
import { VerificationError } from '../verification-error.ts';
import { askedBy, type Check, USAGE, UsageError } from './arguments.ts';
import { checkFile, checkLog, type Held, readAuthorities, readPolicy } from './check.ts';
import { describeHeld, jsonOfHeld } from './describe.ts';
import { LastSeen } from './last-seen.ts';
import { writePage } from './page.ts';
import { progressOn } from './progress.ts';

process.exitCode = await run(process.argv.slice(2));

async function run(argv: readonly string[]): Promise<number> {
  try {
    const asked = askedBy(argv, process.env, availableParallelism());
    if (asked.kind === 'help') process.stdout.write(USAGE);
    else if (asked.kind === 'page') await writePage(asked.file);
    else process.stdout.write((asked.json ? jsonOfHeld : describeHeld)(await check(asked)));
    return 0;
  } catch (error) {
    return explain(error);
  }
}

async function check({ target, policyFile, authoritiesFile, stateFolder, threads }: Check): Promise<Held> {
  const policy = await readPolicy(policyFile);
  const seen = stateFolder === undefined ? undefined : new LastSeen(stateFolder);
  if (!/^https?:\/\//.test(target)) {
    const authorities = authoritiesFile === undefined ? {} : { authorities: await readAuthorities(authoritiesFile) };
    return checkFile(target, { policy, ...authorities }, seen);
  }
  if (authoritiesFile !== undefined) throw new UsageError('--tsa: a log has no timestamp; it is for bundles');
  const progress = progressOn(process.stderr);
  try {
    return await checkLog({ url: target, policy, seen, threads, onProgress: progress.tell });
  } finally {
    progress.end();
  }
}

/** Exit status 1 for every check that did not hold and everything that could not be read. */
function explain(error: unknown): number {
  if (error instanceof UsageError) {
    process.stderr.write(`${error.message}\n\n${USAGE}`);
    return 2;
  }
  if (error instanceof VerificationError) {
    const at = error.index === undefined ? '' : `, first bad index ${error.index}`;
    process.stderr.write(`not verified (${error.code}${at}): ${error.message}\n`);
    return 1;
  }
  process.stderr.write(`not verified: ${error instanceof Error ? error.message : String(error)}\n`);
  return 1;
}
