import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import chromium, { inflate } from '@sparticuz/chromium';
import { type Browser, chromium as playwright } from 'playwright-core';

/**
 * A real Chromium from its npm package alone, unpacked into a folder of its own together with the libraries it needs, so
 * that nothing is expected of the machine and runs side by side do not share files.
 */
export async function openBrowser(): Promise<{ browser: Browser; close(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'behalf-browser-'));
  const before = process.env.TMPDIR;
  process.env.TMPDIR = folder; // where the package unpacks to, and where Chromium keeps its profile
  const restore = async () => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const executablePath = await chromium.executablePath();
    const libraries = await inflate(
      join(import.meta.dirname, '../../node_modules/@sparticuz/chromium/bin/al2023.tar.br'),
    );
    const browser = await playwright.launch({
      executablePath,
      args: ['--no-zygote', '--disable-gpu'],
      env: { ...process.env, LD_LIBRARY_PATH: join(libraries, 'lib'), FONTCONFIG_FILE: await fontsOf(folder) },
    });
    const close = async () => {
      await browser.close();
      await restore();
    };
    return { browser, close };
  } catch (error) {
    await restore();
    throw error;
  }
}

/** The package's own font settings name folders of the machine it was made for; on others no text has a width. */
async function fontsOf(folder: string): Promise<string> {
  const file = join(folder, 'fonts.conf');
  const text = `<?xml version="1.0"?><fontconfig><dir>${folder}/fonts</dir><cachedir>${folder}/fonts-cache</cachedir></fontconfig>`;
  await writeFile(file, text);
  return file;
}
