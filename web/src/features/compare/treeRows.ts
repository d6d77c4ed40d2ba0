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

/** What must stay closed so that a node is seen. */
export function revealing(tree: Tree, closed: readonly number[], node: number): readonly number[] {
  const above = new Set(ancestorsOf(tree, node));
  return closed.some((one) => above.has(one)) ? closed.filter((one) => !above.has(one)) : closed;
}

/** A node and all below it that have children. */
export function foldable(tree: Tree, node: number): number[] {
  const found: number[] = [];
  const end = node + (tree.subtree[node] ?? 1);
  for (let i = node; i < end; i += 1) if (hasChildren(tree, i)) found.push(i);
  return found;
}

/** Closes the deepest open level. */
export function oneLevelLess(tree: Tree, closed: ReadonlySet<number>): number[] {
  let deepest = -1;
  const open: number[] = [];
  for (const node of shownNodes(tree, closed)) {
    if (!hasChildren(tree, node) || closed.has(node)) continue;
    open.push(node);
    deepest = Math.max(deepest, tree.depth[node] ?? 0);
  }
  return [...closed, ...open.filter((node) => tree.depth[node] === deepest)];
}

/** Opens the highest closed level. */
export function oneLevelMore(tree: Tree, closed: ReadonlySet<number>): number[] {
  const shown = [...shownNodes(tree, closed)].filter((node) => closed.has(node));
  const highest = Math.min(...shown.map((node) => tree.depth[node] ?? 0));
  return [...closed].filter((node) => tree.depth[node] !== highest || !shown.includes(node));
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
