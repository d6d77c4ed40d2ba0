// Traces written by hand, as OTLP in JSON.

type Value = string | number | boolean;
export type Attrs = Record<string, Value>;

const KINDS = { unspecified: 0, internal: 1, server: 2, client: 3, producer: 4, consumer: 5 } as const;

export type SpanSpec = {
  /** Counts within the trace, from 1. */
  id: number;
  parent?: number;
  service: string;
  name: string;
  kind: keyof typeof KINDS;
  /** Milliseconds since the epoch. */
  at: number;
  ms: number;
  attrs?: Attrs;
  error?: string;
  events?: { name: string; at: number; attrs?: Attrs }[];
  links?: { trace: string; span: number }[];
};

type JsonSpan = Record<string, unknown>;
export type Request = { resourceSpans: unknown[] };

/** Milliseconds as the nanoseconds of OTLP's JSON. */
export function ms(at: number): string {
  return String(BigInt(Math.round(at * 1_000)) * 1_000n);
}

function keyValues(attrs: Attrs = {}): unknown[] {
  return Object.entries(attrs).map(([key, value]) => ({ key, value: anyValue(value) }));
}

function anyValue(value: Value): unknown {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}

/** The id of a span by its number. */
export function spanId(id: number): string {
  return (0xabcd_0000_0000_0000n + BigInt(id)).toString(16).padStart(16, '0');
}

export class OtlpTrace {
  readonly spans: { service: string; span: JsonSpan }[] = [];

  constructor(readonly traceId: string) {}

  static numbered(n: number): OtlpTrace {
    return new OtlpTrace(`bbbb${n.toString(16).padStart(28, '0')}`);
  }

  span(spec: SpanSpec): void {
    const { id, parent, service, name, kind, at, attrs, error, events = [], links = [] } = spec;
    const span: JsonSpan = {
      traceId: this.traceId,
      spanId: spanId(id),
      ...(parent === undefined ? {} : { parentSpanId: spanId(parent) }),
      name,
      kind: KINDS[kind],
      startTimeUnixNano: ms(at),
      endTimeUnixNano: ms(at + spec.ms),
      attributes: keyValues(attrs),
      events: events.map((event) => ({
        name: event.name,
        timeUnixNano: ms(event.at),
        attributes: keyValues(event.attrs),
      })),
      links: links.map((link) => ({ traceId: link.trace, spanId: spanId(link.span) })),
      status: error === undefined ? {} : { code: 2, message: error },
    };
    this.spans.push({ service, span });
  }

  static request(traces: readonly OtlpTrace[]): Request {
    const byService = new Map<string, JsonSpan[]>();
    for (const { service, span } of traces.flatMap((trace) => trace.spans)) {
      const spans = byService.get(service) ?? [];
      spans.push(span);
      byService.set(service, spans);
    }
    return {
      resourceSpans: [...byService].map(([service, spans]) => ({
        resource: {
          attributes: keyValues({ 'service.name': service, 'service.version': '1.4.2', 'host.name': 'node-7' }),
        },
        scopeSpans: [{ scope: { name: 'shop', version: '0.9' }, spans }],
      })),
    };
  }
}
