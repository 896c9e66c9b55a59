import fc from 'fast-check';

/** Names that may stand in signature lines and keys: no white space, no plus, no control character. */
export const keyNames = fc
  .string({ minLength: 1, maxLength: 20, unit: 'binary' })
  .filter((text) => /^[^\p{White_Space}\p{Control}+]+$/u.test(text));
