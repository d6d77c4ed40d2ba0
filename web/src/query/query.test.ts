// What chips promise: they make the query they came from, turning one around twice is nothing, typed values get quotes.

import { expect, test } from 'vitest';
import type { Chip } from '../api/types.ts';
import { chipOf, conditionOf, deniedText, isExcluding, opposite, plusChip, queryOf, withoutChip } from './chips.ts';
import { fieldLabel, literalOf, valueLabel } from './fields.ts';
import { tokensOf } from './tokens.ts';

const text = (chip: string): Chip => ({ text: chip, comparison: null });
const status = chipOf({ field: 'status', op: '=', value: 'error' });

test('chips make a query; alternatives keep their brackets only beside others', () => {
  expect(queryOf([])).toBe('');
  expect(queryOf([status, text('.a || .b')])).toBe('{ status = error && (.a || .b) }');
  expect(queryOf([status, text('(.a || .b)')])).toBe('{ status = error && (.a || .b) }');
  expect(queryOf([status, text('(.a) || (.b)')])).toBe('{ status = error && ((.a) || (.b)) }');
  expect(queryOf([text('.a || .b')])).toBe('{ .a || .b }');
  expect(queryOf([status, text('.a =~ "x||y"')])).toBe('{ status = error && .a =~ "x||y" }');
});

test('the opposite of a field that each span has is !=, of others the denied comparison', () => {
  expect(opposite(status).text).toBe('status != error');
  expect(opposite(chipOf({ field: '.http.route', op: '=', value: '"/pay"' })).text).toBe('!(.http.route = "/pay")');
  expect(opposite(chipOf({ field: 'duration', op: '>', value: '1s' })).text).toBe('!(duration > 1s)');
  expect(conditionOf('resource.service.name', '"cart"', true).text).toBe('resource.service.name != "cart"');
  expect(conditionOf('.k', 'nil', true).text).toBe('.k != nil');
});

test('turning a chip around twice gives what it was', () => {
  for (const chip of [status, chipOf({ field: '.k', op: '=', value: '5' }), text('.a || .b'), text('.flag')]) {
    expect(isExcluding(opposite(chip))).toBe(true);
    expect(opposite(opposite(chip)).text).toBe(chip.text);
  }
});

test('only a denial of all of it is one', () => {
  expect(deniedText('!(.a = 1)')).toBe('.a = 1');
  expect(deniedText('!(.a) && (.b)')).toBeNull();
  expect(deniedText('!.a')).toBeNull();
});

test('a condition stands once, and replaces its opposite', () => {
  const out = conditionOf('.k', '"v"', true);
  const once = plusChip([status, out], conditionOf('.k', '"v"'));
  expect(queryOf(once)).toBe('{ status = error && .k = "v" }');
  expect(plusChip(once, status).map((chip) => chip.text)).toEqual(['.k = "v"', 'status = error']);
  expect(queryOf(withoutChip(once, 0))).toBe('{ .k = "v" }');
});

test('what is typed as a value becomes a literal of the type of its field', () => {
  expect(literalOf('name', '=', 'GET /')).toBe('"GET /"');
  expect(literalOf('name', '=', '500')).toBe('"500"');
  expect(literalOf('.code', '=', '500')).toBe('500');
  expect(literalOf('.code', '=~', '5..')).toBe('"5.."');
  expect(literalOf('.code', '=', '"500"')).toBe('"500"');
  expect(literalOf('duration', '>', ' 1.5 s ')).toBe('1.5s');
  expect(literalOf('status', '=', 'error')).toBe('error');
  expect(literalOf('.flag', '=', 'true')).toBe('true');
  expect(literalOf('.x', '=', 'say "hi"')).toBe('"say \\"hi\\""');
});

test('labels are short and never unclear', () => {
  expect(fieldLabel('resource.service.name')).toBe('service');
  expect(fieldLabel('.http.route')).toBe('http.route');
  expect(fieldLabel('span.http.route')).toBe('http.route');
  expect(fieldLabel('resource.k8s.pod')).toBe('resource.k8s.pod');
  expect(valueLabel('"cart"')).toBe('cart');
  expect(valueLabel('""')).toBe('""');
  expect(valueLabel('"a\\"b"')).toBe('"a\\"b"');
  expect(valueLabel('" a"')).toBe('" a"');
});

test('text is split for colouring, whatever it is', () => {
  const query = '{ span."http header".x =~ "a\\"}" && duration >= 1m30s && status = error /* so */ }';
  const found = tokensOf(query).map(({ kind, from, to }) => `${kind} ${query.slice(from, to)}`);
  expect(found).toEqual([
    'bracket {',
    'field span."http header".x',
    'operator =~',
    'text "a\\"}"',
    'operator &&',
    'field duration',
    'operator >=',
    'number 1m30s',
    'operator &&',
    'field status',
    'operator =',
    'word error',
    'comment /* so */',
    'bracket }',
  ]);
  for (const broken of ['"', '`', '/*', '\\', '.', '"\\', '𝒳', ',', '1.', '&'])
    expect(tokensOf(broken).length).toBeLessThan(3);
});
