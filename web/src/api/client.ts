// Asking the server: one function a route, errors as values that a page can show.

import { text as words } from './text.ts';
import type { ApiErrorBody, Diagnostic } from './types.ts';

/** Why an answer is missing. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  constructor(
    message: string,
    /** 0: there was no answer at all. */
    readonly status: number,
    readonly hint: string | null = null,
    readonly diagnostics: readonly Diagnostic[] = [],
    /** The address that was asked, for who wants to try it by hand. */
    readonly url: string = '',
  ) {
    super(message);
  }
}

export type Query = Record<string, string | number | bigint | boolean | null | undefined | readonly string[]>;

/** The address of a route below `api/ui/v1`; what is empty is left out. */
export function urlOf(path: string, query: Query = {}): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value === null || value === undefined || value === '') continue;
    if (Array.isArray(value)) for (const one of value) params.append(key, one);
    else params.set(key, String(value));
  }
  const text = params.toString();
  const url = `api/ui/v1/${path}${text === '' ? '' : `?${text}`}`;
  return new URL(url, typeof document === 'undefined' ? 'http://localhost/' : document.baseURI).href;
}

/** Asks; a status of 400 and more, and no answer at all, are thrown. */
export async function ask(url: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError(words.noAnswer, 0, words.noAnswerHint, [], url);
  }
  if (response.ok) return response;
  throw await errorOf(response, url);
}

function isWebPage(text: string): boolean {
  return /^\s*<(?:!doctype|html|head|body)\b/i.test(text);
}

/** What was answered with success is not what was asked for. */
function oddAnswer(text: string, status: number, url: string): ApiError {
  const hint = isWebPage(text) ? words.notOurs : words.cutOff;
  return new ApiError(words.unreadable, status, hint, [], url);
}

async function jsonOf<T>(response: Response, url: string): Promise<T> {
  const text = await response.text();
  try {
    return JSON.parse(text) as T;
  } catch {
    throw oddAnswer(text, response.status, url);
  }
}

async function errorOf(response: Response, url: string): Promise<ApiError> {
  const text = await response.text().catch(() => '');
  try {
    const body = JSON.parse(text) as Partial<ApiErrorBody> & { errors?: { msg?: string }[] };
    if (body.error) {
      return new ApiError(body.error.message, response.status, body.error.hint, body.error.diagnostics, url);
    }
    const first = body.errors?.[0]?.msg;
    if (first !== undefined) return new ApiError(first, response.status, null, [], url);
  } catch {
    // Not ours: a proxy in between, perhaps.
  }
  if (isWebPage(text))
    return new ApiError(words.answeredOnly(response.status), response.status, words.notOurs, [], url);
  const what = text.trim().slice(0, 300) || response.statusText;
  return new ApiError(words.answered(response.status, what), response.status, null, [], url);
}

export async function getJson<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
  const url = urlOf(path, query);
  return jsonOf(await ask(url, signal ? { signal } : {}), url);
}

export async function postJson<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
  const url = urlOf(path);
  const response = await ask(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    ...(signal ? { signal } : {}),
  });
  return jsonOf(response, url);
}

async function* textLines(response: Response): AsyncGenerator<string> {
  if (!response.body) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const parts = (rest + value).split('\n');
      rest = parts.pop() ?? '';
      yield* parts;
    }
    yield rest;
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

function lineOf<T>(line: string, { status, url }: Response): T {
  try {
    return JSON.parse(line) as T;
  } catch {
    throw oddAnswer(line, status, url);
  }
}

/** The lines of a streamed answer, one value each. */
export async function* lines<T>(response: Response): AsyncGenerator<T> {
  for await (const line of textLines(response)) if (line.trim() !== '') yield lineOf<T>(line, response);
}

/** Server-sent events, one value each; the server writes the data of each on one line. */
export async function* events<T>(response: Response): AsyncGenerator<T> {
  const data = 'data: ';
  for await (const line of textLines(response)) {
    if (line.startsWith(data)) yield lineOf<T>(line.slice(data.length), response);
  }
}

/** The same question for a terminal. */
export function curlOf(url: string): string {
  return `curl '${url.replaceAll("'", "'\\''")}'`;
}
