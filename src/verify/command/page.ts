import { readFile, writeFile } from 'node:fs/promises';

/** Writes the evidence page, empty, as it was published with this package. An existing file is refused. */
export async function writePage(file: string): Promise<void> {
  await writeFile(file, await readFile(new URL(import.meta.resolve('@behalf/verify/evidence.html'))), { flag: 'wx' });
}
