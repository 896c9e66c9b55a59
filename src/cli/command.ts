import { parseArgs } from 'node:util';

/** What a command writes to: results on `out`, progress and errors on `err`. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  readonly color: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** An option of a command: `--name`, or `--name <value>` when it takes one. */
export interface Option {
  readonly value?: string; // what the value is called in --help
  readonly says: string;
}

export interface Arguments {
  readonly words: readonly string[];
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
}

export interface Command {
  readonly name: string;
  readonly words?: string; // what the positional words are called in --help
  readonly summary: string;
  readonly options: Readonly<Record<string, Option>>;
  /** Returns the exit status: 0 done, 1 the answer is no (a check failed, nothing found). Throws for everything else. */
  run(given: Arguments, terminal: Terminal): Promise<number>;
}

/** The command line asks for something that is not there; exit status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const JSON_OPTION: Readonly<Record<string, Option>> = { json: { says: 'print JSON instead of text' } };
export const URL_OPTION: Readonly<Record<string, Option>> = {
  url: { value: 'address', says: 'the server to ask (default http://127.0.0.1:7400, or BEHALF_URL)' },
};

/** Takes a command's words and options apart. Throws UsageError with what the command takes. */
export function parseArguments(command: Command, argv: readonly string[]): Arguments {
  const options = Object.fromEntries(
    Object.entries(command.options).map(([name, { value }]) => [
      name,
      { type: value === undefined ? ('boolean' as const) : ('string' as const) },
    ]),
  );
  try {
    const parsed = parseArgs({ args: [...argv], options, allowPositionals: command.words !== undefined });
    return { words: parsed.positionals, options: parsed.values };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`${why}\n\n${describeCommand(command)}`, { cause });
  }
}

/** `--help` of one command. */
export function describeCommand(command: Command): string {
  const words = command.words === undefined ? '' : ` ${command.words}`;
  const rows = Object.entries(command.options).map(([name, { value, says }]) => [
    `  --${name}${value === undefined ? '' : ` <${value}>`}`,
    says,
  ]);
  const options = rows.length === 0 ? '' : `\n\nOptions\n${alignRows(rows)}`;
  return `behalf ${command.name}${words}\n  ${command.summary}${options}\n`;
}

/** Two columns, the second aligned. */
export function alignRows(rows: readonly (readonly string[])[]): string {
  const width = Math.max(...rows.map(([first = '']) => first.length)) + 2;
  return rows.map(([first = '', second = '']) => `${first.padEnd(width)}${second}`).join('\n');
}

/** The one positional word a command needs. Throws UsageError. */
export function onlyWord(command: Command, { words }: Arguments): string {
  const [word, ...others] = words;
  if (word === undefined || others.length > 0) {
    throw new UsageError(`expected ${command.words}, got ${words.length} words\n\n${describeCommand(command)}`);
  }
  return word;
}

export const textOption = (given: Arguments, name: string): string | undefined => {
  const value = given.options[name];
  return typeof value === 'string' ? value : undefined;
};
