// Walking over the map by arrow keys: along calls to the right and left, to the neighbour above and below.

import type { Drawn } from './calls.ts';
import { NODE, type Placed } from './geometry.ts';

export type Direction = 'left' | 'right' | 'up' | 'down';

/** The service one step from here, or null: the nearest of those that calls lead to. */
export function stepFrom(
  name: string,
  direction: Direction,
  drawn: Pick<Drawn, 'services' | 'calls'>,
  placed: Pick<Placed, 'nodes'>,
): string | null {
  const here = placed.nodes.get(name);
  if (here === undefined) return null;
  const nearest = (names: readonly string[], distance: (dx: number, dy: number) => number): string | null => {
    let best: string | null = null;
    let least = Number.POSITIVE_INFINITY;
    for (const other of names) {
      const at = placed.nodes.get(other);
      if (at === undefined || other === name) continue;
      const far = distance(at.x - here.x, at.y - here.y);
      if (far < least) [best, least] = [other, far];
    }
    return best;
  };
  if (direction === 'right' || direction === 'left') {
    const along = drawn.calls
      .filter(({ caller, callee }) => (direction === 'right' ? caller : callee) === name)
      .map(({ caller, callee }) => (direction === 'right' ? callee : caller));
    return nearest(along, (dx, dy) => Math.abs(dy) + Math.abs(dx) / 4);
  }
  const sign = direction === 'down' ? 1 : -1;
  const all = drawn.services.map((service) => service.name);
  // Of the same column first; else whatever is next on the picture.
  return nearest(all, (dx, dy) =>
    dy * sign > 0 ? dy * sign + (Math.abs(dx) < NODE.width ? 0 : 1e4 + Math.abs(dx)) : Number.POSITIVE_INFINITY,
  );
}
