// Sizes and shapes of what is on the map, wherever it was laid out.

export const NODE = { width: 176, height: 44 };

export type Point = { readonly x: number; readonly y: number };
export type PlacedCall = {
  /** As the `d` of an SVG path. */
  readonly path: string;
  /** Where its arrow ends, and the direction there. */
  readonly tip: Point;
  readonly angle: number;
  readonly label: Point;
};
export type Placed = {
  /** The middle of each node. */
  readonly nodes: ReadonlyMap<string, Point>;
  readonly calls: ReadonlyMap<string, PlacedCall>;
  readonly width: number;
  readonly height: number;
  readonly isLabelled: boolean;
};

/** The head of the arrow at the end of a line. */
export function arrowOf({ tip, angle }: PlacedCall, width: number): string {
  const size = 5 + width;
  const corner = (turn: number) =>
    `${(tip.x - size * Math.cos(angle + turn)).toFixed(1)} ${(tip.y - size * Math.sin(angle + turn)).toFixed(1)}`;
  return `M${tip.x} ${tip.y}L${corner(0.45)}L${corner(-0.45)}Z`;
}

/** Dashes that still read as dashes when the line is wide. */
export function dashOf(width: number): string {
  return `${4 + Math.round(width * 1.5)} ${3 + Math.round(width)}`;
}

/** The two lines of text of a call, from the height of its line: where their ground begins, and where they stand. */
export const LABEL_LINES = [
  { place: 'above', plate: -17, text: -7 },
  { place: 'below', plate: 4, text: 14 },
] as const;
