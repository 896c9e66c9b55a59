/** Tells how far a verification is, on one line of a terminal, or every few seconds where there is none. */
export interface Progress {
  readonly tell: (entries: bigint, size: bigint) => void;
  end(): void;
}

export function progressOn(stream: { readonly isTTY?: boolean; write(text: string): unknown }): Progress {
  const isTerminal = stream.isTTY === true;
  const everyMs = isTerminal ? 200 : 5000;
  let last = performance.now();
  let told = false;
  return {
    tell: (entries, size) => {
      if (performance.now() - last < everyMs) return;
      last = performance.now();
      told = true;
      stream.write(`${isTerminal ? '\r\u001b[K' : ''}${entries} of ${size} entries checked${isTerminal ? '' : '\n'}`);
    },
    end: () => {
      if (told && isTerminal) stream.write('\n');
    },
  };
}
