// What a text in the global box may mean: an id, a link, a query, a service, a command. Pure; the box draws it.

import type { Command } from '../core/commands.ts';
import { overRange, placeOfQuery, placeOfService, placeOfTrace } from '../core/places.ts';
import { formatBytes } from '../format/number.ts';
import { parseTraceId } from '../url/ids.ts';
import { type ListedTrace, type Place, parsePasted, type TimeRange } from '../url/index.ts';
import { text } from './text.ts';

export type Goal = {
  readonly id: string;
  readonly title: string;
  readonly detail: string;
  readonly go: { readonly place: Place } | { readonly command: Command } | { readonly json: string };
};

const GOALS_MAX = 50;
/** Longer ones are taken for JSON by how they begin. */
const PARSED_CHARS_MAX = 100_000;

export type Known = {
  /** Whether traces may be opened from files, and so from what is pasted. */
  readonly takesFiles?: boolean;
  /** The range that goes along to what is about one. */
  readonly range?: TimeRange | null;
  readonly commands: readonly Command[];
  readonly services: readonly string[];
  readonly recent: readonly { readonly traceId: ListedTrace['traceId']; readonly title: string }[];
};

/** All letters of the wanted text in their order; the closer together, the better. Null when they are not. */
export function closeness(wanted: string, title: string): number | null {
  const lower = title.toLowerCase();
  const at = lower.indexOf(wanted);
  if (at >= 0) return at === 0 ? 0 : 1 + at / 1000;
  let from = -1;
  let gaps = 0;
  for (const char of wanted) {
    const next = lower.indexOf(char, from + 1);
    if (next < 0) return null;
    gaps += from < 0 ? 0 : next - from - 1;
    from = next;
  }
  return 10 + gaps;
}

function ranked<T>(items: readonly T[], wanted: string, title: (item: T) => string): T[] {
  const scored = items.map((item) => ({ item, score: closeness(wanted, title(item)) }));
  const found = scored.filter((one): one is { item: T; score: number } => one.score !== null);
  return found.sort((a, b) => a.score - b.score).map((one) => one.item);
}

function commandGoals(commands: readonly Command[], wanted: string): Goal[] {
  const shown = commands.filter((command) => command.isKeyOnly !== true);
  return ranked(shown, wanted, (command) => command.title).map((command) => ({
    id: `command ${command.id}`,
    title: command.title,
    detail: command.group,
    go: { command },
  }));
}

/** Queries begin with a brace, or hold a comparison. */
function isQuery(typed: string): boolean {
  return typed.startsWith('{') || /[=<>]|&&|\|\|/.test(typed);
}

/** A document, or one a line. A query begins with a brace as well. */
export function isJson(text: string): boolean {
  if (!/^\s*[[{]\s*["[{]/.test(text)) return false;
  if (text.length > PARSED_CHARS_MAX) return true;
  return [text, text.trim().split('\n', 1)[0] ?? ''].some((part) => {
    try {
      return typeof JSON.parse(part) === 'object';
    } catch {
      return false;
    }
  });
}

/** What a text may lead to, the likeliest first. */
export function goalsOf(typedText: string, known: Known): Goal[] {
  const typed = typedText.trim();
  if (typed.startsWith('>'))
    return commandGoals(known.commands, typed.slice(1).trim().toLowerCase()).slice(0, GOALS_MAX);
  if (typed === '') {
    return known.recent.map(({ traceId, title }) => ({
      id: `trace ${traceId}`,
      title,
      detail: text.groupRecent,
      go: { place: placeOfTrace(traceId) },
    }));
  }
  if (known.takesFiles === true && isJson(typed)) {
    const detail = formatBytes(typed.length);
    return [{ id: 'json', title: text.globalJson, detail, go: { json: typed } }];
  }
  const within = (place: Place): Place => (known.range ? overRange(place, known.range) : place);
  const goals: Goal[] = [];
  const pasted = parsePasted(typed);
  if (pasted) goals.push({ id: 'link', title: text.globalLink, detail: typed, go: { place: pasted.route } });
  const traceId = parseTraceId(typed);
  const isId = traceId !== null && /^[\da-f]{8,32}$|^[\w+/=-]{20,}$/i.test(typed);
  if (isId) {
    goals.push({ id: 'trace', title: text.globalTrace(typed), detail: '', go: { place: placeOfTrace(traceId) } });
  }
  if (isQuery(typed)) {
    const q = typed.startsWith('{') ? typed : `{ ${typed} }`;
    goals.push({ id: 'query', title: text.globalSearch(q), detail: '', go: { place: within(placeOfQuery(q)) } });
  }
  const wanted = typed.toLowerCase();
  for (const service of ranked(known.services, wanted, (name) => name).slice(0, 20)) {
    const go = { place: within(placeOfService(service)) };
    goals.push({ id: `service ${service}`, title: service, detail: text.groupServices, go });
  }
  goals.push(...commandGoals(known.commands, wanted));
  return goals.slice(0, GOALS_MAX);
}
