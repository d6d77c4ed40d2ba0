// The catalogue: plurals, numbers, a second language for texts that are there and for those that load later.

import { afterEach, expect, test } from 'vitest';
import { catalogue, currentLanguage, formatCount, list, plural, setLanguage } from './catalogue.ts';

afterEach(() => setLanguage('en'));

test('plural picks the form of the language and writes the number', () => {
  const forms = { one: '# span', other: '# spans' };
  expect(plural(1, forms)).toBe('1 span');
  expect(plural(0, forms)).toBe('0 spans');
  expect(plural(12_400, forms)).toBe('12,400 spans');
  setLanguage('pl');
  expect(plural(3, { one: '# ślad', few: '# ślady', many: '# śladów', other: '# śladu' })).toBe('3 ślady');
});

test('counts and lists follow the language', () => {
  expect(formatCount(1_234_567)).toBe('1,234,567');
  expect(list(['a', 'b', 'c'])).toBe('a, b, and c');
  setLanguage('de');
  expect(formatCount(1_234_567)).toBe('1.234.567');
  expect(currentLanguage()).toBe('de');
});

test('a translation reaches texts already named and texts named later; the rest stays English', () => {
  const early = catalogue('Early', { close: 'Close', open: 'Open' });
  setLanguage('de', { Early: { close: 'Schließen' }, Late: { go: (n: number) => `Los ${n}` } });
  const late = catalogue('Late', { go: (n: number) => `Go ${n}` });
  expect(early).toEqual({ close: 'Schließen', open: 'Open' });
  expect(late.go(2)).toBe('Los 2');
  setLanguage('en');
  expect(early.close).toBe('Close');
  expect(late.go(2)).toBe('Go 2');
});
