// Chips and text are two views of one query. The server reads text into chips; here chips become text again when one is
// added, changed, turned around or removed.

import type { Chip, Comparison } from '../api/types.ts';
import { printQuery } from '../url/queryText.ts';
import { isAlwaysThere } from './fields.ts';

const OPPOSITE: Readonly<Record<string, string>> = { '=': '!=', '!=': '=', '=~': '!~', '!~': '=~' };

/** `field op value`, or the field alone. */
export function comparisonText({ field, op, value }: Comparison): string {
  return value === '' ? field : `${field} ${op} ${value}`;
}

export function chipOf(comparison: Comparison): Chip {
  return { text: comparisonText(comparison), comparison };
}

/** The query of these chips. An alternative keeps its brackets: `&&` and `||` bind alike. */
export function queryOf(chips: readonly Chip[]): string {
  const texts = chips.map(({ text, comparison }) => {
    if (comparison !== null || chips.length === 1 || !withoutTexts(text).includes('||') || isBracketed(text))
      return text;
    return `(${text})`;
  });
  return printQuery(texts);
}

/** What a chip denies, without the denial; null where it denies nothing. */
export function deniedText(text: string): string | null {
  if (!text.startsWith('!')) return null;
  const rest = text.slice(1).trim();
  return isBracketed(rest) ? rest.slice(1, -1).trim() : null;
}

export function isExcluding(chip: Chip): boolean {
  return chip.comparison !== null ? ['!=', '!~'].includes(chip.comparison.op) : deniedText(chip.text) !== null;
}

/**
 * The opposite of a chip. Fields that every span has are compared with `!=`; of others `!=` would leave out the spans
 * without a value too, so the whole comparison is denied.
 */
export function opposite(chip: Chip): Chip {
  const { comparison, text } = chip;
  if (comparison !== null) {
    const op = OPPOSITE[comparison.op];
    const isPlain = comparison.op.startsWith('!') || isAlwaysThere(comparison.field) || comparison.value === 'nil';
    if (op !== undefined && isPlain) return chipOf({ ...comparison, op });
    return { text: `!(${text})`, comparison: null };
  }
  const denied = deniedText(text);
  return { text: denied ?? `!(${text})`, comparison: null };
}

/** The condition that a value is so, or is not. */
export function conditionOf(field: string, literal: string, isExcluded = false): Chip {
  const chip = chipOf({ field, op: '=', value: literal });
  return isExcluded ? opposite(chip) : chip;
}

export function withoutChip(chips: readonly Chip[], at: number): Chip[] {
  return chips.filter((_, i) => i !== at);
}

export function withChip(chips: readonly Chip[], at: number, chip: Chip): Chip[] {
  return chips.map((other, i) => (i === at ? chip : other));
}

/** With one more at the end. What is there already stays once, and what said the opposite goes. */
export function plusChip(chips: readonly Chip[], chip: Chip): Chip[] {
  const denied = opposite(chip).text;
  return [...chips.filter(({ text }) => text !== chip.text && text !== denied), chip];
}

function withoutTexts(text: string): string {
  return text.replace(/"(?:[^"\\]|\\.)*"|`[^`]*`/gs, '""');
}

/** Whether one pair of brackets holds all of it: `(a) || (b)` is not so. */
function isBracketed(text: string): boolean {
  const bare = withoutTexts(text);
  if (!bare.startsWith('(') || !bare.endsWith(')')) return false;
  let depth = 0;
  for (let i = 0; i < bare.length; i += 1) {
    if (bare[i] === '(') depth += 1;
    if (bare[i] === ')') depth -= 1;
    if (depth === 0 && i < bare.length - 1) return false;
  }
  return depth === 0;
}
