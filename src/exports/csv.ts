/** RFC 4180: fields with a comma, quote or line end are quoted, quotes doubled, lines end with CRLF. */
export const csvLine = (fields: readonly string[]): string => `${fields.map(csvField).join(',')}\r\n`;

/**
 * Spreadsheets run text that begins like a formula (CWE-1236): such text gets an apostrophe in front, which shows and does
 * not run. Text in exports comes from whoever sends telemetry.
 */
const FORMULA = /^[=+\-@\t\r\n\u{ff1d}\u{ff0b}\u{ff0d}\u{ff20}]/u;

export function csvField(text: string): string {
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
