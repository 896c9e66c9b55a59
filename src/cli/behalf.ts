#!/usr/bin/env node
import { blastRadius } from './blast-radius.ts';
import { chain } from './chain.ts';
import { chains } from './chains.ts';
import { alignRows, type Command, describeCommand, parseArguments, type Terminal, UsageError } from './command.ts';
import { demo } from './demo.ts';
import { evidence } from './evidence.ts';
import { exportHops } from './export.ts';
import { fsck } from './fsck.ts';
import { keys } from './keys.ts';
import { migrate } from './migrate.ts';
import { parties } from './parties.ts';
import { reindex } from './reindex.ts';
import { revoke } from './revoke.ts';
import { serve } from './serve.ts';
import { ENVIRONMENT } from './settings.ts';
import { SECRET_VARIABLES } from './signing-settings.ts';
import { verify } from './verify.ts';
import { witness } from './witness.ts';

const COMMANDS: readonly Command[] = [
  demo,
  serve,
  migrate,
  chains,
  chain,
  parties,
  blastRadius,
  revoke,
  verify,
  fsck,
  reindex,
  keys,
  exportHops,
  evidence,
  witness,
];

const terminal: Terminal = {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  color: process.stdout.isTTY === true && !process.env.NO_COLOR,
  environment: { ...process.env },
};

// Read once, and not handed on: what this process starts has no business with it.
for (const name of SECRET_VARIABLES) delete process.env[name];

process.exitCode = await run(process.argv.slice(2));

/** Exit status: 0 done, 1 the answer is no or it failed, 2 the command line is not understood. */
async function run([name, ...rest]: readonly string[]): Promise<number> {
  try {
    const command = COMMANDS.find((each) => each.name === name);
    if (command === undefined) return describeAll(name);
    if (rest.includes('--help') || rest.includes('-h')) {
      terminal.out(describeCommand(command));
      return 0;
    }
    return await command.run(parseArguments(command, rest), terminal);
  } catch (error) {
    terminal.err(`behalf: ${error instanceof Error ? error.message : String(error)}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

function describeAll(name: string | undefined): number {
  const asked = name === undefined || name === 'help' || name === '--help' || name === '-h';
  const commands = alignRows(COMMANDS.map((each) => [`  ${each.name}`, each.summary]));
  const environment = alignRows(ENVIRONMENT.map(([variable, says]) => [`  ${variable}`, says]));
  const text = `behalf <command> [options]\nWho did what, on whose behalf, under which authority, through which services: answered with proof.\n\nCommands\n${commands}\n\nEnvironment\n${environment}\n\nbehalf <command> --help tells more.\n`;
  if (asked) terminal.out(text);
  else terminal.err(`behalf: unknown command ${name}\n\n${text}`);
  return asked ? 0 : 2;
}
