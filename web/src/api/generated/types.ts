// Made from the server's structures; UPDATE=1 cargo test -p serve generate

/**
 * What the page is told.
 */
export type Boot = { 
/**
 * The program's version.
 */
version: string, 
/**
 * With `/` at both ends.
 */
basePath: string, 
/**
 * Where senders reach the program.
 */
receivers: Array<ReceiverAddress>, 
/**
 * What can be done.
 */
capabilities: Capabilities, 
/**
 * How much may be asked.
 */
limits: Limits, 
/**
 * Links from what is shown to other tools.
 */
links: Array<LinkTemplate>, 
/**
 * Links beside the app's own pages.
 */
menu: Array<MenuLink>, 
/**
 * Attributes whose keys begin so come first.
 */
pinnedPrefixes: Array<string>, 
/**
 * The most traces that a search may be set to.
 */
searchLimitMax: number | null, 
/**
 * How far back a search may be set to look, such as `2d`.
 */
searchLookbackMax: string | null, 
/**
 * How far back it looks at first.
 */
searchLookback: string | null, 
/**
 * Digits of a trace's id where it is shortened.
 */
traceIdDigits: number | null, 
/**
 * Light or dark can't be chosen.
 */
isThemeFixed: boolean, 
/**
 * Files with traces can't be opened.
 */
isFileUploadOff: boolean, 
/**
 * There are no links to the JSON of a trace.
 */
isJsonViewOff: boolean, 
/**
 * Keys of the configuration that have no effect here.
 */
ignoredConfig: Array<string>, };

/**
 * What the program can do.
 */
export type Capabilities = { 
/**
 * Traces can be kept for good.
 */
archive: boolean, 
/**
 * The page may have spans made, to try the way in.
 */
testTrace: boolean, 
/**
 * Spans can be followed as they arrive.
 */
tail: boolean, };

/**
 * How much may be asked.
 */
export type Limits = { 
/**
 * Traces of a page of results.
 */
pageTracesMax: number, 
/**
 * Bytes of a query's text.
 */
queryBytesMax: number, };

/**
 * A door for spans.
 */
export type ReceiverAddress = { 
/**
 * `otlp-grpc` or `otlp-http`.
 */
protocol: string, 
/**
 * Address and port as they are listened on.
 */
address: string, };

/**
 * Where the values of a link's template come from.
 */
export type LinkKind = "resource" | "attributes" | "events" | "traces";

/**
 * A link to another tool, with `#{key}` where values stand.
 */
export type LinkTemplate = { 
/**
 * What it stands beside.
 */
type: LinkKind, 
/**
 * The attribute that it stands beside; null: any, or a whole trace.
 */
key: string | null, 
/**
 * The address.
 */
url: string, 
/**
 * What is shown.
 */
text: string, };

/**
 * A link of the menu.
 */
export type MenuLink = { 
/**
 * What is shown.
 */
label: string, 
/**
 * The address.
 */
url: string, };

/**
 * Something that could not be read, and why; the rest of the answer is true without it.
 */
export type Skipped = { what: string, why: string, };

/**
 * The body of every answer with a status of 400 and more.
 */
export type ApiErrorBody = { error: ApiError, };

/**
 * Why a request has no answer.
 */
export type ApiError = { message: string, 
/**
 * What to do.
 */
hint: string | null, 
/**
 * What is wrong with the query.
 */
diagnostics: Array<Diagnostic>, };

/**
 * How bad something in a query is.
 */
export type Severity = "error" | "warning";

/**
 * Something about a query; offsets are in UTF-16 units, as browsers count.
 */
export type Diagnostic = { severity: Severity, from: number, to: number, message: string, proposal: Proposal | null, };

/**
 * What would mend a query.
 */
export type Proposal = { from: number, to: number, text: string, label: string, };

/**
 * The share of a service in a trace.
 */
export type ServiceShare = { service: string, spans: number, errors: number, };

/**
 * OTLP's status.
 */
export type SpanStatus = "unset" | "ok" | "error";

/**
 * OTLP's kind.
 */
export type SpanKind = "unspecified" | "internal" | "server" | "client" | "producer" | "consumer";

/**
 * A span that a search matched.
 */
export type MatchedSpan = { spanId: string, service: string, name: string, startNs: string, durationNs: number, status: SpanStatus, kind: SpanKind, 
/**
 * The values of the columns that were asked for, in their order.
 */
columns: Array<string | null>, };

/**
 * The root of a trace.
 */
export type Root = { service: string, name: string, kind: SpanKind, };

/**
 * A trace in a list.
 */
export type TraceSummary = { traceId: string, startNs: string, durationNs: number, spans: number, errors: number, root: Root | null, services: Array<ServiceShare>, isComplete: boolean, 
/**
 * Spans that match: the first few; in a list of spans the one that the line is about.
 */
matched: Array<MatchedSpan>, 
/**
 * How many match; not known where the trace is too long to look at in a list.
 */
matchedSpans: number | null, };

/**
 * A line of the answer to a search, which is streamed.
 */
export type SearchLine = { "type": "trace", trace: TraceSummary, } | { "type": "progress", found: number, elapsedMs: number, } | { "type": "done", cursor: string | null, found: number, elapsedMs: number, skipped: Array<Skipped>, diagnostics: Array<Diagnostic>, } | { "type": "failed", message: string, hint: string | null, };

/**
 * A value of an attribute.
 */
export type AttributeValue = { "type": "string", value: string, } | { "type": "int", value: string, } | { "type": "double", value: string, } | { "type": "bool", value: boolean, } | { "type": "bytes", value: string, } | { "type": "json", value: string, } | { "type": "empty" };

/**
 * An attribute.
 */
export type KeyValue = { key: string, value: AttributeValue, };

/**
 * An event of a span.
 */
export type SpanEvent = { timeNs: string, name: string, attributes: Array<KeyValue>, droppedAttributes: number, };

/**
 * A link of a span.
 */
export type SpanLink = { traceId: string, spanId: string, traceState: string, attributes: Array<KeyValue>, droppedAttributes: number, };

/**
 * The instrumentation scope of a span.
 */
export type InstrumentationScope = { name: string, version: string, attributes: Array<KeyValue>, };

/**
 * All that is known of a span.
 */
export type SpanDetails = { spanId: string, parentSpanId: string | null, service: string, name: string, kind: SpanKind, status: SpanStatus, statusMessage: string, startNs: string, durationNs: number, traceState: string, flags: number, attributes: Array<KeyValue>, droppedAttributes: number, events: Array<SpanEvent>, droppedEvents: number, links: Array<SpanLink>, droppedLinks: number, resource: Array<KeyValue>, scope: InstrumentationScope, warnings: Array<string>, };

/**
 * Spans of a trace.
 */
export type SpansAnswer = { spans: Array<SpanDetails>, skipped: Array<Skipped>, };

/**
 * The names of all services, ascending.
 */
export type ServicesAnswer = { services: Array<string>, };

/**
 * A comparison, as a chip is edited.
 */
export type Comparison = { field: string, op: string, 
/**
 * A literal of the query language; empty where a field stands alone.
 */
value: string, };

/**
 * A conjunct of a query.
 */
export type Chip = { 
/**
 * Its text without braces.
 */
text: string, 
/**
 * Where it is a simple comparison; else it can only be edited as text.
 */
comparison: Comparison | null, };

/**
 * A query, read.
 */
export type QueryAnswer = { 
/**
 * As it is printed; null when it has errors.
 */
canonical: string | null, chips: Array<Chip>, diagnostics: Array<Diagnostic>, };

/**
 * What a completion is.
 */
export type CompletionKind = "field" | "attribute" | "operator" | "value" | "logic";

/**
 * Something that may stand there.
 */
export type CompletionItem = { text: string, kind: CompletionKind, detail: string, 
/**
 * How often it was seen, where that is known.
 */
count: number | null, };

/**
 * What may stand at a place of a query; offsets are in UTF-16 units.
 */
export type CompletionAnswer = { from: number, to: number, items: Array<CompletionItem>, 
/**
 * Whether there is nothing else.
 */
isAll: boolean, };

/**
 * A span that something points to.
 */
export type SpanPointer = { traceId: string, spanId: string | null, durationNs: number, };

/**
 * The bounds of a row of the heatmap in nanoseconds: from, included, to, not included.
 */
export type Bucket = { fromNs: number, toNs: number, };

/**
 * Cells of the heatmap that are not empty, as columns.
 */
export type Cells = { step: Array<number>, 
/**
 * An index of `buckets`.
 */
bucket: Array<number>, count: Array<number>, errors: Array<number>, slowest: Array<SpanPointer>, };

/**
 * A value of a facet.
 */
export type FacetValue = { value: string, 
/**
 * As a query writes it.
 */
literal: string, count: number, errors: number, };

/**
 * The values of a field.
 */
export type Facet = { 
/**
 * As a query writes it.
 */
field: string, values: Array<FacetValue>, 
/**
 * Spans with values that are not listed.
 */
others: number, 
/**
 * Spans without a value.
 */
missing: number, };

/**
 * All matches from afar.
 */
export type OverviewAnswer = { fromNs: string, toNs: string, stepNs: number, 
/**
 * Traces or spans that match, as the scope says.
 */
points: number, 
/**
 * Those of them that failed.
 */
errors: number, 
/**
 * Spans that match.
 */
spans: number, cells: Cells, 
/**
 * Ascending.
 */
buckets: Array<Bucket>, facets: Array<Facet>, 
/**
 * The share of the matching spans that facets were counted over, 0 to 1.
 */
facetShare: number, skipped: Array<Skipped>, };

/**
 * A span that has just arrived.
 */
export type TailSpan = { traceId: string, span: MatchedSpan, };

/**
 * An event of the live tail.
 */
export type TailEvent = { "type": "spans", spans: Array<TailSpan>, } | { "type": "dropped", spans: number, };

/**
 * Spans of a time; durations in nanoseconds.
 */
export type RedPoint = { spans: number, errors: number, p50: number, p95: number, p99: number, };

/**
 * A service or an operation over time.
 */
export type RedSeries = { service: string, operation: string | null, kind: SpanKind | null, 
/**
 * The whole window.
 */
total: RedPoint, 
/**
 * The same time a day before.
 */
dayBefore: RedPoint | null, 
/**
 * Nanoseconds in which no child was running, where that is known.
 */
ownNs: number, 
/**
 * Nanoseconds on critical paths, where that is known.
 */
criticalNs: number, 
/**
 * By step; null where there were no spans.
 */
points: Array<RedPoint | null>, 
/**
 * A trace with one of the slowest spans.
 */
slowest: string | null, 
/**
 * A trace with one of the slowest spans that failed.
 */
failed: string | null, };

/**
 * Rate, errors and duration over time.
 */
export type RedAnswer = { 
/**
 * When the first step begins.
 */
fromNs: string, stepNs: number, steps: number, 
/**
 * Seconds of the window that have passed: what rates are made with.
 */
seconds: number, series: Array<RedSeries>, hasAllOperations: boolean, skipped: Array<Skipped>, };

/**
 * A service of the map.
 */
export type MapNode = { service: string, total: RedPoint, };

/**
 * Calls between two services.
 */
export type Edge = { caller: string, callee: string, 
/**
 * Whether the called one consumes what was sent to it, instead of answering.
 */
isAsync: boolean, total: RedPoint, slowest: string | null, failed: string | null, };

/**
 * The map of services.
 */
export type EdgesAnswer = { seconds: number, nodes: Array<MapNode>, edges: Array<Edge>, skipped: Array<Skipped>, };

/**
 * What the time of an operation goes to, on the average of a sample of its spans.
 */
export type PathAnswer = { 
/**
 * Spans of the sample.
 */
spans: number, 
/**
 * Their average duration.
 */
meanNs: number, 
/**
 * The operations that were at work, those with most time first.
 */
parts: Array<PathPart>, 
/**
 * The share of time of operations that are not told.
 */
others: number, 
/**
 * Attributes of the sample's spans whose values repeat, as a query writes them.
 */
attributes: Array<string>, 
/**
 * Traces that were too long to be looked at.
 */
leftOut: number, skipped: Array<Skipped>, };

/**
 * An operation on the critical path of another.
 */
export type PathPart = { service: string, operation: string, 
/**
 * Its time in each span of the sample, on the average.
 */
meanNs: number, 
/**
 * Its share of all time, from 0 to 1.
 */
share: number, 
/**
 * Its spans on the path in each span of the sample, on the average.
 */
calls: number, 
/**
 * Spans of the sample with any of it on their path.
 */
ofSpans: number, 
/**
 * A trace in which it had much time.
 */
traceId: string, spanId: string, };

/**
 * What is wrong.
 */
export type LookKind = "slow" | "failing";

/**
 * Something that needs a look.
 */
export type Look = { service: string, operation: string, kind: SpanKind, what: LookKind, 
/**
 * p95 in nanoseconds, or the share that fails.
 */
now: number, before: number | null, 
/**
 * The rule with its numbers.
 */
rule: string, 
/**
 * The query that finds such spans.
 */
query: string, example: string | null, spans: number, };

/**
 * How everything is.
 */
export type HomeAnswer = { spansPerSecond: number, services: RedAnswer, needsALook: Array<Look>, 
/**
 * The last start of a span that is known; null when nothing has arrived yet.
 */
lastSpanNs: string | null, skipped: Array<Skipped>, };

/**
 * Two traces compared: one tree of both, and what explains the difference. Times are in nanoseconds.
 */
export type CompareAnswer = { a: ComparedTrace, b: ComparedTrace, 
/**
 * The operations whose own time differs, the largest difference first.
 */
causes: Array<CompareCause>, 
/**
 * The common tree in pre-order, the larger difference of siblings first.
 */
nodes: Array<CompareNode>, 
/**
 * How many nodes there are; those that are not told are the last ones.
 */
allNodes: number, skipped: Array<Skipped>, };

/**
 * One of the two.
 */
export type ComparedTrace = { traceId: string, durationNs: number, spans: number, 
/**
 * Spans without a counterpart.
 */
onlyHere: number, };

/**
 * An operation that explains a part of the difference.
 */
export type CompareCause = { service: string, operation: string, 
/**
 * Own time, the first minus the second.
 */
differenceNs: number, spansA: number, spansB: number, };

/**
 * A node of the common tree: spans with the same path of services and names.
 */
export type CompareNode = { depth: number, service: string, operation: string, 
/**
 * 0: it is only in the other trace.
 */
spansA: number, spansB: number, 
/**
 * Of all of them together.
 */
durationNsA: number, durationNsB: number, ownNsA: number, ownNsB: number, 
/**
 * The first of them.
 */
spanIdA: string | null, spanIdB: string | null, };

/**
 * The rows of a trace that match.
 */
export type FindAnswer = { 
/**
 * The version of the skeleton whose rows they are.
 */
version: string, rows: Array<number>, diagnostics: Array<Diagnostic>, skipped: Array<Skipped>, };

/**
 * A field that spans of the trace have.
 */
export type TraceKey = { 
/**
 * As a query writes it.
 */
field: string, 
/**
 * Spans that have it.
 */
spans: number, 
/**
 * Distinct values, as far as they were counted.
 */
distinct: number, };

/**
 * The fields that spans of a trace have.
 */
export type TraceKeysAnswer = { keys: Array<TraceKey>, 
/**
 * Whether there are no others.
 */
isAll: boolean, skipped: Array<Skipped>, };

/**
 * A field's values, by row of the skeleton.
 */
export type TraceColumnAnswer = { version: string, 
/**
 * The distinct values, the most frequent first.
 */
values: Array<string>, 
/**
 * By row: one more than the place in `values`; 0 for none.
 */
rows: Array<number>, skipped: Array<Skipped>, };

/**
 * An event of a trace.
 */
export type TraceEvent = { 
/**
 * The row of its span.
 */
row: number, event: SpanEvent, };

/**
 * The events of a trace by time.
 */
export type TraceEventsAnswer = { version: string, events: Array<TraceEvent>, 
/**
 * Whether there are no others.
 */
isAll: boolean, skipped: Array<Skipped>, };

/**
 * A door for spans, and what came through it.
 */
export type ReceiverStatus = { 
/**
 * `otlp_http`, `otlp_grpc`.
 */
protocol: string, 
/**
 * Where it listens; empty: it is off.
 */
addresses: Array<string>, 
/**
 * Requests that came.
 */
requests: number, 
/**
 * Spans that were taken.
 */
spans: number, 
/**
 * Bytes that came.
 */
bytes: number, 
/**
 * When the last request was taken, ns since the epoch.
 */
lastNs: string | null, };

/**
 * Why something was refused.
 */
export type RefusedStatus = { 
/**
 * The door.
 */
protocol: string, 
/**
 * The reason's name in the metrics.
 */
reason: string, 
/**
 * Requests.
 */
requests: number, 
/**
 * Their spans, as far as they were read.
 */
spans: number, };

/**
 * The last request that was refused.
 */
export type LastRefusal = { 
/**
 * The door.
 */
protocol: string, 
/**
 * When, ns since the epoch.
 */
timeNs: string, 
/**
 * What was answered.
 */
message: string, 
/**
 * The address of who sent it, or of a proxy in between; null: not known.
 */
peer: string | null, };

/**
 * How fast the store grows.
 */
export type StoreGrowth = { 
/**
 * Bytes that were added in the last `over_seconds`.
 */
bytes: number, 
/**
 * The time that this is taken from: the last hours, or since the first span.
 */
overSeconds: number, 
/**
 * When there is no more room if it goes on like that; null: old spans leave by their age before.
 */
fullInSeconds: number | null, };

/**
 * What the store holds.
 */
export type StoreStatus = { 
/**
 * Bytes of segments and log.
 */
bytes: number, 
/**
 * Bytes that it may take before the oldest spans leave; null: as many as fit on its disk.
 */
bytesMax: number | null, 
/**
 * Bytes that are free on its disk.
 */
diskFreeBytes: number | null, 
/**
 * Spans.
 */
spans: number, 
/**
 * Traces; one that lies in several segments is counted in each.
 */
traces: number, 
/**
 * Files of columns.
 */
segments: number, 
/**
 * Those that wait to be merged.
 */
waitingSegments: number, 
/**
 * Pinned traces.
 */
pinned: number, 
/**
 * When the oldest spans that it holds were stored, ns since the epoch; those of pinned traces don't count.
 */
oldestNs: string | null, 
/**
 * Bytes that were written since the start: to the log, to segments, and again when these were merged.
 */
writtenBytes: number, 
/**
 * Whether segments are being merged now.
 */
isMerging: boolean, 
/**
 * How fast it grows; null: too little time has passed to tell.
 */
growth: StoreGrowth | null, 
/**
 * What an accepted request promises.
 */
acknowledge: string, 
/**
 * How long spans are kept, in words.
 */
retention: string, 
/**
 * Whether it can keep spans now; if not, why.
 */
notWritable: string | null, };

/**
 * What came and what became of it, in spans.
 */
export type LedgerStatus = { 
/**
 * All that came.
 */
received: number, 
/**
 * Taken and acknowledged.
 */
accepted: number, 
/**
 * Left out of a request that was taken.
 */
rejected: number, 
/**
 * Left out by a step of the configuration.
 */
filtered: number, 
/**
 * Answered with an error.
 */
refused: number, 
/**
 * Given up because the sender was gone.
 */
dropped: number, 
/**
 * Under way.
 */
inFlight: number, 
/**
 * Among the accepted: stored before.
 */
duplicates: number, 
/**
 * Among all that came: more than five minutes after their ends.
 */
late: number, 
/**
 * Whether everything that came is accounted for.
 */
isBalanced: boolean, };

/**
 * How the program is.
 */
export type ProgramStatus = { 
/**
 * The doors.
 */
receivers: Array<ReceiverStatus>, 
/**
 * By reason, the most frequent first.
 */
refused: Array<RefusedStatus>, 
/**
 * The last one.
 */
lastRefusal: LastRefusal | null, 
/**
 * The store.
 */
store: StoreStatus, 
/**
 * The ledger.
 */
ledger: LedgerStatus, 
/**
 * Where it tells its metrics; empty: nowhere.
 */
admin: Array<string>, 
/**
 * Why it is not ready; null: it is.
 */
notReady: string | null, 
/**
 * When it began, ns since the epoch.
 */
startedNs: string, };

/**
 * A service, and when it was last heard of.
 */
export type ServiceStatus = { service: string, lastNs: string, operations: number, };

/**
 * How the program is, and which services it hears.
 */
export type StatusAnswer = { version: string, nowNs: string, program: ProgramStatus, services: Array<ServiceStatus>, };

/**
 * What was sent for the page.
 */
export type SentAnswer = { 
/**
 * The trace to look at; null where it is many.
 */
traceId: string | null, spans: number, };
