// What a link template does with a value before it is filled in: `#{startTime | add -1 | epoch_micros_to_date_iso}`.
// Jaeger has three such transforms; as there, one that is unknown, or does not fit its value, leaves the value alone.

import type { LinkTemplate } from './boot.ts';

type Transform = { readonly name: string; readonly args: readonly string[] };
export type Placeholder = { readonly key: string; readonly transforms: readonly Transform[] };

const PLACEHOLDER = /#\{([^}]+)\}/g;
/** No link needs more. */
const PAD_MAX = 1_000;

function numberOf(text: string | undefined): number | null {
  const number = text === undefined || text.trim() === '' ? Number.NaN : Number(text);
  return Number.isFinite(number) ? number : null;
}

const TRANSFORMS: Readonly<Record<string, (value: string, ...args: readonly string[]) => string>> = {
  epoch_micros_to_date_iso: (value) => {
    const micros = numberOf(value);
    const date = new Date(micros === null ? Number.NaN : micros / 1_000);
    return Number.isNaN(date.getTime()) ? value : date.toISOString();
  },
  pad_start: (value, length, pad) => {
    const wanted = numberOf(length);
    return wanted === null ? value : value.padStart(Math.min(PAD_MAX, wanted), pad);
  },
  add: (value, offset) => {
    const [number, by] = [numberOf(value), numberOf(offset)];
    return number === null || by === null ? value : String(number + by);
  },
};

function placeholderOf(inner: string): Placeholder {
  const [key = '', ...transforms] = inner.split('|').map((part) => part.trim());
  return {
    key,
    transforms: transforms.map((transform) => {
      const [name = '', ...args] = transform.split(/\s+/);
      return { name, args };
    }),
  };
}

/** The template with its places filled in. */
export function fillPlaceholders(template: string, valueFor: (placeholder: Placeholder) => string): string {
  return template.replace(PLACEHOLDER, (_, inner: string) => valueFor(placeholderOf(inner)));
}

export function transformed(value: string, transforms: readonly Transform[]): string {
  return transforms.reduce((now, { name, args }) => {
    return Object.hasOwn(TRANSFORMS, name) ? (TRANSFORMS[name]?.(now, ...args) ?? now) : now;
  }, value);
}

/** Transforms of templates that are none: where they stand, once each. */
export function unknownTransforms(links: readonly LinkTemplate[]): { name: string; url: string }[] {
  const found = new Map<string, { name: string; url: string }>();
  for (const { url, text } of links) {
    for (const template of [url, text]) {
      for (const [, inner = ''] of template.matchAll(PLACEHOLDER)) {
        for (const { name } of placeholderOf(inner).transforms)
          if (!Object.hasOwn(TRANSFORMS, name)) found.set(`${name} ${url}`, { name, url });
      }
    }
  }
  return [...found.values()];
}
