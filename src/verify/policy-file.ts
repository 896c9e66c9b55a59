import type { Policy, PolicyGroup, PolicyLog, PolicyWitness } from './policy.ts';
import { malformed, VerificationError } from './verification-error.ts';
import { type KeyType, parseVerifierKey } from './verifier-key.ts';

/** The longest policy read, in characters. */
export const MAX_POLICY_CHARACTERS = 1_000_000;
const FORBIDDEN = /[^\t\n\u{20}-\u{7e}\u{80}-\u{10ffff}]/u;
const NONE = 'none';

/**
 * Reads a policy file (C2SP tlog-policy): lines of words between spaces and tabs, `#` comments. Throws VerificationError
 * `malformed`, naming the line, on anything the specification does not allow and on keys other than Ed25519.
 */
export function parsePolicy(text: string): Policy {
  if (text.length > MAX_POLICY_CHARACTERS) {
    malformed(`policy: expected at most ${MAX_POLICY_CHARACTERS} characters, got ${text.length}`);
  }
  if (FORBIDDEN.test(text) || !text.isWellFormed()) malformed('policy: expected text without control characters');
  const lines = text.split('\n');
  if (lines.pop() !== '') malformed('policy: expected every line to end in a newline');
  const reading = new PolicyReading();
  for (const [i, line] of lines.entries()) {
    const words = line.split(/[ \t]+/).filter((word) => word !== '');
    if (words[0] !== undefined && !words[0].startsWith('#')) atLine(i + 1, () => reading.take(words));
  }
  return reading.finish();
}

/** The policy as a file: logs, witnesses, groups, quorum. Throws VerificationError `malformed` on what parsePolicy refuses. */
export function formatPolicy({ logs, witnesses, groups, quorum }: Policy): string {
  const lines = [
    ...logs.map(({ verifierKey, url }) => ['log', verifierKey, ...optional(url)]),
    ...witnesses.map(({ name, verifierKey, url }) => ['witness', name, verifierKey, ...optional(url)]),
    ...groups.map((group) => ['group', group.name, thresholdWord(group), ...group.members]),
    ['quorum', quorum],
  ];
  const text = lines.map((words) => `${words.join(' ')}\n`).join('');
  parsePolicy(text);
  return text;
}

const optional = (url: string | undefined): string[] => (url === undefined ? [] : [url]);

function thresholdWord({ threshold, members }: PolicyGroup): string {
  if (threshold === 1) return 'any';
  return threshold === members.length ? 'all' : String(threshold);
}

function atLine(number: number, run: () => void): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof VerificationError)) throw error;
    throw new VerificationError(error.code, `policy line ${number}: ${error.message}`, { cause: error });
  }
}

class PolicyReading {
  readonly #logs: PolicyLog[] = [];
  readonly #witnesses: PolicyWitness[] = [];
  readonly #groups: PolicyGroup[] = [];
  readonly #names = new Set<string>();
  readonly #members = new Set<string>();
  readonly #keys = new Set<string>(); // type and public key: the same key twice is no second log or witness
  #quorum: string | undefined;

  take([kind, ...words]: readonly string[]): void {
    if (kind === 'log') this.#takeLog(words);
    else if (kind === 'witness') this.#takeWitness(words);
    else if (kind === 'group') this.#takeGroup(words);
    else if (kind === 'quorum') this.#takeQuorum(words);
    else malformed('expected log, witness, group or quorum');
  }

  finish(): Policy {
    if (this.#quorum === undefined) malformed('policy: expected a quorum line; "quorum none" asks for no witness');
    return { logs: this.#logs, witnesses: this.#witnesses, groups: this.#groups, quorum: this.#quorum };
  }

  #takeLog([verifierKey, url, ...rest]: readonly string[]): void {
    if (verifierKey === undefined || rest.length > 0) malformed('expected log <vkey> [<url>]');
    this.#takeKey(verifierKey, 'ed25519');
    this.#logs.push({ verifierKey, ...(url === undefined ? {} : { url }) });
  }

  #takeWitness([name, verifierKey, url, ...rest]: readonly string[]): void {
    if (name === undefined || verifierKey === undefined || rest.length > 0) {
      malformed('expected witness <name> <vkey> [<url>]');
    }
    this.#takeKey(verifierKey, 'cosignature');
    this.#takeName(name);
    this.#witnesses.push({ name, verifierKey, ...(url === undefined ? {} : { url }) });
  }

  #takeGroup([name, threshold, ...members]: readonly string[]): void {
    if (name === undefined || threshold === undefined || members.length === 0) {
      malformed('expected group <name> all|any|<k> <member>...');
    }
    for (const member of members) this.#takeMember(member);
    this.#takeName(name);
    this.#groups.push({ name, threshold: parseThreshold(threshold, members.length), members });
  }

  #takeQuorum([name, ...rest]: readonly string[]): void {
    if (name === undefined || rest.length > 0) malformed('expected quorum <name>');
    if (this.#quorum !== undefined) malformed('expected one quorum line, got a second one');
    if (name !== NONE) this.#requireDefined(name);
    this.#quorum = name;
  }

  #takeKey(verifierKey: string, type: KeyType): void {
    const key = parseVerifierKey(verifierKey);
    if (key.type !== type) malformed(`expected a key of type ${type}, got one of type ${key.type}`);
    const same = `${type} ${key.publicKey.join()}`;
    if (this.#keys.has(same)) malformed('this public key stands on an earlier line already');
    this.#keys.add(same);
  }

  #takeName(name: string): void {
    if (name === NONE) malformed('the name none cannot be given');
    if (this.#names.has(name)) malformed(`the name ${name} is given twice`);
    this.#names.add(name);
  }

  #takeMember(name: string): void {
    this.#requireDefined(name);
    if (this.#members.has(name)) malformed(`${name} is listed as a member twice; it could count twice`);
    this.#members.add(name);
  }

  #requireDefined(name: string): void {
    if (!this.#names.has(name)) malformed(`expected a witness or group of an earlier line, got ${name}`);
  }
}

function parseThreshold(word: string, members: number): number {
  if (word === 'any') return 1;
  if (word === 'all') return members;
  const threshold = /^[1-9][0-9]{0,8}$/.test(word) ? Number(word) : 0;
  if (threshold < 1 || threshold > members) malformed(`expected all, any or a number of 1 to ${members}, got ${word}`);
  return threshold;
}
