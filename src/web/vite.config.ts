import { defaultClientConditions, defineConfig } from 'vite';

/**
 * The page as static files under dist/web: relative addresses, nothing inlined, nothing from another origin, so that it
 * runs under `default-src 'self'`.
 */
export default defineConfig({
  base: './',
  publicDir: false,
  resolve: { conditions: ['behalf-source', ...defaultClientConditions] },
  build: {
    outDir: '../../dist/web',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
