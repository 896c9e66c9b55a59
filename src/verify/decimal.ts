import { malformed } from './verification-error.ts';

/** An unsigned 64-bit decimal without leading zeros; `what` names it in the error. */
export function parseDecimal(text: string, what: string): bigint {
  if (!/^(?:0|[1-9][0-9]{0,19})$/.test(text)) malformed(`${what}: expected a decimal without leading zeros`);
  const value = BigInt(text);
  if (value >= 2n ** 64n) malformed(`${what}: expected a number below 2^64, got ${text}`);
  return value;
}
