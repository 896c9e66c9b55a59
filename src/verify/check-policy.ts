import { type Checkpoint, openCheckpoint, openCosignature, parseCheckpoint } from './checkpoint.ts';
import { parseNote } from './note.ts';
import type { Policy } from './policy.ts';
import { VerificationError } from './verification-error.ts';

/** A checkpoint that a policy accepts, and why. */
export interface AcceptedCheckpoint {
  readonly checkpoint: Checkpoint;
  readonly verifierKey: string; // of the log that signed it
  readonly cosigned: readonly { readonly witness: string; readonly time: bigint }[]; // POSIX seconds, as each witness claims
}

/**
 * Checks a signed checkpoint against a policy: one of its logs signed it under its own origin, and the quorum of witnesses
 * cosigned it. Signatures of keys the policy does not name are ignored; one of a named key that does not verify refuses
 * the whole note. Throws VerificationError `malformed`, `wrong_origin`, `unsigned`, `bad_signature` or `quorum`.
 */
export async function checkPolicy(note: string, policy: Policy): Promise<AcceptedCheckpoint> {
  const verifierKey = await signerOf(note, policy);
  const checkpoint = await openCheckpoint(note, verifierKey);
  const cosigned = await cosignaturesOf(note, policy);
  requireQuorum(
    policy,
    cosigned.map(({ witness }) => witness),
  );
  return { checkpoint, verifierKey, cosigned };
}

/** True when witnesses of these names are enough. */
export function meetsQuorum({ groups, quorum }: Policy, witnesses: readonly string[]): boolean {
  const met = new Set(witnesses);
  for (const { name, threshold, members } of groups) {
    if (members.filter((member) => met.has(member)).length >= threshold) met.add(name);
  }
  return quorum === 'none' || met.has(quorum);
}

/** The key of the policy's log that signed the note; one under another origin than its own throws `wrong_origin`. */
async function signerOf(note: string, { logs }: Policy): Promise<string> {
  const signed: string[] = [];
  for (const { verifierKey } of logs) {
    if (await isSigned(openCheckpoint(note, verifierKey))) signed.push(verifierKey);
  }
  if (signed[0] !== undefined) return signed[0];
  const { origin } = parseCheckpoint(parseNote(note).text);
  throw new VerificationError('unsigned', `the checkpoint of ${origin} is signed by no log that the policy names`);
}

/** The policy's witnesses that cosigned the note, in the policy's order. */
export async function cosignaturesOf(note: string, policy: Policy): Promise<AcceptedCheckpoint['cosigned']> {
  const cosigned: { witness: string; time: bigint }[] = [];
  for (const { name, verifierKey } of policy.witnesses) {
    const opened = openCosignature(note, verifierKey);
    if (await isSigned(opened)) cosigned.push({ witness: name, time: (await opened).time });
  }
  return cosigned;
}

function requireQuorum(policy: Policy, witnesses: readonly string[]): void {
  if (meetsQuorum(policy, witnesses)) return;
  const have = witnesses.length === 0 ? 'no witness' : witnesses.join(', ');
  throw new VerificationError('quorum', `the policy asks for ${policy.quorum}; ${have} of it cosigned the checkpoint`);
}

async function isSigned(opened: Promise<unknown>): Promise<boolean> {
  try {
    await opened;
    return true;
  } catch (error) {
    if (error instanceof VerificationError && error.code === 'unsigned') return false;
    throw error;
  }
}
