// Links as typed state and back: `parseUrl`, `printUrl`, `freeze`.
//
// Promises: reading never throws, whatever the link is, and says in a notice what it left out. Printing a route and
// reading it gives the same route, but for Home in a frame of Jaeger's kind, where `/` is the search page. A link holds
// no defaults, and what it prints is ours, also where it was Jaeger's.

import { COMPARE, printSides, readSides, SIDES } from './compare.ts';
import { printEmbed, readEmbed } from './embed.ts';
import { type Fields, type Param, Params, printFields, readFields, shortened } from './fields.ts';
import { parseTraceId } from './ids.ts';
import {
  fromJaegerFind,
  fromJaegerMonitor,
  fromJaegerPaths,
  fromJaegerQuality,
  fromJaegerSearch,
  fromJaegerTrace,
} from './jaeger.ts';
import { MAP } from './map.ts';
import { PLAIN_CHARS_MAX, packParams, unpackParams } from './pack.ts';
import { SEARCH } from './search.ts';
import { HOME, SERVICE, SERVICES, STATUS } from './service.ts';
import type { Place, Route } from './state.ts';
import { text } from './text.ts';
import { freezeRange } from './timeRange.ts';
import { TRACE } from './trace.ts';

export { NOT_EMBEDDED } from './embed.ts';
export type * from './state.ts';
export { resolveRange } from './timeRange.ts';

export type Parsed = { readonly route: Route; readonly notices: string[] };

/** No server takes a longer one; what is beyond is cut before anything reads it. */
export const URL_CHARS_MAX = 100_000;

/** The first part of the path of every page but Home, ours and Jaeger's. */
const FIRST_PARTS = [
  'search',
  'trace',
  'dependencies',
  'deep-dependencies',
  'monitor',
  'quality-metrics',
  'services',
  'status',
  'settings',
];

/** What a path with its query says. The base path is taken off where it is there. */
export function parseUrl(pathWithQuery: string, basePath = ''): Parsed {
  const [whole = ''] = pathWithQuery.slice(0, URL_CHARS_MAX).split('#', 1);
  const at = whole.indexOf('?');
  const path = withoutBase(at < 0 ? whole : whole.slice(0, at), basePath);
  const { params, isBroken } = readParams(at < 0 ? '' : whole.slice(at + 1));
  if (isBroken) params.note(text.packed);
  if (pathWithQuery.length > URL_CHARS_MAX) params.note(text.tooLong);
  const embed = readEmbed(params);
  const place = readPlace(path, params, embed.mode === 'jaeger');
  const unknown = params.unknown();
  if (unknown.length > 0 && place.page !== 'notFound') params.note(text.unknown(shortened(unknown.join(', '))));
  return { route: { ...place, embed }, notices: params.notices };
}

/** The link to a route, below the base path. */
export function printUrl(route: Route, basePath = ''): string {
  const [path, params] = printPlace(route);
  const embed = printEmbed(route.embed);
  const plain = joinUrl(path, [...params, ...embed]);
  const url = plain.length <= PLAIN_CHARS_MAX ? plain : joinUrl(path, [...packParams(params), ...embed]);
  return basePath.replace(/\/+$/, '') + url;
}

/** The route with its time range fixed, for a link that shows others what is seen now. */
export function freeze(route: Route, nowNs: bigint): Route {
  if (!('range' in route.state)) return route;
  // Every state with a range has it under this name and with this type, which TypeScript cannot follow over a union.
  return { ...route, state: { ...route.state, range: freezeRange(route.state.range, nowNs) } } as Route;
}

/** What somebody pasted: a whole link of this program or of a Jaeger, wherever that was. Null when it is none. */
export function parsePasted(pasted: string): Parsed | null {
  const match = /^(?:https?:\/\/[^/?#\s]+)?(\/\S*)$/i.exec(pasted.trim());
  const [path = '', query = ''] = (match?.[1] ?? '').split(/(\?.*)/s, 2);
  const parts = path.split('/');
  const first = parts.findIndex((part) => FIRST_PARTS.includes(part));
  return first < 1 ? null : parseUrl(`/${parts.slice(first).join('/')}${query}`);
}

function readParams(query: string): { params: Params; isBroken: boolean } {
  const given: Param[] = [...new URLSearchParams(query)];
  const packed = given.find((param) => param[0] === 's')?.[1];
  const unpacked = packed === undefined ? [] : unpackParams(packed);
  const others = given.filter((param) => param[0] !== 's');
  return { params: new Params([...others, ...(unpacked ?? [])]), isBroken: unpacked === null };
}

function readPlace(path: string, params: Params, isJaegerFrame: boolean): Place {
  const [first = '', second = '', ...rest] = path.replace(/^\/+/, '').split('/');
  const operation = decode(rest.join('/'));
  switch (first) {
    case '':
      // People frame `/?uiEmbed=v0` and expect the search page, which is Jaeger's home.
      if (isJaegerFrame) return { page: 'search', state: fromJaegerSearch(params, readFields(SEARCH, params)) };
      return { page: 'home', state: readFields(HOME, params) };
    case 'search':
      return { page: 'search', state: fromJaegerSearch(params, readFields(SEARCH, params)) };
    case 'trace':
      return readTracePlace(decode([second, ...rest].join('/')), path, params);
    case 'dependencies':
      return { page: 'map', state: fromJaegerFind(params, readFields(MAP, params)) };
    case 'deep-dependencies':
      return { page: 'map', state: fromJaegerPaths(params, readFields(MAP, params)) };
    case 'monitor':
      return readMonitor(params);
    case 'services':
      if (second === '') return { page: 'services', state: readFields(SERVICES, params) };
      if (operation === '')
        return { page: 'service', state: { service: decode(second), ...readFields(SERVICE, params) } };
      return { page: 'operation', state: { service: decode(second), operation, ...readFields(SERVICE, params) } };
    case 'status':
      return { page: 'status', state: readFields(STATUS, params) };
    case 'quality-metrics':
      return { page: 'status', state: fromJaegerQuality(params, readFields(STATUS, params)) };
    case 'settings':
      return { page: 'settings', state: {} };
    default:
      return { page: 'notFound', state: { path } };
  }
}

function readTracePlace(id: string, path: string, params: Params): Place {
  if (id.includes(SIDES)) {
    return {
      page: 'compare',
      state: fromJaegerFind(params, { ...readSides(id, params), ...readFields(COMPARE, params) }),
    };
  }
  const traceId = parseTraceId(id.replace(/\/+$/, ''));
  if (traceId !== null)
    return { page: 'trace', state: fromJaegerTrace(params, { traceId, ...readFields(TRACE, params) }) };
  params.note(text.noTrace(shortened(id)));
  return { page: 'notFound', state: { path } };
}

function readMonitor(params: Params): Place {
  const { service, ...state } = fromJaegerMonitor(params, readFields(SERVICE, params));
  // Without a service, the list of services is the page.
  if (service === null) return { page: 'services', state: { ...readFields(SERVICES, params), range: state.range } };
  return { page: 'service', state: { service, ...state } };
}

function printPlace(route: Route): [path: string, params: Param[]] {
  switch (route.page) {
    case 'home':
      return ['/', printFields(HOME, route.state)];
    case 'search':
      return ['/search', printFields(SEARCH, route.state)];
    case 'trace':
      return [`/trace/${encodePart(route.state.traceId)}`, printAll(TRACE, route.state)];
    case 'compare':
      return [`/trace/${printSides(route.state)}`, printAll(COMPARE, route.state)];
    case 'map':
      return ['/dependencies', printFields(MAP, route.state)];
    case 'services':
      return ['/services', printFields(SERVICES, route.state)];
    case 'service':
      return [`/services/${encodePart(route.state.service)}`, printAll(SERVICE, route.state)];
    case 'operation': {
      const { service, operation } = route.state;
      return [`/services/${encodePart(service)}/${encodePart(operation)}`, printAll(SERVICE, route.state)];
    }
    case 'status':
      return ['/status', printFields(STATUS, route.state)];
    case 'settings':
      return ['/settings', []];
    case 'notFound':
      return [route.state.path, []];
  }
}

/** Prints the fields of a state that has more than them: what stands in the path. */
function printAll<S extends object>(fields: Fields<S>, state: S): Param[] {
  return printFields(fields, state);
}

function joinUrl(path: string, params: readonly Param[]): string {
  const query = params.map(([key, value]) => `${key}=${encodeValue(value)}`).join('&');
  return query === '' ? path : `${path}?${query}`;
}

/** Leaves what a query may hold as it is, so that links can be read: `from=2026-11-28T14:00:00Z`. */
function encodeValue(value: string): string {
  const plain: Record<string, string> = { '%20': '+', '%2C': ',', '%2F': '/', '%3A': ':', '%3D': '=', '%40': '@' };
  return encodePart(value).replace(/%20|%2C|%2F|%3A|%3D|%40/g, (coded) => plain[coded] ?? coded);
}

/**
 * Quotes and brackets are legal in links, but programs that find links in text stop at them. Half a surrogate pair
 * cannot be written in UTF-8, and `encodeURIComponent` throws.
 */
function encodePart(part: string): string {
  const encoded = encodeURIComponent(part.replace(/\p{Surrogate}/gu, '\ufffd'));
  return encoded.replace(/['()]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function withoutBase(path: string, basePath: string): string {
  const base = basePath.replace(/\/+$/, '');
  if (path === base) return '/';
  return path.startsWith(`${base}/`) ? path.slice(base.length) : path;
}
