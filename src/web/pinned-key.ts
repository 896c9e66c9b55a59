const PLACE = 'behalf.pinned-verifier-key';

/**
 * The verifier key the reader pinned in this browser, from a source they trust. Null when none is pinned, or when the
 * browser keeps nothing (private mode, storage refused): then nothing is pinned, and the page says so.
 */
export function pinnedKey(): string | null {
  try {
    return localStorage.getItem(PLACE);
  } catch {
    return null;
  }
}

/** Pins a key, or with null lets it go. Throws what the browser throws when it refuses to keep it. */
export function pinKey(key: string | null): void {
  if (key === null) localStorage.removeItem(PLACE);
  else localStorage.setItem(PLACE, key);
}
