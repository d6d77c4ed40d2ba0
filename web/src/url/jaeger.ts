// Turns every form of link that Jaeger's UI writes or reads into our state, and has no other job.
//
// Such links are in bookmarks, logs, dashboards and frames, and go on working. They are read and never written: what
// the address bar shows afterwards is ours. Where a link has both, ours wins.

import { durationLiteral, parseDuration } from '../format/duration.ts';
import { before, type Params, readInstant, shortened } from './fields.ts';
import { loneSpanId } from './ids.ts';
import { jaegerTags } from './jaegerTags.ts';
import { attributeField, printComparison, printQuery } from './queryText.ts';
import { parseKind } from './service.ts';
import type { MapState, SearchState, SearchView, ServiceState, StatusState, TimeRange, TraceState } from './state.ts';
import { text } from './text.ts';
import { lastOfMs, parseLast } from './timeRange.ts';

const SEARCH_KEYS = [
  'service',
  'operation',
  'start',
  'end',
  'lookback',
  'tags',
  'tag',
  'minDuration',
  'maxDuration',
] as const;
const DEFAULT_LAST = '1h';
/** Jaeger writes it into every link, so it is nobody's choice. */
const DEFAULT_LIMIT = 20;
/** What stands for no service and for any operation. */
const ANY_SERVICE = ['-', '__all_services__'];
const ANY_OPERATION = ['all', '__all_operations__'];
/** What Jaeger's list offers, up to its limit of two days. */
const TIMEFRAMES_MINUTES = [5, 15, 30, 60, 120, 180, 360, 720, 1_440, 2_880];
const QUALITY_HOURS_MAX = 99_999;

/** `view=ddg`: the graph of the results. */
export function fromJaegerView(view: string): SearchView | null {
  return view === 'ddg' ? 'graph' : null;
}

/** `/search?service=…`: the parts become query text. */
export function fromJaegerSearch(params: Params, ours: SearchState): SearchState {
  if (!params.has(...SEARCH_KEYS)) return ours;
  const conjuncts = searchConjuncts(params);
  if (ours.q !== '' && conjuncts.length > 0) params.note(text.besideQuery);
  const hasOurRange = params.has('range', 'from', 'to');
  const range = jaegerRange(params);
  return {
    ...ours,
    q: ours.q === '' ? printQuery(conjuncts) : ours.q,
    range: hasOurRange ? ours.range : range,
    limit: ours.limit === DEFAULT_LIMIT ? null : ours.limit,
    // Jaeger searches once it has a service or a time; before that the form waits for the button.
    run:
      ours.run &&
      (ours.q !== '' || ours.traces.length > 0 || hasOurRange || params.has('service') || range.kind === 'absolute'),
  };
}

/** `/trace/<id>?uiFind=…`: a lone span id is the deep link that everyone uses. */
export function fromJaegerTrace(params: Params, ours: TraceState): TraceState {
  const find = params.first('uiFind');
  if (find === null || ours.find !== '') return ours;
  const span = loneSpanId(find);
  if (span === null) return { ...ours, find };
  return ours.span === null ? { ...ours, span } : ours;
}

/** `uiFind` of the comparison and the map. */
export function fromJaegerFind<S extends { readonly find: string }>(params: Params, ours: S): S {
  const find = params.first('uiFind');
  return find === null || ours.find !== '' ? ours : { ...ours, find };
}

/** `/deep-dependencies`: whole paths through one service. */
export function fromJaegerPaths(params: Params, ours: MapState): MapState {
  const density = params.first('density');
  const lost = [params.first('decoration'), params.first('visEncoding'), density === 'ppe' ? null : density];
  // The hash guards what is packed into visEncoding, and both mean nothing without Jaeger's own graph.
  params.first('hash');
  if (lost.some((value) => value !== null)) params.note(text.noGraph);
  const showOp = params.first('showOp');
  const range = jaegerRange(params);
  return fromJaegerFind(params, {
    ...ours,
    mode: 'paths',
    focus: ours.focus ?? params.first('service'),
    operation: ours.operation ?? knownOperation(params),
    showOperations: showOp === null ? ours.showOperations : showOp !== '0',
    range: range.kind === 'absolute' && !params.has('range', 'from', 'to') ? range : ours.range,
  });
}

/** `/monitor`: the charts of a service; it opens without one too. */
export function fromJaegerMonitor(
  params: Params,
  ours: Omit<ServiceState, 'service'>,
): Omit<ServiceState, 'service'> & { readonly service: string | null } {
  const kindText = params.first('spanKind');
  const kind = kindText === null ? null : parseKind(kindText);
  if (kindText !== null && (kind === null || kind === 'unspecified')) note(params, 'spanKind', kindText);
  const timeframe = params.first('timeframe');
  const minutes = Number(timeframe) / 60_000;
  const last = TIMEFRAMES_MINUTES.includes(minutes) ? lastOfMs(Number(timeframe)) : null;
  if (timeframe !== null && last === null) note(params, 'timeframe', timeframe);
  const service = params.first('service');
  return {
    ...ours,
    service,
    range: last === null ? ours.range : { kind: 'relative', last },
    kind: ours.kind ?? (kind === 'unspecified' ? null : kind),
  };
}

/** `/quality-metrics`: its lookback is a number of hours. What it reported is not here yet. */
export function fromJaegerQuality(params: Params, ours: StatusState): StatusState {
  params.note(text.noQuality);
  const hours = params.first('lookback');
  const isHours = hours !== null && /^\d{1,6}$/.test(hours) && Number(hours) > 0 && Number(hours) <= QUALITY_HOURS_MAX;
  if (hours !== null && !isHours) note(params, 'lookback', hours);
  return { ...ours, tab: 'quality', range: isHours ? { kind: 'relative', last: `${Number(hours)}h` } : ours.range };
}

function searchConjuncts(params: Params): string[] {
  const conjuncts: string[] = [];
  const service = params.first('service');
  if (service !== null && !ANY_SERVICE.includes(service)) {
    conjuncts.push(
      printComparison({
        field: attributeField('service.name', 'resource'),
        op: '=',
        value: { kind: 'text', text: service },
      }),
    );
  }
  const operation = knownOperation(params);
  if (operation !== null)
    conjuncts.push(printComparison({ field: 'name', op: '=', value: { kind: 'text', text: operation } }));
  conjuncts.push(...jaegerTags(params));
  for (const [key, op] of [
    ['minDuration', '>='],
    ['maxDuration', '<='],
  ] as const) {
    const word = readDuration(params, key);
    if (word !== null) conjuncts.push(printComparison({ field: 'duration', op, value: { kind: 'word', word } }));
  }
  return conjuncts;
}

function knownOperation(params: Params): string | null {
  const operation = params.first('operation');
  return operation === null || ANY_OPERATION.includes(operation) ? null : operation;
}

/** As it was typed where the query language reads it the same. */
function readDuration(params: Params, key: string): string | null {
  const typed = params.first(key);
  const ns = typed === null ? null : parseDuration(typed);
  if (typed !== null && ns === null) note(params, key, typed);
  if (typed === null || ns === null) return null;
  return /^(?:\d+(?:\.\d+)?(?:ns|us|ms|s|m|h))+$/.test(typed) ? typed : durationLiteral(ns);
}

/** `start` and `end` win over `lookback`; 0 is as good as none. */
function jaegerRange(params: Params): TimeRange {
  const lookback = params.first('lookback');
  const parsed = lookback === null ? null : parseLast(lookback);
  if (lookback !== null && parsed === null && lookback !== 'custom') note(params, 'lookback', lookback);
  const last = parsed ?? DEFAULT_LAST;
  const fromNs = readInstant(params, 'start') || null;
  const toNs = readInstant(params, 'end') || null;
  if (fromNs === null)
    return toNs === null ? { kind: 'relative', last } : { kind: 'absolute', fromNs: before(toNs, last), toNs };
  if (toNs !== null && toNs <= fromNs) {
    params.note(text.backwards);
    return { kind: 'relative', last };
  }
  return { kind: 'absolute', fromNs, toNs };
}

function note(params: Params, key: string, value: string): void {
  params.note(text.broken(key, shortened(value)));
}
