import { malformed } from './verification-error.ts';

/*
 * An evidence page is an HTML file that carries a bundle in a block that no browser runs: a JSON string, in which every "<" is
 * escaped, so that nothing in a bundle ends the block.
 */
const OPEN = '<script type="application/json" id="evidence">';
const CLOSE = '</script>';

/** True for a file that is a page rather than a bundle. */
export const isEvidencePage = (file: string): boolean => /^\s*<!doctype html>/i.test(file.slice(0, 100));

/** The page with a bundle in it; the page must be an empty one. Throws VerificationError `malformed`. */
export function formatEvidencePage(emptyPage: string, evidence: string): string {
  const [before, after, ...more] = emptyPage.split(`${OPEN}${CLOSE}`);
  if (before === undefined || after === undefined || more.length > 0) {
    malformed('evidence page: expected an empty page, with one place for a bundle');
  }
  return `${before}${OPEN}${escaped(evidence)}${CLOSE}${after}`;
}

/** The bundle a page carries; nothing else of the page is looked at. Throws VerificationError `malformed`. */
export function evidenceOfPage(page: string): string {
  const at = page.indexOf(OPEN);
  const block = page.slice(at + OPEN.length, page.indexOf(CLOSE, at));
  if (at < 0 || block === '') malformed('evidence page: it carries no bundle');
  const evidence = parsed(block);
  if (typeof evidence !== 'string' || escaped(evidence) !== block) {
    malformed('evidence page: expected the bundle in the form its writer gives it');
  }
  return evidence;
}

const escaped = (evidence: string): string => JSON.stringify(evidence).replaceAll('<', '\\u003c');

function parsed(block: string): unknown {
  try {
    return JSON.parse(block);
  } catch {
    return undefined; // told as what it is: not what the writer wrote
  }
}
