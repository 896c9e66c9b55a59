import { formatNote, formatPolicy, meetsQuorum, type NoteSignature, type Policy, parseNote } from '@behalf/verify';
import { LedgerError } from './errors.ts';
import type { Signed } from './signer.ts';
import { type Post, type ProveFrom, type WitnessAnswer, WitnessClient } from './witness-client.ts';

export interface WitnessSettings {
  /** Who is asked, and how many must have cosigned. Each witness has a url; logs, where named, include this one. */
  readonly policy: Policy;
  /** True: a checkpoint short of the quorum is not published. False: it is, with an alarm. */
  readonly required: boolean;
  readonly timeoutMs?: number; // for one witness, 3000 unless told
  /** Where a checkpoint was published short of the quorum: when they are asked again, and twice as late each time, at most
   * every five minutes; 5000 unless told. */
  readonly againMs?: number;
  readonly post?: Post;
}

/** A checkpoint with what its witnesses signed. */
export interface CosignedNote {
  readonly note: string;
  /** Whether that meets the quorum. */
  readonly met: boolean;
}

/** Once the quorum is met, how long the others may still add theirs. */
const GRACE_MS = 250;

/** Asks all witnesses of a policy at once, and adds what they sign to the checkpoint. */
export class Witnesses {
  readonly #policy: Policy;
  readonly #required: boolean;
  /** When to ask again for a checkpoint short of the quorum. */
  readonly againMs: number;
  readonly #clients: readonly WitnessClient[];
  readonly #onAlarm: (error: unknown) => void;
  readonly #alarmed = new Set<string>();

  /** Throws LedgerError `mismatch` for a policy of other logs, or with a witness that cannot be asked. */
  constructor(settings: WitnessSettings, verifierKey: string, onAlarm: (error: unknown) => void) {
    const { policy, required, timeoutMs = 3000, againMs = 5000, post = (url, init) => fetch(url, init) } = settings;
    requireOwn(policy, verifierKey);
    this.#policy = policy;
    this.#required = required;
    this.againMs = againMs;
    this.#onAlarm = onAlarm;
    this.#clients = policy.witnesses.map(
      ({ url, ...witness }) =>
        new WitnessClient({ ...witness, url: requireUrl(witness.name, url) }, { post, timeoutMs }),
    );
  }

  /**
   * The checkpoint's note with the cosignatures that came in time: all, or the quorum's and what came shortly after. Throws
   * LedgerError `unwitnessed` when the quorum is required and not met. Each trouble is an alarm once, until it is over.
   */
  async cosign(signed: Signed, prove: ProveFrom): Promise<CosignedNote> {
    const collected = await this.#collect(signed, prove);
    const { text, signatures } = parseNote(signed.note);
    const added = [...collected.values()].flat();
    const note = formatNote({ text, signatures: [...signatures, ...added] });
    if (meetsQuorum(this.#policy, [...collected.keys()])) {
      this.#alarmed.delete('quorum');
      return { note, met: true };
    }
    const missed = this.#missed(signed, collected.size);
    if (this.#required) throw missed;
    this.#alarm('quorum', missed);
    return { note, met: false };
  }

  /** What the witnesses signed, by their names in the policy. */
  async #collect(signed: Signed, prove: ProveFrom): Promise<ReadonlyMap<string, readonly NoteSignature[]>> {
    const collected = new Map<string, readonly NoteSignature[]>();
    const { promise: enough, resolve } = Promise.withResolvers<void>();
    let grace: NodeJS.Timeout | undefined;
    const asked = this.#clients.map(async (client) => {
      const answer = await client.cosign(signed, prove);
      this.#note(client.name, signed, answer);
      if (answer.kind === 'cosigned') collected.set(client.name, answer.signatures);
      if (meetsQuorum(this.#policy, [...collected.keys()])) grace ??= setTimeout(resolve, GRACE_MS);
    });
    try {
      await Promise.race([Promise.all(asked), enough]);
      return new Map(collected);
    } finally {
      clearTimeout(grace);
      // Stragglers go on until their own time is out; what they could not prove then is nobody's trouble.
      for (const each of asked) each.catch(() => undefined);
    }
  }

  #note(name: string, { checkpoint }: Signed, answer: WitnessAnswer): void {
    if (answer.kind === 'cosigned') {
      this.#alarmed.delete(name);
      return;
    }
    const says = answer.kind === 'ahead' ? `it has cosigned a larger tree, of size ${answer.size}` : answer.says;
    const next =
      answer.kind === 'unavailable'
        ? 'see whether it runs'
        : 'if no other server publishes this log, its database or keys were set back or rewritten: run behalf fsck and ask the witness for its checkpoint';
    this.#alarm(name, unwitnessed(`witness ${name} did not cosign size ${checkpoint.size}: ${says}; ${next}`));
  }

  #missed({ checkpoint }: Signed, count: number): LedgerError {
    const what = this.#required ? 'it is not published' : 'it is published all the same';
    return unwitnessed(
      `the checkpoint of size ${checkpoint.size} has ${count} of ${this.#clients.length} cosignatures, short of the quorum ${this.#policy.quorum}; ${what}`,
    );
  }

  #alarm(kind: string, error: LedgerError): void {
    if (this.#alarmed.has(kind)) return;
    this.#alarmed.add(kind);
    this.#onAlarm(error);
  }
}

/** What a stranger holds this log's checkpoints against: its own key and these witnesses, without their addresses. */
export function policyForOthers(verifierKey: string, policy: Policy | undefined): string {
  const { witnesses = [], groups = [], quorum = 'none' } = policy ?? {};
  return formatPolicy({
    logs: [{ verifierKey }],
    witnesses: witnesses.map(({ name, verifierKey: key }) => ({ name, verifierKey: key })),
    groups,
    quorum,
  });
}

const unwitnessed = (says: string): LedgerError => new LedgerError('unwitnessed', says);

function requireOwn({ logs }: Policy, verifierKey: string): void {
  if (logs.length === 0 || logs.some((log) => log.verifierKey === verifierKey)) return;
  throw new LedgerError('mismatch', `the witness policy names other logs than this one; add: log ${verifierKey}`);
}

function requireUrl(name: string, url: string | undefined): string {
  if (url !== undefined && /^https?:$/.test(URL.parse(url)?.protocol ?? '')) return url;
  throw new LedgerError(
    'mismatch',
    `witness ${name}: expected its address after its key in the policy, as in https://witness.example/`,
  );
}
