// Starts what all tests look at, once: a program with the seeded traces, and one that nothing was ever sent to.

import type { TestProject } from 'vitest/node';
import { type Program, sendOtlp, settle, startProgram } from './program.ts';
import { SEED_IDS, seedRequests } from './seeds.ts';

declare module 'vitest' {
  interface ProvidedContext {
    readonly seeded: string;
    readonly empty: string;
    /** When the seeded hour ends, ms since the epoch. */
    readonly nowMs: number;
    readonly ids: typeof SEED_IDS;
  }
}

const running: Program[] = [];

export async function setup(project: TestProject): Promise<void> {
  const [seeded, empty] = await Promise.all([startProgram(), startProgram()]);
  running.push(seeded, empty);
  const nowMs = Date.now();
  for (const request of seedRequests(nowMs)) await sendOtlp(seeded, request);
  await settle(seeded);
  project.provide('seeded', seeded.url);
  project.provide('empty', empty.url);
  project.provide('nowMs', nowMs);
  project.provide('ids', SEED_IDS);
}

export async function teardown(): Promise<void> {
  await Promise.all(running.map((program) => program.stop()));
}
