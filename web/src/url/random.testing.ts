// Random states of every page for tests, from a seed, so that a failure can be repeated.

import { NOT_EMBEDDED } from './embed.ts';
import type { EmbedState, MapState, Page, Place, RedSort, Route, SpanId, TimeRange, TraceId } from './state.ts';

export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** A whole number below `limit` (splitmix32). */
  below(limit: number): number {
    this.state = (this.state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) % limit;
  }

  chance(): boolean {
    return this.below(2) === 1;
  }

  pick<T>(items: readonly [T, ...T[]]): T {
    return items[this.below(items.length)] ?? items[0];
  }

  maybe<T>(make: () => T): T | null {
    return this.chance() ? make() : null;
  }

  /** Distinct ones, as lists in links have them. */
  list<T>(max: number, make: () => T): T[] {
    return [...new Set(Array.from({ length: this.below(max + 1) }, make))];
  }

  /** With everything that has a meaning in a link, in a query or in a list. */
  text(): string {
    const chars = [...'abcXYZ019 .-_~,\\/&=?#%+:@"\'(){}<>|!*;$[]^`\t\n€ü漢😀\u0000\u007f'] as [string, ...string[]];
    return Array.from({ length: 1 + this.below(12) }, () => this.pick(chars)).join('');
  }

  hex(digits: number): string {
    return Array.from({ length: digits }, () => this.below(16).toString(16)).join('');
  }
}

export const PAGES: readonly [Page, ...Page[]] = [
  ...(['home', 'search', 'trace', 'compare', 'map', 'services', 'service', 'operation', 'status'] as const),
  ...(['settings', 'notFound'] as const),
];

/** Lists have up to `listMax` entries. */
export function randomRoute(random: Random, page: Page, listMax = 4): Route {
  const embed = randomEmbed(random);
  // In a frame of Jaeger's kind `/` is the search page, so there is no link to Home.
  return {
    ...randomPlace(random, page, listMax),
    embed: page === 'home' && embed.mode === 'jaeger' ? NOT_EMBEDDED : embed,
  };
}

function randomPlace(random: Random, page: Page, listMax: number): Place {
  const range = randomRange(random);
  switch (page) {
    case 'home':
      return { page, state: { range, sort: randomSort(random) } };
    case 'services':
      return { page, state: { range, sort: randomSort(random), find: optional(random) } };
    case 'search':
      return { page, state: randomSearch(random, listMax) };
    case 'trace':
      return { page, state: randomTrace(random, listMax) };
    case 'compare': {
      const side = () => random.maybe(() => traceId(random));
      const cohort = random.list(listMax, () => traceId(random));
      const tab = random.pick(['tree', 'side', 'attributes'] as const);
      const except = random.list(listMax, () => random.below(5000));
      const node = random.maybe(() => random.below(5000));
      return {
        page,
        state: {
          a: side(),
          b: side(),
          cohort,
          find: optional(random),
          tab,
          node,
          except,
          level: random.maybe(() => random.below(9)),
          all: random.chance(),
        },
      };
    }
    case 'map':
      return { page, state: randomMap(random) };
    case 'service':
    case 'operation': {
      const state = {
        service: random.text(),
        range,
        kind: random.pick([null, 'server', 'consumer', 'unspecified'] as const),
        sort: randomSort(random),
        as: random.pick(['charts', 'table'] as const),
      };
      return page === 'service' ? { page, state } : { page, state: { ...state, operation: random.text() } };
    }
    case 'status':
      return {
        page,
        state: { tab: random.pick(['overview', 'quality']), service: random.maybe(() => random.text()), range },
      };
    case 'settings':
      return { page, state: {} };
    case 'notFound':
      return { page, state: { path: `/${random.pick(['x', 'plexus-demo', 'trace/no-id', 'analyze/%20'])}` } };
  }
}

function randomSort(random: Random): RedSort {
  return {
    column: random.pick(['impact', 'name', 'errors', 'p95'] as const),
    direction: random.pick(['ascending', 'descending'] as const),
  };
}

function randomSearch(random: Random, listMax: number) {
  return {
    q: optional(random),
    range: randomRange(random),
    scope: random.pick(['traces', 'entry', 'spans'] as const),
    sort: random.pick(['newest', 'slowest'] as const),
    cols: random.list(listMax, () => random.text()),
    group: random.maybe(() => random.text()),
    traces: random.list(listMax, () => ({
      traceId: traceId(random),
      spanIds: random.list(4, () => spanId(random)),
    })),
    view: random.pick(['list', 'graph'] as const),
    limit: random.maybe(() => 1 + random.below(1500)),
    run: random.chance(),
    live: random.chance(),
  };
}

function randomTrace(random: Random, listMax: number) {
  const fromNs = random.below(1e9) * random.below(1e6);
  return {
    traceId: traceId(random),
    view: random.pick(['waterfall', 'flame', 'table', 'stats', 'events'] as const),
    span: random.maybe(() => spanId(random)),
    run: random.chance(),
    zoom: random.maybe(() => ({ fromNs, toNs: fromNs + 1 + random.below(1e9) })),
    mark: random.maybe(() => ({ fromNs, toNs: fromNs + random.below(1e9) })),
    kept: Array.from({ length: random.below(3) }, () => ({ fromNs, toNs: fromNs + random.below(1e9) })),
    find: optional(random),
    onlyMatches: random.chance(),
    services: random.list(listMax, () => random.text()),
    svcFilter: random.maybe(() => `${random.hex(4)}.${random.hex(1 + random.below(8))}`),
    minNs: random.pick([0, 17, 1_000, 1_500_000, random.below(2 ** 31) * 1000]),
    fold: random.chance(),
    colour: random.chance() ? 'service' : random.text(),
    cols: random.list(listMax, () => random.text()),
    collapse: {
      depth: random.maybe(() => random.below(65_536)),
      except: random.list(listMax, () => spanId(random)),
      opened: random.list(listMax, () => spanId(random)),
    },
    critical: random.pick(['shown', 'hidden', 'only'] as const),
    focus: random.maybe(() => spanId(random)),
    sort: optional(random),
    group: random.list(2, () => random.text()),
    events: optional(random),
  };
}

function randomMap(random: Random) {
  return {
    focus: random.maybe(() => random.text()),
    hops: random.pick<MapState['hops']>([1, 2, 3, 'all']),
    min: random.below(1000) / 10,
    metric: random.pick(['latency', 'errors', 'rate'] as const),
    as: random.pick(['auto', 'graph', 'table', 'calls'] as const),
    find: optional(random),
    selected: random.list(2, () => random.text()),
    sort: random.pick(['-rate', 'name', '-p95']),
    mode: random.pick(['calls', 'paths'] as const),
    operation: random.maybe(() => random.text()),
    showOperations: random.chance(),
    range: randomRange(random),
  };
}

function randomRange(random: Random): TimeRange {
  if (random.chance()) return { kind: 'relative', last: random.pick(['1h', '15m', '48h', '2d', '99999w', '30s']) };
  const fromNs = BigInt(random.below(2 ** 31)) * 1_000_000_000n + BigInt(random.pick([0, 1, 482_000_000, 482_123_456]));
  return { kind: 'absolute', fromNs, toNs: random.maybe(() => fromNs + 1n + BigInt(random.below(2 ** 31))) };
}

function randomEmbed(random: Random): EmbedState {
  const mode = random.pick(['off', 'jaeger', 'own'] as const);
  if (mode === 'off') return NOT_EMBEDDED;
  const [hideSearchGraph, collapseTitle, hideMinimap, hideSummary] = [
    random.chance(),
    random.chance(),
    random.chance(),
    random.chance(),
  ];
  return {
    mode,
    hideSearchGraph,
    collapseTitle,
    hideMinimap,
    hideSummary,
    theme: random.pick([null, 'light', 'dark']),
  };
}

function optional(random: Random): string {
  return random.chance() ? random.text() : '';
}

function traceId(random: Random): TraceId {
  return random.hex(32);
}

function spanId(random: Random): SpanId {
  return random.hex(16);
}
