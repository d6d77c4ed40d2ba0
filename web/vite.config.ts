// How the app is built: relative addresses only, so that it works below any base path that the server writes into
// `<base href>`; every file but index.html carries its hash in its name and never changes.

import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  base: './',
  plugins: [react()],
  css: {
    transformer: 'lightningcss',
    // Names of grid areas are shared between the frame and what stands in it.
    lightningcss: { cssModules: { grid: false } },
  },
  build: {
    target: 'es2023',
    // Browsers that know light-dark(): without them every token would be written three times.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    manifest: true,
    // Workers and fonts stay files: a strict content policy allows neither `data:` nor `blob:` scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
    rolldownOptions: {
      output: {
        // What nearly every page shares, in one file: many small ones compress worse.
        codeSplitting: { groups: [{ name: 'shared', test: /\/src\//, minShareCount: 10 }] },
      },
    },
  },
  worker: { format: 'es' },
  server: {
    proxy: { '/api': process.env['TRACKWAY_URL'] ?? 'http://127.0.0.1:16686' },
  },
  test: {
    include: ['src/**/*.test.ts', 'src/**/*.test.tsx'],
    environment: 'node',
    restoreMocks: true,
    // Of a busy machine; nothing here is a figure of speed.
    testTimeout: 30_000,
  },
});
