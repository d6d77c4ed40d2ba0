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
  const what = text.trim().slice(0, 300) || response.statusText;
  return new ApiError(words.answered(response.status, what), response.status, null, [], url);
}

export async function getJson<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
  const response = await ask(urlOf(path, query), signal ? { signal } : {});
  return (await response.json()) as T;
}

export async function postJson<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
  const response = await ask(urlOf(path), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    ...(signal ? { signal } : {}),
  });
  return (await response.json()) as T;
}

/** The lines of a streamed answer, one value each. */
export async function* lines<T>(response: Response): AsyncGenerator<T> {
  if (!response.body) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const parts = (rest + value).split('\n');
      rest = parts.pop() ?? '';
      for (const part of parts) if (part !== '') yield JSON.parse(part) as T;
    }
    if (rest.trim() !== '') yield JSON.parse(rest) as T;
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

/** The same question for a terminal. */
export function curlOf(url: string): string {
  return `curl '${url.replaceAll("'", "'\\''")}'`;
}
