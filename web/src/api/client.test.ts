// Answers that are not ours: a proxy's error, a login instead of an answer, lines that are cut off.

import { afterEach, expect, test, vi } from 'vitest';
import { setLanguage } from '../i18n/catalogue.ts';
import { type ApiError, ask, getJson, lines } from './client.ts';

afterEach(() => {
  setLanguage('en');
  vi.unstubAllGlobals();
});

const answer = (body: string, status = 200) => vi.stubGlobal('fetch', async () => new Response(body, { status }));
const failure = (asked: Promise<unknown>) =>
  asked.then(
    () => null,
    (error: ApiError) => ({ name: error.name, message: error.message, hint: error.hint, status: error.status }),
  );

test('an error of ours is told in its words, another one by its status, a web page as what it is', async () => {
  answer('{"error":{"message":"too busy","hint":"wait","diagnostics":[]}}', 503);
  expect(await failure(getJson('status'))).toMatchObject({ message: 'too busy', hint: 'wait', status: 503 });
  answer('upstream timed out', 504);
  expect(await failure(getJson('status'))).toMatchObject({ message: 'The server answered 504: upstream timed out' });
  answer('<!doctype html><html><h1>429 Too Many Requests</h1></html>', 429);
  const told = await failure(getJson('status'));
  expect(told).toMatchObject({ message: 'The server answered 429.', status: 429 });
  expect(told?.hint).toMatch(/a proxy or a login/);
});

test('success with something else is an error as well', async () => {
  answer('<html><form>Log in</form></html>');
  expect(await failure(getJson('status'))).toMatchObject({
    name: 'ApiError',
    message: 'The answer could not be read.',
  });
  answer('{"a":1}\n{"a"');
  const read: unknown[] = [];
  const reading = async () => {
    for await (const line of lines(await ask('http://x/'))) read.push(line);
  };
  expect(await failure(reading())).toMatchObject({ name: 'ApiError', message: 'The answer could not be read.' });
  expect(read).toEqual([{ a: 1 }]);
});

test('no answer at all, and one that is not ours', async () => {
  setLanguage('de', { api: { noAnswer: 'Der Server antwortet nicht.', answered: (n: number) => `Antwort ${n}` } });
  vi.stubGlobal('fetch', async () => Promise.reject(new TypeError('no route')));
  await expect(ask('/x')).rejects.toMatchObject({ message: 'Der Server antwortet nicht.', status: 0 });
  vi.stubGlobal('fetch', async () => new Response('gone', { status: 502 }));
  await expect(ask('/x')).rejects.toMatchObject({ message: 'Antwort 502', status: 502 });
});
