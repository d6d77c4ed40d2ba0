// What a link says: one type per page. Pages read nothing else, so two people with the same link see the same.
//
// Theme, zone, density and sizes of panels are preferences and not here; a link never changes them. (The theme of an
// embedding page is the exception: there the page around decides.)

import type { Scope, Sort, SpanKind } from '../api/types.ts';
import type { SpanId, TraceId } from './ids.ts';
import type { TimeRange } from './timeRange.ts';

export type { SpanId, TraceId } from './ids.ts';
export type { TimeRange } from './timeRange.ts';

/** What tables of services and operations are sorted by; `impact` is rate × p95. */
export type RedColumn = 'impact' | 'name' | 'rate' | 'errors' | 'p50' | 'p95' | 'p99' | 'change';
export type RedSort = { readonly column: RedColumn; readonly direction: 'ascending' | 'descending' };

export type HomeState = { readonly range: TimeRange; readonly sort: RedSort };

export type SearchView = 'list' | 'graph';
/** A trace to list, with the spans to show in it. */
export type ListedTrace = { readonly traceId: TraceId; readonly spanIds: readonly SpanId[] };
export type SearchState = {
  /** Query text; empty matches every span. */
  readonly q: string;
  readonly range: TimeRange;
  readonly scope: Scope;
  readonly sort: Sort;
  /** Columns beside the usual ones, as fields of the query language. */
  readonly cols: readonly string[];
  readonly group: string | null;
  /** When there are any, they are listed and nothing is searched. */
  readonly traces: readonly ListedTrace[];
  readonly view: SearchView;
  /** Rows a page; null: as many as fit the page. */
  readonly limit: number | null;
  /** False for old links that open a filled form and wait for the button. */
  readonly run: boolean;
  /** Spans as they arrive, instead of those of the time range. */
  readonly live: boolean;
};

export type TraceView = 'waterfall' | 'flame' | 'table' | 'stats' | 'events';
/** Nanoseconds from the trace's start. */
export type Zoom = { readonly fromNs: number; readonly toNs: number };
/** Which rows are closed. */
export type Collapse = {
  /** Rows at this depth and below are closed; null: none are. */
  readonly depth: number | null;
  /** Spans for which the opposite holds. */
  readonly except: readonly SpanId[];
  /** First spans of the runs of like siblings that are open. */
  readonly opened: readonly SpanId[];
};
export type TraceState = {
  readonly traceId: TraceId;
  readonly view: TraceView;
  /** Selected, scrolled to, its details shown. */
  readonly span: SpanId | null;
  /** It is the folded run that the span heads which is selected. */
  readonly run: boolean;
  /** Null: the whole trace. */
  readonly zoom: Zoom | null;
  /** A piece of time that is measured. */
  readonly mark: Zoom | null;
  /** Further ones that stay while others are measured. */
  readonly kept: readonly Zoom[];
  readonly find: string;
  /** Hides what `find` does not match. */
  readonly onlyMatches: boolean;
  /** Shown services; empty: all. */
  readonly services: readonly string[];
  /** Jaeger's form of the same, until the services of the trace are known: see `decodeSvcFilter`. */
  readonly svcFilter: string | null;
  /** Spans shorter than this are hidden. */
  readonly minNs: number;
  /** Runs of like siblings are one row. */
  readonly fold: boolean;
  /** `service`, or a field of the query language. */
  readonly colour: string;
  readonly cols: readonly string[];
  readonly collapse: Collapse;
  readonly critical: 'shown' | 'hidden' | 'only';
  /** The span whose subtree is all that is shown. */
  readonly focus: SpanId | null;
  /** What the table is sorted by, `-` first for descending; empty: by time. */
  readonly sort: string;
  /** The keys that statistics are grouped by, two at most; empty: service and name. */
  readonly group: readonly string[];
  /** What events are filtered by. */
  readonly events: string;
};

export type CompareTab = 'tree' | 'side' | 'attributes';
export type CompareState = {
  readonly a: TraceId | null;
  readonly b: TraceId | null;
  /** Others to choose a side from. */
  readonly cohort: readonly TraceId[];
  readonly find: string;
  readonly tab: CompareTab;
  /** The chosen row of the common tree, by its number: its spans are compared in full. */
  readonly node: number | null;
  /** Rows of the tree at this depth and below are closed; null: none are. */
  readonly level: number | null;
  /** Rows for which the opposite holds, by their numbers. The tree of two traces is the same for everyone. */
  readonly except: readonly number[];
  /** Attributes that are the same on both sides, too. */
  readonly all: boolean;
};

export type MapState = {
  readonly focus: string | null;
  readonly hops: 1 | 2 | 3 | 'all';
  /** Calls a second below which an edge is hidden. */
  readonly min: number;
  readonly metric: 'latency' | 'errors' | 'rate';
  /** `table`: services as rows; `calls`: edges as rows; `auto`: a graph, or a table where there are too many. */
  readonly as: 'auto' | 'graph' | 'table' | 'calls';
  readonly find: string;
  /** One service, or the two ends of calls: caller, callee. */
  readonly selected: readonly string[];
  /** Of the tables: a column, with `-` before it for the largest first. */
  readonly sort: string;
  /** `paths`: only whole paths through the focus, of one operation where it is given. */
  readonly mode: 'calls' | 'paths';
  readonly operation: string | null;
  readonly showOperations: boolean;
  readonly range: TimeRange;
};

export type ServicesState = { readonly range: TimeRange; readonly sort: RedSort; readonly find: string };
export type ServiceState = {
  readonly service: string;
  readonly range: TimeRange;
  /** The kind of spans that is measured; null: those that enter the service. */
  readonly kind: SpanKind | null;
  /** Of the table of operations. */
  readonly sort: RedSort;
  /** How the course of rate, errors and durations is shown. */
  readonly as: 'charts' | 'table';
};
export type OperationState = ServiceState & { readonly operation: string };

export type StatusState = {
  readonly tab: 'overview' | 'quality';
  readonly service: string | null;
  readonly range: TimeRange;
};
export type SettingsState = Readonly<Record<string, never>>;
export type NotFoundState = { readonly path: string };

/** How another page shows ours. Survives every step from page to page. */
export type EmbedState = {
  /** `jaeger` is `uiEmbed=v0`, `own` is `embed=1`; the rest counts only with one of them. */
  readonly mode: 'off' | 'jaeger' | 'own';
  readonly hideSearchGraph: boolean;
  readonly collapseTitle: boolean;
  readonly hideMinimap: boolean;
  readonly hideSummary: boolean;
  readonly theme: 'light' | 'dark' | null;
};

type On<Page extends string, State> = { readonly page: Page; readonly state: State };

export type Place =
  | On<'home', HomeState>
  | On<'search', SearchState>
  | On<'trace', TraceState>
  | On<'compare', CompareState>
  | On<'map', MapState>
  | On<'services', ServicesState>
  | On<'service', ServiceState>
  | On<'operation', OperationState>
  | On<'status', StatusState>
  | On<'settings', SettingsState>
  | On<'notFound', NotFoundState>;

export type Route = Place & { readonly embed: EmbedState };
export type Page = Route['page'];
export type RouteOf<P extends Page> = Extract<Route, { page: P }>;
