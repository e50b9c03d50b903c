import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Relative, so that the page also works below a path of a reverse proxy.
  base: './',
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  build: {
    target: 'es2022',
    // `default-src 'self'` forbids data: addresses; every asset stays a file.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  test: { include: ['tests/**/*.test.ts'] },
});
