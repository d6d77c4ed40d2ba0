// Reads values of unknown JSON: what is not of the kind that is asked for is the default, never an error.

import type { AttributeValue } from '../api/types.ts';

export type JsonRecord = { readonly [key: string]: unknown };

export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function recordsOf(value: unknown): JsonRecord[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

export function textOf(value: unknown): string {
  return typeof value === 'string'
    ? value
    : typeof value === 'number' || typeof value === 'boolean'
      ? String(value)
      : '';
}

export function countOf(value: unknown): number {
  const number = Number(value);
  return Number.isFinite(number) && number > 0 ? number : 0;
}

/** An integer that may be written as a text, since it does not fit a double; null: it is none. */
export function integerOf(value: unknown): bigint | null {
  if (typeof value === 'number' && Number.isFinite(value)) return BigInt(Math.round(value));
  return typeof value === 'string' && /^-?\d{1,30}$/.test(value) ? BigInt(value) : null;
}

export function doubleOf(value: unknown): AttributeValue {
  const number = typeof value === 'number' ? value : Number(value);
  return { type: 'double', value: String(number) };
}

/** Lower-case hex. `bytes` is how many there should be; an id of that many bytes in base64 is turned into hex. */
export function idOf(value: unknown, bytes: number): string {
  const text = textOf(value).trim();
  if (/^[0-9a-f]+$/i.test(text) && text.length <= bytes * 2) return text.toLowerCase().padStart(bytes * 2, '0');
  if (/^[A-Za-z0-9+/_-]+={0,2}$/.test(text)) {
    try {
      const raw = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
      if (raw.length === bytes)
        return Array.from(raw, (byte) => byte.charCodeAt(0).toString(16).padStart(2, '0')).join('');
    } catch {
      // Not base64 either.
    }
  }
  return text;
}

/** An id; null where there is none: empty, or all zeros. */
export function idOrNull(value: unknown, bytes: number): string | null {
  const id = idOf(value, bytes);
  return id === '' || /^0+$/.test(id) ? null : id;
}
