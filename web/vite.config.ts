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
    // A further page is a folder in src/pages, an HTML file here, and a line.
    rollupOptions: { input: { meeting: 'index.html' } },
  },
  test: { include: ['tests/**/*.test.ts'] },
});
