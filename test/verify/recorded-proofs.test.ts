import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  checkConsistency,
  checkInclusion,
  checkSubtreeConsistency,
  checkSubtreeInclusion,
  VerificationError,
} from '@behalf/verify';

// transparency-dev/merkle testdata (417fb0c): https://github.com/transparency-dev/merkle/tree/main/testdata
const folder = join(import.meta.dirname, '../../../shared/inputs/merkle/transparency-dev-merkle-testdata');
const skip = existsSync(folder) ? false : `the recorded proofs are not at ${folder}`;

interface Recorded {
  readonly name: string;
  readonly wantErr: boolean;
  readonly number: (field: string) => bigint;
  readonly bytes: (field: string) => Uint8Array;
  readonly proof: readonly Uint8Array[];
}

const decode = (text: unknown): Uint8Array => new Uint8Array(Buffer.from(String(text ?? ''), 'base64'));

/** Sizes exceed 2^53, so numbers are quoted before JSON.parse rounds them. */
function read(name: string): Recorded {
  const text = readFileSync(join(folder, name), 'utf8').replace(/("\w+":\s*)(\d+)/g, '$1"$2"');
  const value = JSON.parse(text) as Record<string, unknown>;
  return {
    name,
    wantErr: value.wantErr === true,
    number: (field) => BigInt(String(value[field])),
    bytes: (field) => decode(value[field]),
    proof: ((value.proof ?? []) as unknown[]).map(decode),
  };
}

const recorded = (kind: string): Recorded[] =>
  readdirSync(join(folder, kind), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.json'))
    .map((name) => read(join(kind, name)));

const accepts = (check: () => void): boolean => {
  try {
    check();
    return true;
  } catch (error) {
    if (error instanceof VerificationError) return false;
    throw error;
  }
};

const CHECKS: Readonly<Record<string, (given: Recorded) => void>> = {
  inclusion: ({ number, bytes, proof }) =>
    checkInclusion({
      index: number('leafIdx'),
      size: number('treeSize'),
      leaf: bytes('leafHash'),
      root: bytes('root'),
      proof,
    }),
  consistency: ({ number, bytes, proof }) =>
    checkConsistency({
      size1: number('size1'),
      size2: number('size2'),
      root1: bytes('root1'),
      root2: bytes('root2'),
      proof,
    }),
  subtreeconsistency: ({ number, bytes, proof }) =>
    checkSubtreeConsistency({
      start: number('start'),
      end: number('end'),
      size: number('size'),
      subtree: bytes('root1'),
      root: bytes('root2'),
      proof,
    }),
  subtreeinclusion: ({ number, bytes, proof }) =>
    checkSubtreeInclusion({
      index: number('leafIdx'),
      start: number('start'),
      end: number('end'),
      leaf: bytes('leafHash'),
      subtree: bytes('root'),
      proof,
    }),
};
const COUNTS: Readonly<Record<string, number>> = {
  inclusion: 98,
  consistency: 98,
  subtreeconsistency: 118,
  subtreeinclusion: 204,
};

/** Where we refuse what the authors accept, and why. */
const STRICTER: Readonly<Record<string, RegExp>> = {
  'sizes-are-equal-one-and-proof-is-empty': /expected 32 bytes, got 12/, // made-up roots of 12 bytes
  'subtree-is-empty-': /expected a subtree of the tree/, // an empty range proves nothing
};

for (const [kind, check] of Object.entries(CHECKS)) {
  test(`the recorded ${kind} proofs are accepted and refused as their authors say`, { skip }, () => {
    const given = recorded(kind);
    assert.equal(given.length, COUNTS[kind]);
    for (const each of given) {
      const stricter = each.wantErr ? undefined : Object.keys(STRICTER).find((part) => each.name.includes(part));
      if (stricter === undefined)
        assert.equal(
          accepts(() => check(each)),
          !each.wantErr,
          each.name,
        );
      else assert.throws(() => check(each), { code: 'malformed', message: STRICTER[stricter] as RegExp }, each.name);
    }
  });
}
