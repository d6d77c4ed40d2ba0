// Runs the measurements, which the normal run leaves out.

import { defineConfig } from 'vitest/config';

export default defineConfig({ test: { include: ['perf/**/*.perf.test.ts'], environment: 'node' } });
