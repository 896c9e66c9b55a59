import { defaultClientConditions, defineConfig, type Plugin } from 'vite';

/**
 * The evidence page as one file, src/verify/dist/evidence.html: script and style stand in it, and its own policy lets it run those
 * two and nothing else, from nowhere else, so that it works from a disk and asks no network.
 */
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  publicDir: false,
  resolve: { conditions: ['behalf-source', ...defaultClientConditions] },
  build: {
    outDir: '../../verify/dist',
    emptyOutDir: false,
    target: 'es2022',
    modulePreload: { polyfill: false },
  },
  plugins: [inOneFile()],
});

function inOneFile(): Plugin {
  return {
    name: 'behalf-in-one-file',
    enforce: 'post',
    async generateBundle(_, bundle) {
      const [scripts, styles]: [string[], string[]] = [[], []];
      let page = '';
      for (const [name, file] of Object.entries(bundle)) {
        if (file.type === 'chunk') scripts.push(file.code);
        else if (name.endsWith('.css')) styles.push(String(file.source));
        else page = String(file.source);
        delete bundle[name];
      }
      const source = await filled(page, only(scripts, 'script'), only(styles, 'style'));
      this.emitFile({ type: 'asset', fileName: 'evidence.html', source });
    },
  };
}

function only(files: readonly string[], what: string): string {
  const [file, ...more] = files;
  if (file === undefined || more.length > 0 || file.includes(`</${what}`)) {
    throw new Error(`evidence page: expected one ${what} that can stand in the page, got ${files.length}`);
  }
  return file.trim();
}

async function filled(page: string, script: string, style: string): Promise<string> {
  const allowed = `default-src 'none'; script-src ${await sourceOf(script)}; style-src ${await sourceOf(style)}; base-uri 'none'; form-action 'none'`;
  const head = page
    .replaceAll(/[ ]*<(?:script type="module"|link rel="stylesheet")[^>]*>(?:<\/script>)?\n/g, '')
    .replace(
      '<meta charset="utf-8" />',
      (charset) => `${charset}\n    <meta http-equiv="content-security-policy" content="${allowed}" />`,
    );
  const withStyle = head.replace('</head>', () => `  <style>${style}</style>\n  </head>`);
  return withStyle.replace('</body>', () => `  <script type="module">${script}</script>\n  </body>`);
}

/** What a policy names an inline script or style by (Content Security Policy Level 3, section 2.3.1). */
async function sourceOf(text: string): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
  return `'sha256-${btoa(String.fromCharCode(...hash))}'`;
}
