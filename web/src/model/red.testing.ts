// Answers about rates for tests.

import type { RedAnswer, RedPoint, RedSeries } from '../api/types.ts';

export function redPoint(spans: number, errors = 0, p95Ms = 20): RedPoint {
  return { spans, errors, p50: p95Ms * 0.4e6, p95: p95Ms * 1e6, p99: p95Ms * 2e6 };
}

export function redSeries(service: string, total: RedPoint, more: Partial<RedSeries> = {}): RedSeries {
  return {
    service,
    operation: null,
    kind: null,
    total,
    dayBefore: null,
    ownNs: 0,
    criticalNs: 0,
    points: [total, null, total],
    slowest: null,
    failed: null,
    ...more,
  };
}

export function redAnswer(series: RedSeries[]): RedAnswer {
  return {
    fromNs: '1795852740000000000',
    stepNs: 60e9,
    steps: 3,
    seconds: 180,
    series,
    hasAllOperations: true,
    skipped: [],
  };
}
