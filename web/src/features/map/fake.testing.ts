// Made-up calls between any number of services, for tests: the same for the same number.

import type { Edge, EdgesAnswer, RedPoint } from '../../api/types.ts';

function red(spans: number, errors = 0, p95 = 1e6): RedPoint {
  return { spans, errors, p50: p95 / 3, p95, p99: p95 * 2 };
}

function edge(caller: string, callee: string, total: RedPoint, isAsync = false): Edge {
  return { caller, callee, isAsync, total, slowest: 'a'.repeat(32), failed: total.errors > 0 ? 'f'.repeat(32) : null };
}

/** A minute of a small shop. */
export const SHOP: EdgesAnswer = {
  seconds: 60,
  nodes: [
    { service: 'web', total: red(6_000, 60, 310e6) },
    { service: 'checkout', total: red(600, 18, 2.1e9) },
    { service: 'cart', total: red(1_200, 0, 12e6) },
    { service: 'mail', total: red(60, 0, 40e6) },
  ],
  edges: [
    edge('web', 'checkout', red(600, 18, 2.1e9)),
    edge('web', 'cart', red(900, 0, 12e6)),
    edge('checkout', 'cart', red(300, 0, 12e6)),
    edge('checkout', 'mail', red(60, 0, 40e6), true),
    // Nothing was received from the database.
    edge('cart', 'redis', red(1_200, 3, 1e6)),
  ],
  skipped: [],
};

/** A tree-like system with some shared services, numbered by their traffic. */
export function many(services: number): EdgesAnswer {
  let state = 7;
  const next = () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
  const name = (i: number) => `service-${String(i).padStart(4, '0')}`;
  const nodes = Array.from({ length: services }, (_, i) => ({
    service: name(i),
    total: red(Math.ceil(60_000 / (i + 1)), i % 7 === 0 ? 50 : 0, 1e6 * (1 + next() * 1000)),
  }));
  const edges: Edge[] = [];
  for (let i = 1; i < services; i += 1) {
    edges.push(edge(name(Math.floor(next() * next() * i)), name(i), red(Math.ceil(30_000 / (i + 1))), i % 5 === 0));
    if (i % 3 === 0) edges.push(edge(name(Math.floor(next() * i)), name(i), red(Math.ceil(10_000 / (i + 1)))));
  }
  return { seconds: 60, nodes, edges: edges.filter(isFirst), skipped: [] };
}

function isFirst(one: Edge, at: number, all: readonly Edge[]): boolean {
  return all.findIndex((other) => other.caller === one.caller && other.callee === one.callee) === at;
}
