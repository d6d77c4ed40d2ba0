// What the page knows before it asks anything: the boot block of index.html, and the path that it is served below.

import * as v from 'valibot';
import type { Boot } from '../api/types.ts';
import { setUsualSearchRange } from '../url/search.ts';
import { lastNs } from '../url/timeRange.ts';

const TEXT_OR_NULL = v.nullable(v.string());
const LINK_TYPE = v.picklist(['resource', 'attributes', 'events', 'traces']);
const BOOT = v.object({
  version: v.fallback(v.string(), ''),
  basePath: v.fallback(v.string(), '/'),
  receivers: v.fallback(v.array(v.object({ protocol: v.string(), address: v.string() })), []),
  capabilities: v.fallback(v.object({ archive: v.boolean(), testTrace: v.boolean(), tail: v.boolean() }), {
    archive: false,
    testTrace: false,
    tail: false,
  }),
  limits: v.fallback(v.object({ pageTracesMax: v.number(), queryBytesMax: v.number() }), {
    pageTracesMax: 1000,
    queryBytesMax: 131072,
  }),
  // What a UI configuration of Jaeger says; none by default.
  links: v.fallback(v.array(v.object({ type: LINK_TYPE, key: TEXT_OR_NULL, url: v.string(), text: v.string() })), []),
  menu: v.fallback(v.array(v.object({ label: v.string(), url: v.string() })), []),
  pinnedPrefixes: v.fallback(v.array(v.string()), []),
  searchLimitMax: v.fallback(v.nullable(v.number()), null),
  searchLookbackMax: v.fallback(TEXT_OR_NULL, null),
  searchLookback: v.fallback(TEXT_OR_NULL, null),
  traceIdDigits: v.fallback(v.nullable(v.number()), null),
  isThemeFixed: v.fallback(v.boolean(), false),
  isFileUploadOff: v.fallback(v.boolean(), false),
  isJsonViewOff: v.fallback(v.boolean(), false),
  ignoredConfig: v.fallback(v.array(v.string()), []),
});

/** Where values lead: `linkPatterns` of a ui-config.json, as the server passes them on. */
const LINK = v.object({
  type: v.fallback(v.string(), ''),
  key: v.fallback(v.nullable(v.string()), null),
  url: v.string(),
  text: v.fallback(v.string(), ''),
});
/** What came with a later version, or not at all, is left out and nothing else is lost by it. */
const CONFIGURED = v.object({
  links: v.fallback(v.array(v.nullable(v.fallback(v.nullable(LINK), null))), []),
  ignoredConfig: v.fallback(
    v.array(
      v.union([
        v.string(),
        v.pipe(
          v.object({ key: v.string() }),
          v.transform(({ key }) => key),
        ),
      ]),
    ),
    [],
  ),
});

export type LinkTemplate = v.InferOutput<typeof LINK>;
export type Configured = { readonly links: readonly LinkTemplate[]; readonly ignoredConfig: readonly string[] };

function given(): unknown {
  const text = document.getElementById('boot')?.textContent ?? '{}';
  try {
    return JSON.parse(text);
  } catch {
    // A page that was saved or changed on its way still works with what is usual.
    return {};
  }
}

function configuredOf(block: unknown): Configured {
  const { links, ignoredConfig } = v.parse(CONFIGURED, block);
  return { links: links.filter((link) => link !== null), ignoredConfig };
}

const block = given();

export const boot: Boot = v.parse(BOOT, block);

/** What a ui-config.json says, as far as it has a meaning here. */
export const configured: Configured = configuredOf(block);

if (boot.searchLookback !== null) setUsualSearchRange(boot.searchLookback);

/** The most rows that a page of a search may have. */
export const pageRowsMax: number = Math.min(boot.limits.pageTracesMax, boot.searchLimitMax ?? Number.POSITIVE_INFINITY);

/** Whether a search may look so far back. */
export function mayLookBack(last: string): boolean {
  return boot.searchLookbackMax === null || lastNs(last) <= lastNs(boot.searchLookbackMax);
}

/** Without `/` at its end: empty at the root. */
export const basePath: string = boot.basePath.replace(/\/+$/, '');
