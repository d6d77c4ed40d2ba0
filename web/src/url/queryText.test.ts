// Query text that the program writes: it must mean the value, whatever the value is.

import { expect, test } from 'vitest';
import {
  attributeField,
  printComparison,
  printQuery,
  quoteText,
  untypedComparison,
  withConjunct,
} from './queryText.ts';

test.each([
  ['', '""'],
  ['GET /cart', '"GET /cart"'],
  ['say "hi"', '"say \\"hi\\""'],
  ['C:\\temp', '"C:\\\\temp"'],
  ['a\nb\tc\r', '"a\\nb\\tc\\r"'],
  ['\u0000\u001b', '"\\u0000\\u001b"'],
  ['käse 漢 😀', '"käse 漢 😀"'],
  ['`raw`', '"`raw`"'],
])('the text %j is written %s', (text, literal) => {
  expect(quoteText(text)).toBe(literal);
});

test.each([
  ['http.status_code', '.http.status_code'],
  ["it's-a[0]:key/+*%", ".it's-a[0]:key/+*%"],
  ['http header', '."http header"'],
  ['a=b', '."a=b"'],
  ['a,b', '."a,b"'],
  ['say "hi"', '."say \\"hi\\""'],
  ['back\\slash', '."back\\\\slash"'],
  ['a//b', '."a//b"'],
  ['', '.""'],
])('the key %j is written %s', (key, field) => {
  expect(attributeField(key)).toBe(field);
});

test('a field of a scope has it before the dot', () => {
  expect(attributeField('service.name', 'resource')).toBe('resource.service.name');
  expect(attributeField('http header', 'span')).toBe('span."http header"');
});

test.each([
  ['500', '(.k = 500 || .k = "500")'],
  ['-5', '(.k = -5 || .k = "-5")'],
  ['0', '(.k = 0 || .k = "0")'],
  ['1.5', '(.k = 1.5 || .k = "1.5")'],
  ['true', '(.k = true || .k = "true")'],
  ['9223372036854775807', '(.k = 9223372036854775807 || .k = "9223372036854775807")'],
  // The text of no number, so only the text can be meant.
  ['9223372036854775808', '.k = "9223372036854775808"'],
  ['007', '.k = "007"'],
  ['-0', '.k = "-0"'],
  ['1.50', '.k = "1.50"'],
  ['1e3', '.k = "1e3"'],
  ['NaN', '.k = "NaN"'],
  ['True', '.k = "True"'],
  ['', '.k = ""'],
])('a value that reads %j is compared as %s', (value, text) => {
  expect(untypedComparison('k', value)).toBe(text);
});

test('a comparison of words and texts', () => {
  expect(printComparison({ field: 'status', op: '!=', value: { kind: 'word', word: 'error' } })).toBe(
    'status != error',
  );
  expect(printComparison({ field: '.a', op: '=~', value: { kind: 'text', text: 'x.*' } })).toBe('.a =~ "x.*"');
  expect(printQuery([])).toBe('');
  expect(printQuery(['a = 1', 'b = 2'])).toBe('{ a = 1 && b = 2 }');
});

test.each([
  ['', '{ .a = 1 }'],
  ['{}', '{ .a = 1 }'],
  ['{ .b = 2 }', '{ .b = 2 && .a = 1 }'],
  ['{.b = 2 || .c = 3}', '{ (.b = 2 || .c = 3) && .a = 1 }'],
  ['{ .b = "x || y" }', '{ .b = "x || y" && .a = 1 }'],
  ['{ .b = "a}b" && .c = `{` }', '{ .b = "a}b" && .c = `{` && .a = 1 }'],
  ['{ .b = 2 // two\n }', '{ (.b = 2 // two\n) && .a = 1 }'],
  ['{ .b = "open }', null],
  ['{ .b = 2 } | count() > 2', null],
  ['{ .b = 2 } >> { .c = 3 }', null],
  ['.b = 2', null],
])('%j and one condition more is %j', (query, text) => {
  expect(withConjunct(query, '.a = 1')).toBe(text);
});
