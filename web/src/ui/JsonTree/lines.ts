// A JSON value as the lines that are in view: closed objects and arrays are one line, long ones show their first part.

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export type JsonLine = {
  /** Unique: the JSON pointer of the value; of a "more" line, that of its container with a mark. */
  path: string;
  depth: number;
  key: string | null;
  kind: 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null' | 'more';
  /** A plain value as JSON; empty for containers. */
  text: string;
  /** Of containers: how many are in it; of "more": how many are not shown. */
  count: number;
  isOpen: boolean;
  position: number;
  siblings: number;
};

export const firstPart = 100;

function kindOf(value: Json): JsonLine['kind'] {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value as 'object' | 'string' | 'number' | 'boolean';
}

function entriesOf(value: Json): [string, Json][] {
  if (value === null || typeof value !== 'object') return [];
  return Array.isArray(value) ? value.map((item: Json, i) => [String(i), item]) : Object.entries(value);
}

export const pathOf = (parent: string, key: string): string =>
  `${parent}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;

/** Containers less deep than `depth`, the root being of depth 0. */
export function openTo(value: Json, depth: number, path = ''): string[] {
  const entries = entriesOf(value);
  if (depth <= 0 || entries.length === 0) return [];
  return [path, ...entries.slice(0, firstPart).flatMap(([key, item]) => openTo(item, depth - 1, pathOf(path, key)))];
}

/** `whole`: the containers that show more than their first part. */
export function linesOf(root: Json, open: ReadonlySet<string>, whole: ReadonlySet<string>): JsonLine[] {
  const lines: JsonLine[] = [];
  function add(value: Json, path: string, depth: number, key: string | null, position: number, siblings: number) {
    const entries = entriesOf(value);
    const kind = kindOf(value);
    const isContainer = kind === 'object' || kind === 'array';
    const isOpen = isContainer && entries.length > 0 && open.has(path);
    const text = isContainer ? '' : JSON.stringify(value);
    lines.push({ path, depth, key, kind, text, count: entries.length, isOpen, position, siblings });
    if (!isOpen) return;
    const shown = whole.has(path) ? entries : entries.slice(0, firstPart);
    const hidden = entries.length - shown.length;
    const size = shown.length + (hidden > 0 ? 1 : 0);
    for (const [i, [name, item]] of shown.entries()) add(item, pathOf(path, name), depth + 1, name, i + 1, size);
    if (hidden === 0) return;
    const more = { key: null, kind: 'more', text: '', isOpen: false } as const;
    lines.push({ ...more, path: `${path} more`, depth: depth + 1, count: hidden, position: size, siblings: size });
  }
  add(root, '', 0, null, 1, 1);
  return lines;
}
