// Where a text stops being JSON: at the same texts as the browser's own reader, with a place that helps.

import { expect, test } from 'vitest';
import { jsonFault } from './jsonFault.ts';

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

test.each([
  ['', '1:1 it ends too early: was it cut off?'],
  ['no', '1:1 there is “n” where a value should be'],
  ['{"a": 1,\n "b": oops}', '2:7 there is “o” where a value should be'],
  ['{"a": 1\n "b": 2}', '2:2 there is “"” where a comma or } should be'],
  ['[1, 2', '1:6 it ends too early: was it cut off?'],
  ['["abc', '1:6 it ends within a text: was it cut off?'],
  ['{a: 1}', '1:2 there is “a” where a name in double quotes or } should be'],
  ['{"a" 1}', '1:6 there is “1” where a colon should be'],
  ['[1]]', '1:4 there is “]” where nothing more should be'],
  ['["a\nb"]', '1:4 there is a line break or control character within a text'],
  ['["\\x"]', '1:3 there is a backslash that stands for nothing'],
  ['\u0000\u0001', '1:1 there is a byte that is no text where a value should be'],
])('%j', (text, expected) => {
  const fault = jsonFault(text);
  expect(`${fault?.line}:${fault?.column} ${fault?.why}`).toBe(expected);
});

test('it agrees with the browser about what is JSON, whatever is broken', () => {
  const whole = JSON.stringify(
    { a: [1, -2.5e3, true, null, 'x"\\\u00e9\n', {}, []], b: { c: [[]], 'd e': 0 } },
    null,
    1,
  );
  expect(jsonFault(whole)).toBeNull();
  for (let at = 0; at < whole.length; at++) {
    for (const piece of ['', '"', '}', '[', ',', '1', ' ', '\\', 'e']) {
      const broken = whole.slice(0, at) + piece + whole.slice(at + 1);
      expect([broken, jsonFault(broken) === null]).toEqual([broken, isJson(broken)]);
    }
    expect(jsonFault(whole.slice(0, at)) === null).toBe(isJson(whole.slice(0, at)));
  }
});
