// Rates and courses: what came in a step, what did not, and what has hardly begun.

import { expect, test } from 'vitest';
import type { RedPoint } from '../api/types.ts';
import { courseOf, ofKind, statOf, stepBounds, stepsFor, sumOf } from './red.ts';

const point = (spans: number, errors = 0, p95 = 2e6): RedPoint => ({ spans, errors, p50: 1e6, p95, p99: 3e6 });

test('impact is rate × p95', () => {
  const stat = statOf(point(600, 6, 50e6), null, 60);
  expect(stat.perSecond).toBe(10);
  expect(stat.impact).toBeCloseTo(0.5);
  expect(stat.errorShare).toBe(0.01);
});

test('a change is told only with enough spans on both sides', () => {
  expect(statOf(point(100, 0, 4e6), point(100, 0, 2e6), 60).change).toEqual({ ratio: 2, before: 2e6, now: 4e6 });
  expect(statOf(point(100), point(19), 60).change).toBeNull();
  expect(statOf(point(19), point(100), 60).change).toBeNull();
  expect(statOf(point(100), null, 60).change).toBeNull();
});

test('nothing at all divides by nothing', () => {
  expect(statOf(point(0), null, 0)).toMatchObject({ perSecond: 0, errorShare: 0, impact: 0, change: null });
  expect(sumOf([])).toEqual({ spans: 0, errors: 0 });
});

test('a silent step is a rate of zero without a duration; one that has hardly begun is nothing', () => {
  const steps = { fromNs: '60000000000', stepNs: 60e9, seconds: 150 };
  const course = courseOf([point(60, 30), null, point(30), null], steps);
  expect(course.rate).toEqual([1, 0, 1, null]);
  expect(course.errorShare).toEqual([0.5, null, 0, null]);
  expect(course.p95).toEqual([2e6, null, 2e6, null]);
  expect(course.at).toEqual([90, 150, 210, 270]);
});

test('a step that has begun for less than half is left out', () => {
  const steps = { fromNs: '0', stepNs: 60e9, seconds: 80 };
  expect(courseOf([point(60), point(60)], steps).rate).toEqual([1, null]);
});

test('steps have bounds and none is shorter than a minute', () => {
  expect(stepBounds({ fromNs: '1795852740000000000', stepNs: 60e9 }, 2)).toEqual({
    fromNs: 1795852860000000000n,
    toNs: 1795852920000000000n,
  });
  expect(stepsFor(0n, 300_000_000_000n, 120)).toBe(5);
  expect(stepsFor(0n, 86_400_000_000_000n, 120)).toBe(120);
  expect(stepsFor(0n, 1n, 120)).toBe(1);
});

test('without a kind what enters is measured, or all of a service that nothing enters', () => {
  const kinds = (all: readonly { kind: 'server' | 'client' | 'internal' | null }[], kind: string | null) =>
    ofKind(all, kind).map((one) => one.kind);
  expect(kinds([{ kind: 'server' }, { kind: 'client' }], null)).toEqual(['server']);
  expect(kinds([{ kind: 'internal' }, { kind: 'client' }], null)).toEqual(['internal', 'client']);
  expect(kinds([{ kind: 'server' }, { kind: 'client' }], 'client')).toEqual(['client']);
});
