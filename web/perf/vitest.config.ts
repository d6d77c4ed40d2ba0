// Runs the measurements, which the normal run leaves out.

import { defineConfig } from 'vitest/config';

// biome-ignore lint/style/noDefaultExport: it is what vitest reads
export default defineConfig({ test: { include: ['perf/**/*.perf.test.ts'], environment: 'node' } });
