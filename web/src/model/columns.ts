// The one input of the trace view: a trace as columns, one row a span, rows in pre-order.
//
// Made from the server's Arrow stream, or from a file that was opened in the browser. Nothing here is an object per
// span. `start` is relative to the trace's start, all times are nanoseconds.

export const FLAG = {
  error: 1 << 0,
  hasEvents: 1 << 1,
  hasLinks: 1 << 2,
  /** Its parent is not in the trace. */
  orphan: 1 << 3,
  /** Its times were moved, since its host's clock differs. */
  skewAdjusted: 1 << 4,
  /** Its end is not known, or lies before its start. */
  incomplete: 1 << 5,
  critical: 1 << 6,
  /** The first of a run of like siblings. */
  groupHead: 1 << 7,
} as const;

/** An index of a row in the trace's columns. */
export type RowIndex = number & { readonly __unit?: 'row' };
/** Nanoseconds from the trace's start. */
export type Ns = number & { readonly __unit?: 'ns' };
/** CSS pixels. */
export type Px = number & { readonly __unit?: 'px' };

export interface TraceColumns {
  readonly traceId: string;
  /** Changes when the server knows more spans of the trace. */
  readonly version: string;
  readonly isComplete: boolean;
  /** Nanoseconds since the epoch. */
  readonly startNs: bigint;
  readonly durationNs: number;
  readonly errors: number;
  readonly warnings: readonly string[];
  readonly count: number;
  /** Eight bytes a row. */
  readonly spanId: Uint8Array;
  readonly depth: Uint16Array;
  /** Rows of the subtree, itself included. */
  readonly subtree: Uint32Array;
  readonly start: Float64Array;
  readonly dur: Float64Array;
  readonly self: Float64Array;
  readonly services: readonly string[];
  readonly service: Uint32Array;
  readonly names: readonly string[];
  readonly name: Uint32Array;
  readonly kind: Uint8Array;
  readonly status: Uint8Array;
  readonly flags: Uint16Array;
  /** The run of like siblings that a row belongs to, from 1; 0: none. */
  readonly group: Uint32Array;
  /** Pieces of the critical path by time. */
  readonly critical: { readonly row: Uint32Array; readonly from: Float64Array; readonly to: Float64Array };
}
