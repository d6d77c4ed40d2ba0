// Trace and span ids as people and other tools write them, read into the one form that the program uses.
//
// Canonical is lower-case hex, padded: 32 digits for a trace, 16 for a span. Links carry them in any case, with leading
// zeros dropped, or as base64, since protobuf's JSON has them so.

export type TraceId = string & { readonly __unit?: 'traceId' };
export type SpanId = string & { readonly __unit?: 'spanId' };

const TRACE_DIGITS = 32;
const SPAN_DIGITS = 16;

/** Null when it is no id. An id of zeros is one: that nothing has it is for the server to say. */
export function parseTraceId(text: string): TraceId | null {
  const trimmed = text.trim();
  if (/^[\da-f]{1,32}$/i.test(trimmed)) return trimmed.toLowerCase().padStart(TRACE_DIGITS, '0');
  const bytes = base64Bytes(trimmed);
  return bytes?.length === 16 || bytes?.length === 8 ? hex(bytes).padStart(TRACE_DIGITS, '0') : null;
}

/** Null when it is no id. */
export function parseSpanId(text: string): SpanId | null {
  const trimmed = text.trim();
  if (/^[\da-f]{1,16}$/i.test(trimmed)) return trimmed.toLowerCase().padStart(SPAN_DIGITS, '0');
  const bytes = base64Bytes(trimmed);
  return bytes?.length === 8 ? hex(bytes) : null;
}

/**
 * A text that can only be meant as a span id: 16 hex digits, or 15 with a letter among them, since old clients drop a
 * leading zero. Shorter ones are words and numbers that somebody looks for.
 */
export function loneSpanId(text: string): SpanId | null {
  const trimmed = text.trim();
  const isId = /^[\da-f]{16}$/i.test(trimmed) || (/^[\da-f]{15}$/i.test(trimmed) && /[a-f]/i.test(trimmed));
  return isId ? parseSpanId(trimmed) : null;
}

export function hex(bytes: Iterable<number>): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Either alphabet, with or without padding; null when it is none. */
export function base64Bytes(text: string): Uint8Array | null {
  const plain = text
    .replace(/-/g, '+')
    .replace(/_/g, '/')
    .replace(/={1,2}$/, '');
  if (plain === '' || !/^[\d+/a-z]+$/i.test(plain)) return null;
  try {
    return Uint8Array.from(atob(plain), (char) => char.charCodeAt(0));
  } catch {
    return null;
  }
}

/** Of the alphabet that needs no escapes in a link, without padding. */
export function base64Text(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}
