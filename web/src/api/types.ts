// What `/api/ui/v1` answers. Times are decimal strings of nanoseconds since the epoch (they do not fit a double),
// durations are numbers of nanoseconds, ids are lower-case hex. Generated from the server's structures.

/** Something that could not be read, and why; the rest of the answer is true without it. */
export type Skipped = { what: string; why: string };

/** Why a request has no answer: the body of every status of 400 and more. */
export type ApiErrorBody = { error: { message: string; hint: string | null; diagnostics: Diagnostic[] } };

/** What is in the boot block of index.html and at `/boot`. */
export type Boot = {
  version: string;
  basePath: string;
  /** The address that senders use, as far as the server knows it. */
  receivers: { protocol: 'otlp-grpc' | 'otlp-http'; address: string }[];
  capabilities: { archive: boolean; testTrace: boolean; tail: boolean };
  limits: { searchTracesMax: number; traceSpansMax: number; queryBytesMax: number };
  /** What was read of a Jaeger `ui-config.json`. */
  links: LinkTemplate[];
  menu: { label: string; url: string }[];
  ignoredConfig: string[];
};
export type LinkTemplate = {
  type: 'resource' | 'attributes' | 'events' | 'traces' | 'any';
  key: string | null;
  url: string;
  text: string;
};

export type Diagnostic = {
  severity: 'error' | 'warning';
  /** Offsets into the text in UTF-16 units. */
  from: number;
  to: number;
  message: string;
  proposal: { from: number; to: number; text: string; label: string } | null;
};

/** A conjunct of a query. */
export type Chip = {
  /** Its text within the query, without braces. */
  text: string;
  /** Field, operator and value where it is a simple comparison; else null, and it can only be edited as text. */
  comparison: { field: string; op: string; value: string } | null;
};

/** `GET /query?q=` */
export type QueryAnswer = {
  /** The query as it is printed; null when it has errors. */
  canonical: string | null;
  chips: Chip[];
  diagnostics: Diagnostic[];
};

/** `GET /complete?q=&at=&from=&to=` */
export type CompletionAnswer = { from: number; to: number; items: CompletionItem[]; isAll: boolean };
export type CompletionItem = {
  text: string;
  kind: 'field' | 'attribute' | 'operator' | 'value' | 'logic';
  detail: string;
  /** How many spans (of keys: owners) have it; null where that is not known. */
  count: number | null;
};

export type Scope = 'traces' | 'entry' | 'spans';
export type Sort = 'newest' | 'slowest';

export type ServiceShare = { service: string; spans: number; errors: number };
export type MatchedSpan = {
  spanId: string;
  service: string;
  name: string;
  startNs: string;
  durationNs: number;
  status: SpanStatus;
  kind: SpanKind;
  /** The values of the columns that were asked for, in their order; null where the span has none. */
  columns: (string | null)[];
};
export type SpanStatus = 'unset' | 'ok' | 'error';
export type SpanKind = 'unspecified' | 'internal' | 'server' | 'client' | 'producer' | 'consumer';

export type TraceSummary = {
  traceId: string;
  startNs: string;
  durationNs: number;
  spans: number;
  errors: number;
  root: { service: string; name: string; kind: SpanKind } | null;
  services: ServiceShare[];
  isComplete: boolean;
  /** Matching spans, the first few; the number is null where the trace was too large to look. */
  matched: MatchedSpan[];
  matchedSpans: number | null;
};

/** A line of `GET /search?q=&from=&to=&scope=&sort=&limit=&cursor=&columns=`, which streams JSON lines. */
export type SearchLine =
  | { type: 'trace'; trace: TraceSummary }
  | { type: 'progress'; found: number; elapsedMs: number }
  | {
      type: 'done';
      cursor: string | null;
      found: number;
      elapsedMs: number;
      skipped: Skipped[];
      diagnostics: Diagnostic[];
    }
  | { type: 'failed'; message: string; hint: string | null };

/** `GET /overview?q=&from=&to=&scope=&steps=&facets=`: all matches from afar. */
export type OverviewAnswer = {
  fromNs: string;
  toNs: string;
  stepNs: number;
  /** Traces or spans that match, as the scope says. */
  points: number;
  errors: number;
  /** Spans that match. */
  spans: number;
  /** Non-empty cells as columns; `bucket` is an index into `buckets`. */
  cells: {
    step: number[];
    bucket: number[];
    count: number[];
    errors: number[];
    slowest: { traceId: string; spanId: string | null; durationNs: number }[];
  };
  /** Ascending; the duration of a cell lies in [fromNs, toNs). */
  buckets: { fromNs: number; toNs: number }[];
  facets: Facet[];
  /** The share of matching spans that facets were counted over, 0 to 1. */
  facetShare: number;
  skipped: Skipped[];
};
export type Facet = {
  /** As it is written in a query. */
  field: string;
  values: { value: string /** as a literal in a query */; literal: string; count: number; errors: number }[];
  /** Spans with values that are not listed. */
  others: number;
  /** Spans without a value. */
  missing: number;
};

/** One event of `GET /tail?q=`, server-sent. */
export type TailEvent = { type: 'spans'; spans: TailSpan[] } | { type: 'dropped'; spans: number };
export type TailSpan = MatchedSpan & { traceId: string };

/** `POST /traces/{id}/spans` with `{"spans": [id, …]}`. */
export type SpansAnswer = { spans: SpanDetails[]; skipped: Skipped[] };
export type AttributeValue =
  | { type: 'string'; value: string }
  | { type: 'int'; value: string }
  | { type: 'double'; value: number | 'NaN' | 'Infinity' | '-Infinity' }
  | { type: 'bool'; value: boolean }
  | { type: 'bytes'; value: string }
  | { type: 'json'; value: string }
  | { type: 'empty' };
export type KeyValue = { key: string; value: AttributeValue };
export type SpanDetails = {
  spanId: string;
  parentSpanId: string | null;
  service: string;
  name: string;
  kind: SpanKind;
  status: SpanStatus;
  statusMessage: string;
  startNs: string;
  durationNs: number;
  traceState: string;
  flags: number;
  attributes: KeyValue[];
  droppedAttributes: number;
  events: SpanEvent[];
  droppedEvents: number;
  links: SpanLink[];
  droppedLinks: number;
  resource: KeyValue[];
  scope: { name: string; version: string; attributes: KeyValue[] };
  warnings: string[];
};
export type SpanEvent = { timeNs: string; name: string; attributes: KeyValue[]; droppedAttributes: number };
export type SpanLink = {
  traceId: string;
  spanId: string;
  traceState: string;
  attributes: KeyValue[];
  droppedAttributes: number;
};

/** `GET /traces/{id}/find?q=`: rows of the skeleton of this version. */
export type FindAnswer = { version: string; rows: number[]; diagnostics: Diagnostic[] };

/** `GET /traces/{id}/keys` */
export type TraceKeysAnswer = { keys: { field: string; spans: number; distinct: number }[] };

/** `GET /traces/{id}/events`: all events of the trace by time. */
export type TraceEventsAnswer = { version: string; events: (SpanEvent & { row: number })[]; isAll: boolean };

/** A point of a series; null where there were no spans. */
export type RedPoint = { spans: number; errors: number; p50: number; p95: number; p99: number };
export type RedSeries = {
  service: string;
  operation: string | null;
  kind: SpanKind | null;
  /** The whole window. */
  total: RedPoint;
  /** The same time a day before; null when there was nothing. */
  before: RedPoint | null;
  /** Nanoseconds in which no child was running, over the spans whose trace was whole. */
  ownNs: number;
  criticalNs: number;
  points: (RedPoint | null)[];
  slowest: string | null;
  failed: string | null;
};
/** `GET /red?by=service|operation&service=&from=&to=&steps=&kinds=` */
export type RedAnswer = {
  fromNs: string;
  toNs: string;
  stepNs: number;
  series: RedSeries[];
  hasAllOperations: boolean;
  skipped: Skipped[];
};

/** `GET /edges?from=&to=` */
export type EdgesAnswer = { fromNs: string; toNs: string; nodes: RedNode[]; edges: Edge[]; skipped: Skipped[] };
export type RedNode = { service: string; total: RedPoint };
export type Edge = {
  caller: string;
  callee: string;
  isAsync: boolean;
  total: RedPoint;
  slowest: string | null;
  failed: string | null;
};

/** `GET /home?from=&to=` */
export type HomeAnswer = {
  fromNs: string;
  toNs: string;
  spansPerSecond: number;
  services: RedSeries[];
  needsALook: {
    service: string;
    operation: string;
    kind: SpanKind;
    what: 'slow' | 'failing';
    now: number;
    before: number | null;
    /** The rule in words, with its numbers. */
    rule: string;
    /** The query that shows examples. */
    query: string;
    example: string | null;
  }[];
  lastSpanNs: string | null;
  skipped: Skipped[];
};

/** `GET /status` */
export type StatusAnswer = {
  version: string;
  startedNs: string;
  nowNs: string;
  isReady: boolean;
  notReadyBecause: string | null;
  receivers: {
    protocol: string;
    address: string;
    requests: number;
    spans: number;
    bytes: number;
    refusedSpans: number;
    lastNs: string | null;
  }[];
  refused: { reason: string; count: number; lastNs: string | null; lastMessage: string }[];
  store: {
    folder: string;
    bytes: number;
    bytesMax: number | null;
    diskFreeBytes: number;
    spans: number;
    traces: number;
    segments: number;
    oldestNs: string | null;
    newestNs: string | null;
    waitingSegments: number;
    acknowledge: string;
    pinned: number;
  };
  ledger: { received: number; kept: number; duplicates: number; refused: number; isBalanced: boolean };
  services: { service: string; lastNs: string; operations: number }[];
};

/** `POST /test-trace` and `POST /sample` */
export type SentAnswer = { traceId: string | null; spans: number };
