// The trace page in a link: the id in the path, and `view span run z mark kept find only services min fold color cols x
// crit focus sort group events`.
//
// `x` is which rows are closed: a depth from which on all are, then the spans for which it is the other way round; with
// an `o` in front, the first spans of runs of like siblings that are open. Span ids and not row numbers, since the rows
// of a trace move when late spans arrive.

import { durationLiteral, parseDuration } from '../format/duration.ts';
import {
  choice,
  custom,
  type Field,
  type Fields,
  flag,
  LIST_ITEMS_MAX,
  list,
  type Params,
  shortened,
  spanId,
  text,
} from './fields.ts';
import { parseSpanId, type SpanId } from './ids.ts';
import type { Collapse, TraceState, TraceView, Zoom } from './state.ts';
import { parseSvcFilter } from './svcFilter.ts';
import { text as words } from './text.ts';

const DEPTH_MAX = 65_535;
const MARKS_MAX = 20;

const collapse: Field<Collapse> = { read: readCollapse, print: printCollapse };

export const TRACE: Fields<Omit<TraceState, 'traceId'>> = {
  view: choice<TraceView>('view', ['waterfall', 'flame', 'table', 'stats', 'events']),
  span: spanId('span'),
  run: flag('run', false),
  zoom: custom<Zoom | null>('z', null, parseZoom, printZoom),
  mark: custom<Zoom | null>('mark', null, parseMark, printZoom),
  kept: custom<readonly Zoom[]>('kept', [], parseMarks, (marks) => marks.map(printZoom).join(',')),
  find: text('find'),
  onlyMatches: flag('only', false),
  services: list('services'),
  svcFilter: custom<string | null>('svcFilter', null, parseSvcFilter, (raw) => raw ?? ''),
  minNs: custom('min', 0, parseDuration, durationLiteral),
  fold: flag('fold', true),
  colour: text('color', 'service'),
  cols: list('cols'),
  collapse,
  critical: custom<TraceState['critical']>('crit', 'shown', parseCritical, printCritical),
  focus: spanId('focus'),
  sort: text('sort'),
  group: list('group'),
  events: text('events'),
};

function parseZoom(value: string): Zoom | null {
  const zoom = parseMark(value);
  return zoom !== null && zoom.fromNs < zoom.toNs ? zoom : null;
}

/** Spans of no length can be measured, too. */
function parseMark(value: string): Zoom | null {
  const match = /^(\d{1,16})-(\d{1,16})$/.exec(value);
  const fromNs = Number(match?.[1]);
  const toNs = Number(match?.[2]);
  return fromNs <= toNs && toNs <= Number.MAX_SAFE_INTEGER ? { fromNs, toNs } : null;
}

function parseMarks(value: string): readonly Zoom[] | null {
  const marks = value.split(',').map(parseMark);
  const known = marks.filter((mark) => mark !== null);
  return known.length === marks.length && known.length <= MARKS_MAX ? known : null;
}

/** Whole nanoseconds, outwards: what was in view stays in view. */
function printZoom(zoom: Zoom | null): string {
  return zoom === null ? '' : `${Math.max(0, Math.floor(zoom.fromNs))}-${Math.ceil(zoom.toNs)}`;
}

function parseCritical(value: string): TraceState['critical'] | null {
  if (value === '0') return 'hidden';
  return value === '1' ? 'shown' : value === 'only' ? 'only' : null;
}

function printCritical(critical: TraceState['critical']): string {
  return critical === 'hidden' ? '0' : critical === 'shown' ? '1' : 'only';
}

function readCollapse(params: Params): Collapse {
  let depth: number | null = null;
  const except = new Set<SpanId>();
  const opened = new Set<SpanId>();
  for (const item of params.all('x').flatMap((value) => value.split(','))) {
    if (item === '') continue;
    // Five digits are a depth: a span id is always written in full here.
    if (/^\d{1,5}$/.test(item) && Number(item) <= DEPTH_MAX) depth = Number(item);
    else if (/^[\da-f]{16}$/i.test(item) && except.size < LIST_ITEMS_MAX) except.add(parseSpanId(item) ?? item);
    else if (/^o[\da-f]{16}$/i.test(item) && opened.size < LIST_ITEMS_MAX)
      opened.add(parseSpanId(item.slice(1)) ?? item.slice(1));
    else params.note(words.broken('x', shortened(item)));
  }
  return { depth, except: [...except], opened: [...opened] };
}

function printCollapse({ depth, except, opened }: Collapse): (readonly [string, string])[] {
  const items = [...(depth === null ? [] : [String(depth)]), ...except, ...opened.map((id) => `o${id}`)];
  return items.length === 0 ? [] : [['x', items.join(',')]];
}
