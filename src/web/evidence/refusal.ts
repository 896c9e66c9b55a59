import type { VerificationCode } from '@behalf/verify';

/** What a failed check means, in plain words. */
const MEANS: Readonly<Record<VerificationCode, string>> = {
  malformed: 'It is not written as such a file is written: it was damaged, or it is something else.',
  unsigned: 'No log that is trusted here signed it.',
  bad_signature: 'A signature does not verify: what was signed was changed afterwards, or somebody else signed it.',
  wrong_origin: 'It was signed for another log.',
  quorum: 'Fewer independent witnesses vouched for it than the policy asks for.',
  inclusion: 'An entry is not what the log holds at its place: the entry, its number or its proof was changed.',
  consistency: 'The log is not the one seen before.',
  entry_mismatch: 'An entry is not what the log holds at its place.',
  tile_mismatch: 'A part of the log does not fit the others.',
  root_mismatch: 'The entries do not add up to what was signed.',
  disclosure: 'A name that it discloses is not the one that was sealed in the entry.',
  timestamp: 'Its timestamp is missing, of something else, or by nobody who is trusted here.',
  empty_log: 'There was nothing to check.',
  unavailable: 'Something could not be read.',
  too_large: 'It is larger than such a file can be.',
};

export const meaningOf = (code: VerificationCode): string => MEANS[code];
