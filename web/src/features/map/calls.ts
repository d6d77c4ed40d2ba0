// The calls between services as the map needs them: who calls whom, how often, which of them are drawn. Pure.
//
// What is drawn depends on the data and the link alone, and everything is sorted, so that the same link shows the same
// picture to everyone.

import type { Edge, EdgesAnswer, RedPoint } from '../../api/types.ts';
import type { MapState } from '../../url/index.ts';

/** More are a hairball: the rest is one node, and the table is shown first. */
export const DRAWN_MAX = 150;
/** What the map opens with when no service is in focus. */
export const BUSIEST = 40;

export type Service = {
  readonly name: string;
  /** Null: nothing was received from it, it is only named by its callers. */
  readonly total: RedPoint | null;
  /** Requests a second. */
  readonly rate: number;
  /** Calls that it receives and makes, the most frequent first. */
  readonly in: readonly Call[];
  readonly out: readonly Call[];
};

export type Call = {
  readonly id: string;
  readonly caller: string;
  readonly callee: string;
  readonly isAsync: boolean;
  readonly total: RedPoint;
  readonly rate: number;
  /** A share of 1. */
  readonly errors: number;
  readonly slowest: string | null;
  readonly failed: string | null;
};

export type Calls = {
  /** By name. */
  readonly services: ReadonlyMap<string, Service>;
  /** By name of the caller, then of the called one. */
  readonly calls: readonly Call[];
};

/** What the graph draws, and what it leaves out. */
export type Drawn = {
  readonly services: readonly Service[];
  readonly calls: readonly Call[];
  /** Services that the link asks for and that do not fit, the busiest first. */
  readonly rest: readonly Service[];
  /** All services that the link asks for. */
  readonly wanted: readonly Service[];
  /** All calls between those. */
  readonly wantedCalls: readonly Call[];
};

const byName = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
const busiestFirst = (a: Service, b: Service) => b.rate - a.rate || byName(a.name, b.name);

export function errorShare(total: RedPoint | null): number {
  return total === null || total.spans === 0 ? 0 : total.errors / total.spans;
}

export function readCalls(answer: EdgesAnswer): Calls {
  const seconds = Math.max(answer.seconds, 1e-9);
  const calls = answer.edges.map((edge) => readCall(edge, seconds)).sort((a, b) => byName(a.id, b.id));
  const totals = new Map<string, RedPoint>(answer.nodes.map(({ service, total }) => [service, total]));
  const names = new Set([...totals.keys(), ...calls.flatMap(({ caller, callee }) => [caller, callee])]);
  const into = grouped(calls, ({ callee }) => callee);
  const outOf = grouped(calls, ({ caller }) => caller);
  const services = [...names].sort(byName).map((name): [string, Service] => {
    const total = totals.get(name) ?? null;
    const received = into.get(name) ?? [];
    const spans = total?.spans ?? received.reduce((sum, call) => sum + call.total.spans, 0);
    return [name, { name, total, rate: spans / seconds, in: received, out: outOf.get(name) ?? [] }];
  });
  return { services: new Map(services), calls };
}

function readCall(edge: Edge, seconds: number): Call {
  const { caller, callee, isAsync, total, slowest, failed } = edge;
  const id = JSON.stringify([caller, callee, isAsync]);
  const rate = total.spans / seconds;
  return { id, caller, callee, isAsync, total, rate, errors: errorShare(total), slowest, failed };
}

function grouped(calls: readonly Call[], keyOf: (call: Call) => string): Map<string, Call[]> {
  const groups = new Map<string, Call[]>();
  for (const call of calls) {
    const group = groups.get(keyOf(call));
    if (group) group.push(call);
    else groups.set(keyOf(call), [call]);
  }
  for (const group of groups.values()) group.sort((a, b) => b.rate - a.rate || byName(a.id, b.id));
  return groups;
}

/** Chooses what a link asks for, and what of it is drawn. */
export function chooseDrawn({ services, calls }: Calls, state: Pick<MapState, 'focus' | 'hops' | 'min'>): Drawn {
  const kept = calls.filter((call) => call.rate >= state.min);
  const focus = state.focus === null ? undefined : services.get(state.focus);
  const wanted = focus ? around(focus, services, kept, state.hops) : connected(services, kept, state.min > 0);
  // Without a focus `all` means as many as can be drawn.
  const most = focus || state.hops === 'all' || wanted.length <= BUSIEST ? DRAWN_MAX : BUSIEST;
  const names = new Set(wanted.map(({ name }) => name));
  const wantedCalls = kept.filter(({ caller, callee }) => names.has(caller) && names.has(callee));
  const drawn = wanted.slice(0, most);
  const drawnNames = new Set(drawn.map(({ name }) => name));
  return {
    services: drawn.toSorted((a, b) => byName(a.name, b.name)),
    calls: wantedCalls.filter(({ caller, callee }) => drawnNames.has(caller) && drawnNames.has(callee)),
    rest: wanted.slice(most),
    wanted,
    wantedCalls,
  };
}

/** All services, the busiest first; with a threshold only those that still have calls. */
function connected(services: ReadonlyMap<string, Service>, kept: readonly Call[], isThreshold: boolean): Service[] {
  const all = [...services.values()].sort(busiestFirst);
  if (!isThreshold) return all;
  const names = new Set(kept.flatMap(({ caller, callee }) => [caller, callee]));
  return all.filter(({ name }) => names.has(name));
}

/** Whoever reaches the focus and whatever it reaches, within so many calls: the nearest first, then the busiest. */
function around(
  focus: Service,
  services: ReadonlyMap<string, Service>,
  kept: readonly Call[],
  hops: MapState['hops'],
): Service[] {
  const outOf = grouped(kept, ({ caller }) => caller);
  const into = grouped(kept, ({ callee }) => callee);
  const most = hops === 'all' ? Number.POSITIVE_INFINITY : hops;
  const distance = new Map([[focus.name, 0]]);
  const walk = (next: (name: string) => readonly string[]): void => {
    const seen = new Set([focus.name]);
    let edge = [focus.name];
    for (let hop = 1; hop <= most && edge.length > 0; hop += 1) {
      edge = [...new Set(edge.flatMap(next))].filter((name) => !seen.has(name));
      for (const name of edge) {
        seen.add(name);
        distance.set(name, Math.min(hop, distance.get(name) ?? hop));
      }
    }
  };
  walk((name) => (outOf.get(name) ?? []).map(({ callee }) => callee));
  walk((name) => (into.get(name) ?? []).map(({ caller }) => caller));
  const found = [...distance.keys()].map((name) => services.get(name)).filter((one) => one !== undefined);
  return found.sort((a, b) => (distance.get(a.name) ?? 0) - (distance.get(b.name) ?? 0) || busiestFirst(a, b));
}

/** What is shown when the link does not say. */
export function shownAs(state: Pick<MapState, 'as'>, drawn: Drawn): 'graph' | 'table' | 'calls' {
  if (state.as !== 'auto') return state.as;
  return drawn.wanted.length > DRAWN_MAX ? 'table' : 'graph';
}

/** Whether a name holds all words of the text. */
export function isFound(name: string, find: string): boolean {
  const lower = name.toLowerCase();
  return find
    .toLowerCase()
    .split(/\s+/)
    .every((word) => lower.includes(word));
}
