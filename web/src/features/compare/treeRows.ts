// The rows of the common tree as shown: what is closed is skipped, what is looked for is found. Pure, over columns.

import type { TraceDiff } from '../../model/diff.ts';
import { wordsOf } from '../../model/find.ts';

export type Tree = Pick<TraceDiff, 'count' | 'depth' | 'subtree'>;

/** Nodes that are shown, from the top. */
export function shownNodes({ count, subtree }: Tree, closed: ReadonlySet<number>): Uint32Array {
  const shown = new Uint32Array(count);
  let length = 0;
  for (let node = 0; node < count; node += closed.has(node) ? (subtree[node] ?? 1) : 1) {
    shown[length] = node;
    length += 1;
  }
  return shown.subarray(0, length);
}

export function hasChildren({ subtree }: Tree, node: number): boolean {
  return (subtree[node] ?? 1) > 1;
}

/** The node above, or -1. */
export function parentOf({ depth }: Tree, node: number): number {
  const level = depth[node] ?? 0;
  for (let above = node - 1; above >= 0; above -= 1) if ((depth[above] ?? 0) < level) return above;
  return -1;
}

export function ancestorsOf(tree: Tree, node: number): number[] {
  const ancestors: number[] = [];
  for (let above = parentOf(tree, node); above >= 0; above = parentOf(tree, above)) ancestors.push(above);
  return ancestors;
}

/** Which rows are closed, as a link says it. */
export type Closing = { readonly level: number | null; readonly except: readonly number[] };

/** More rows by their numbers do not fit a link. */
export const EXCEPT_MAX = 2_000;

function isClosedByLevel({ depth }: Tree, level: number | null, node: number): boolean {
  return level !== null && (depth[node] ?? 0) >= level;
}

export function closedNodes(tree: Tree, { level, except }: Closing): ReadonlySet<number> {
  const closed = new Set<number>();
  if (level !== null) {
    for (let node = 0; node < tree.count; node += 1)
      if (hasChildren(tree, node) && isClosedByLevel(tree, level, node)) closed.add(node);
  }
  for (const node of except) {
    if (closed.has(node)) closed.delete(node);
    else if (hasChildren(tree, node)) closed.add(node);
  }
  return closed;
}

/** Closes or opens some rows; all others stay as they are. */
export function withClosed(tree: Tree, closing: Closing, nodes: readonly number[], isClosed: boolean): Closing {
  const except = new Set(closing.except);
  for (const node of nodes) {
    if (isClosedByLevel(tree, closing.level, node) === isClosed) except.delete(node);
    else except.add(node);
  }
  return { level: closing.level, except: [...except].slice(-EXCEPT_MAX) };
}

/** Opens what is above a node. */
export function revealing(tree: Tree, closing: Closing, node: number): Closing {
  return withClosed(tree, closing, ancestorsOf(tree, node), false);
}

/** A node and all below it that have children. */
export function foldable(tree: Tree, node: number): number[] {
  const found: number[] = [];
  const end = node + (tree.subtree[node] ?? 1);
  for (let i = node; i < end; i += 1) if (hasChildren(tree, i)) found.push(i);
  return found;
}

/** Closes the deepest level that is open. */
export function oneLevelLess(tree: Tree, closed: ReadonlySet<number>): Closing {
  let deepest = 0;
  for (const node of shownNodes(tree, closed))
    if (hasChildren(tree, node) && !closed.has(node)) deepest = Math.max(deepest, tree.depth[node] ?? 0);
  return { level: deepest, except: [] };
}

/** Opens the highest level that has something closed. */
export function oneLevelMore(tree: Tree, closed: ReadonlySet<number>): Closing {
  let highest = Number.POSITIVE_INFINITY;
  let deepest = 0;
  for (let node = 0; node < tree.count; node += 1) {
    const depth = tree.depth[node] ?? 0;
    if (closed.has(node)) highest = Math.min(highest, depth);
    if (hasChildren(tree, node)) deepest = Math.max(deepest, depth);
  }
  return { level: highest + 1 > deepest ? null : highest + 1, except: [] };
}

/** Nodes whose service and name hold all words of a text. */
export function findNodes(
  diff: Pick<TraceDiff, 'count' | 'service' | 'services' | 'name' | 'names'>,
  text: string,
): number[] {
  const words = wordsOf(text);
  if (words.length === 0) return [];
  const found: number[] = [];
  const services = diff.services.map((service) => service.toLowerCase());
  const names = diff.names.map((name) => name.toLowerCase());
  for (let node = 0; node < diff.count; node += 1) {
    const label = `${services[diff.service[node] ?? 0] ?? ''} ${names[diff.name[node] ?? 0] ?? ''}`;
    if (words.every((word) => label.includes(word))) found.push(node);
  }
  return found;
}

/** Which side has a node. */
export function sideOf(diff: Pick<TraceDiff, 'countA' | 'countB'>, node: number): 'both' | 'a' | 'b' {
  if (diff.countB[node] === 0) return 'a';
  return diff.countA[node] === 0 ? 'b' : 'both';
}

/** A minus B. */
export function differenceOf(diff: Pick<TraceDiff, 'durA' | 'durB'>, node: number): number {
  return (diff.durA[node] ?? 0) - (diff.durB[node] ?? 0);
}

/** The largest differences to both sides, for the axis of the bars. */
export function extentOf(diff: Pick<TraceDiff, 'count' | 'durA' | 'durB'>): { slower: number; faster: number } {
  let [slower, faster] = [0, 0];
  for (let node = 0; node < diff.count; node += 1) {
    const difference = differenceOf(diff, node);
    if (difference > slower) slower = difference;
    if (-difference > faster) faster = -difference;
  }
  return { slower, faster };
}
