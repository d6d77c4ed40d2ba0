// What the trace worker does, without the worker: tests run it as it is.
//
// It decodes, builds the index of the flame view, reads files, and computes what takes longer than a frame. It owns no
// trace: columns and index are moved to the page (`traceWorker.ts` transfers their memory), because a frame cannot wait
// for an answer and two copies would cost more than the 64 bytes a span that are allowed. The page paints rows and
// flames from them; what is asked here brings the columns it needs, as copies that live as long as the request. Only
// the details of opened files stay here, since the page wants them one at a time.

import type { ApiErrorBody, SpanDetails } from '../api/types.ts';
import { buildFlameIndex } from '../canvas/flameIndex.ts';
import { rowsOf } from '../model/attributeTests.ts';
import { Bits } from '../model/bits.ts';
import type { TraceColumns } from '../model/columns.ts';
import { decodeProgressively } from '../model/decode.ts';
import { diffTraces } from '../model/diff.ts';
import { columnOfFile, keysOfFile } from '../model/fileColumn.ts';
import { readTraceFile } from '../model/files.ts';
import { groupStats } from '../model/stats.ts';
import type { CallName, Calls, FileProgress, OpenedFile, OpenedTrace, Request, Response } from './messages.ts';
import { readText } from './readText.ts';

/** The columns so far are shown each time there are this many times as many as when they were shown last. */
const PARTIAL_FACTOR = 4;

export class AnswerError extends Error {
  override readonly name = 'AnswerError';
  readonly hint: string | null;

  constructor(message: string, hint: string | null) {
    super(message);
    this.hint = hint;
  }
}

export class TraceEngine {
  readonly #post: (response: Response) => void;
  readonly #fetch: typeof fetch;
  readonly #running = new Map<number, AbortController>();
  readonly #files = new Map<number, readonly (readonly SpanDetails[])[]>();
  #nextFile = 1;

  constructor(post: (response: Response) => void, fetcher: typeof fetch = fetch) {
    this.#post = post;
    // Called on its own: `fetch` refuses to be a method of anything but the global object.
    this.#fetch = (input, init) => fetcher(input, init);
  }

  async handle(request: Request): Promise<void> {
    const { id } = request;
    if (request.call === 'cancel') {
      this.#running.get(id)?.abort();
      return;
    }
    const abort = new AbortController();
    this.#running.set(id, abort);
    try {
      const answer = await this.#answer(request, abort.signal);
      if (!abort.signal.aborted) this.#post({ id, type: 'done', answer });
    } catch (cause) {
      if (!abort.signal.aborted) {
        const message = cause instanceof Error ? cause.message : String(cause);
        this.#post({ id, type: 'failed', message, hint: cause instanceof AnswerError ? cause.hint : null });
      }
    } finally {
      this.#running.delete(id);
    }
  }

  async #answer(
    request: Exclude<Request, { call: 'cancel' }>,
    signal: AbortSignal,
  ): Promise<Calls[CallName]['answer']> {
    switch (request.call) {
      case 'open':
        return this.#open(request.id, request.ask.url, signal);
      case 'openFile':
        return this.#openFile(request.id, request.ask, signal);
      case 'details': {
        const { file, trace, rows } = request.ask;
        const details = this.#detailsOf(file, trace);
        return rows.map((row) => details[row]).filter((one) => one !== undefined);
      }
      case 'find': {
        const { file, trace, sought } = request.ask;
        return rowsOf(this.#detailsOf(file, trace), sought);
      }
      case 'column':
        return columnOfFile(this.#detailsOf(request.ask.file, request.ask.trace), request.ask.field);
      case 'keys':
        return keysOfFile(this.#detailsOf(request.ask.file, request.ask.trace));
      case 'closeFile':
        this.#files.delete(request.ask.file);
        return null;
      case 'stats': {
        const { columns, keys, rows } = request.ask;
        return groupStats(columns, keys, rows === null ? null : new Bits(columns.count, rows));
      }
      case 'diff':
        return diffTraces(request.ask.a, request.ask.b);
    }
  }

  async #open(id: number, url: string, signal: AbortSignal): Promise<OpenedTrace> {
    const answer = await this.#fetch(url, { signal, headers: { Accept: 'application/vnd.apache.arrow.stream' } });
    if (!answer.ok || answer.body === null) throw await refusal(answer);
    let due = 1;
    for await (const { columns, isLast } of decodeProgressively(answer.body)) {
      if (isLast) return opened(columns);
      if (columns.count < due) continue;
      due = columns.count * PARTIAL_FACTOR;
      // Copies: more rows are still written behind these.
      this.#post({ id, type: 'partial', columns: copied(columns) });
    }
    throw new AnswerError('the trace ended before it began', null);
  }

  #detailsOf(file: number, trace: number): readonly SpanDetails[] {
    const details = this.#files.get(file)?.[trace];
    if (details === undefined) throw new AnswerError('the file is no longer open', 'Open it again.');
    return details;
  }

  async #openFile(id: number, ask: Calls['openFile']['ask'], signal: AbortSignal): Promise<OpenedFile> {
    const onProgress = (progress: FileProgress): void => this.#post({ id, type: 'progress', progress });
    const text = await readText(ask.file, { signal, onProgress });
    const { traces, skipped } = readTraceFile(text, ask.name);
    signal.throwIfAborted();
    const file = this.#nextFile++;
    this.#files.set(
      file,
      traces.map((trace) => trace.details),
    );
    return { file, traces: traces.map((trace) => opened(trace.columns)), skipped };
  }
}

function opened(columns: TraceColumns): OpenedTrace {
  return { columns, flame: buildFlameIndex(columns) };
}

/** The same with memory of its own, which can be moved while the original is still filled. */
function copied(columns: TraceColumns): TraceColumns {
  const { critical } = columns;
  const own = Object.entries(columns).map(([key, value]) => [
    key,
    ArrayBuffer.isView(value) ? (value as Uint8Array).slice() : value,
  ]);
  return {
    ...(Object.fromEntries(own) as TraceColumns),
    critical: { row: critical.row.slice(), from: critical.from.slice(), to: critical.to.slice() },
  };
}

async function refusal(answer: globalThis.Response): Promise<AnswerError> {
  const text = await answer.text().catch(() => '');
  try {
    const { error } = JSON.parse(text) as ApiErrorBody;
    if (typeof error.message === 'string') return new AnswerError(error.message, error.hint ?? null);
  } catch {
    // Not from our server: a proxy, or a login page.
  }
  return new AnswerError(`the server answered ${answer.status} ${answer.statusText}`.trim(), null);
}
