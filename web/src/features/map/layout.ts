// Where the nodes and edges of the map stand: callers at the left, what they call to their right. Loaded with the
// graph.
//
// Names are sorted before they are laid out and nothing is random: the same calls give the same picture.

import { Graph, layout } from '@dagrejs/dagre';
import type { Drawn } from './calls.ts';
import { NODE, type Placed, type PlacedCall, type Point } from './geometry.ts';

const ORIGIN = { x: 0, y: 0 };
const LABEL = { width: 104, height: 34, labelpos: 'c' };
/** With more calls their labels would cover each other: they are shown for the node or call that is looked at. */
const LABELLED_MAX = 100;

export function place({ services, calls }: Pick<Drawn, 'services' | 'calls'>): Placed {
  const label = calls.length <= LABELLED_MAX ? LABEL : { width: 0, height: 0 };
  // The better ranking of the two costs a second on large maps.
  const ranker = services.length <= 60 && calls.length <= 120 ? 'network-simplex' : 'tight-tree';
  const graph = new Graph({ multigraph: true });
  graph.setGraph({ rankdir: 'LR', ranker, nodesep: 20, ranksep: 72, edgesep: 12, marginx: 12, marginy: 12 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { name } of services) graph.setNode(name, { ...NODE });
  for (const { id, caller, callee, rate } of calls) {
    if (caller === callee) continue;
    // Edges with much traffic are kept short and straight.
    const weight = 1 + Math.max(0, Math.round(Math.log10(rate + 1) * 2));
    graph.setEdge(caller, callee, { ...label, weight }, id);
  }
  layout(graph);
  const nodes = new Map(services.map(({ name }) => [name, pointOf(graph.node(name))]));
  const placed = calls.map(({ id, caller, callee }): [string, PlacedCall] => {
    const [from, to] = [nodes.get(caller) ?? ORIGIN, nodes.get(callee) ?? ORIGIN];
    if (caller === callee) return [id, loopAt(from)];
    const edge = graph.edge(caller, callee, id);
    const middle = pointOf(edge);
    const points = fromSideToSide((edge?.points ?? []).map(pointOf), from, to);
    const path = pathOf(label === LABEL ? levelAt(points, middle) : points);
    const angle = from.x > to.x ? Math.PI : 0;
    return [id, { path, tip: points.at(-1) ?? ORIGIN, angle, label: middle }];
  });
  const size = graph.graph();
  return {
    nodes,
    calls: new Map(placed),
    width: finite(size.width),
    height: finite(size.height),
    isLabelled: label === LABEL,
  };
}

type Loose = { x?: number | undefined; y?: number | undefined } | undefined;

function pointOf(at: Loose): Point {
  return { x: finite(at?.x), y: finite(at?.y) };
}

/** Whole pixels: rounding to them hides nothing and makes pictures comparable. */
function finite(value: number | undefined): number {
  return Number.isFinite(value) ? Math.round(value ?? 0) : 0;
}

/** A smooth line through the points of an edge: level at each of them, as calls run from left to right. */
function pathOf(points: readonly Point[]): string {
  const [first, ...others] = points;
  if (first === undefined || others.length === 0) return '';
  let path = `M${first.x} ${first.y}`;
  let from = first;
  for (const to of others) {
    const middle = Math.round((from.x + to.x) / 2);
    path += from.y === to.y ? `L${to.x} ${to.y}` : `C${middle} ${from.y} ${middle} ${to.y} ${to.x} ${to.y}`;
    from = to;
  }
  return path;
}

/** From the right side of the caller to the left side of the called one, whatever lies between; back: the other way. */
function fromSideToSide(points: readonly Point[], caller: Point, callee: Point): Point[] {
  const inner = points.slice(1, -1);
  if (caller.x === callee.x) return [...points];
  const sign = caller.x < callee.x ? 1 : -1;
  const half = (NODE.width / 2) * sign;
  return [{ x: caller.x + half, y: caller.y }, ...inner, { x: callee.x - half, y: callee.y }];
}

/** Level for as long as the label is, so that it stands on a straight piece of its line. */
function levelAt(points: readonly Point[], label: Point): Point[] {
  const at = points.findIndex(({ x, y }) => Math.abs(x - label.x) < 2 && Math.abs(y - label.y) < 2);
  const [before, after] = [points[at - 1], points[at + 1]];
  if (before === undefined || after === undefined || before.x === after.x) return [...points];
  const half = (LABEL.width / 2 - 4) * (before.x < after.x ? 1 : -1);
  const level = [-half, half].map((dx) => ({ x: label.x + dx, y: label.y }));
  return [...points.slice(0, at), ...level, ...points.slice(at + 1)];
}

/** A service that calls itself: a loop on top of it. */
function loopAt({ x, y }: Point): PlacedCall {
  const [left, right, top] = [x + 36, x + 64, y - NODE.height / 2];
  return {
    path: `M${left} ${top}C${left} ${top - 20} ${right} ${top - 20} ${right} ${top}`,
    tip: { x: right, y: top },
    angle: Math.PI / 2,
    label: { x: left - 26, y: top - 10 },
  };
}
