import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VERIFICATION_CODES, VerificationError } from '@behalf/verify';

test('the codes are these; callers decide by them, so none is renamed or dropped', () => {
  assert.deepEqual(VERIFICATION_CODES, [
    'malformed',
    'unsigned',
    'bad_signature',
    'wrong_origin',
    'quorum',
    'inclusion',
    'consistency',
    'entry_mismatch',
    'tile_mismatch',
    'root_mismatch',
    'disclosure',
    'timestamp',
    'empty_log',
    'unavailable',
    'too_large',
  ]);
});

test('an error carries its code, its first leaf index and its cause', () => {
  const cause = new Error('why');
  const error = new VerificationError('unavailable', 'says', { index: 5n, cause });
  assert.equal(error.name, 'VerificationError');
  assert.deepEqual([error.code, error.index, error.cause, error.message], ['unavailable', 5n, cause, 'says']);
  assert.equal('cause' in new VerificationError('inclusion', 'says'), false);
});
