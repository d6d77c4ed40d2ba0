// What `make bench-ui` runs: big traces in the real program, opened in a real browser.

import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['perf/**/*.bench.ts'],
    fileParallelism: false,
    testTimeout: 600_000,
    hookTimeout: 600_000,
    reporters: ['verbose'],
  },
});
