// Why an answer is missing is told in the language of the reader.

import { afterEach, expect, test, vi } from 'vitest';
import { setLanguage } from '../i18n/catalogue.ts';
import { ask } from './client.ts';

afterEach(() => {
  setLanguage('en');
  vi.unstubAllGlobals();
});

test('no answer at all, and one that is not ours', async () => {
  setLanguage('de', { api: { noAnswer: 'Der Server antwortet nicht.', answered: (n: number) => `Antwort ${n}` } });
  vi.stubGlobal('fetch', async () => Promise.reject(new TypeError('no route')));
  await expect(ask('/x')).rejects.toMatchObject({ message: 'Der Server antwortet nicht.', status: 0 });
  vi.stubGlobal('fetch', async () => new Response('gone', { status: 502 }));
  await expect(ask('/x')).rejects.toMatchObject({ message: 'Antwort 502', status: 502 });
});
