// What the page knows before it asks anything: the boot block of index.html, and the path that it is served below.

import * as v from 'valibot';
import type { Boot } from '../api/types.ts';

/** A link to another tool, as Jaeger's configuration has it: see features/trace/links. */
const LINK_PATTERN = v.object({
  type: v.string(),
  key: v.optional(v.union([v.string(), v.array(v.string())])),
  url: v.string(),
  text: v.string(),
});

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
  linkPatterns: v.fallback(v.array(LINK_PATTERN), []),
});

export type LinkPattern = v.InferOutput<typeof LINK_PATTERN>;

function read(): Boot & { linkPatterns: readonly LinkPattern[] } {
  const text = document.getElementById('boot')?.textContent ?? '{}';
  let given: unknown = {};
  try {
    given = JSON.parse(text);
  } catch {
    // A page that was saved or changed on its way still works with what is usual.
  }
  return v.parse(BOOT, given);
}

export const boot = read();

/** Without `/` at its end: empty at the root. */
export const basePath: string = boot.basePath.replace(/\/+$/, '');
