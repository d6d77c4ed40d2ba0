// What the page knows before it asks anything: the boot block of index.html, and the path that it is served below.

import * as v from 'valibot';
import type { Boot } from '../api/types.ts';

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

function read(): Boot {
  const text = document.getElementById('boot')?.textContent ?? '{}';
  let given: unknown = {};
  try {
    given = JSON.parse(text);
  } catch {
    // A page that was saved or changed on its way still works with what is usual.
  }
  return v.parse(BOOT, given);
}

export const boot: Boot = read();

/** Without `/` at its end: empty at the root. */
export const basePath: string = boot.basePath.replace(/\/+$/, '');
