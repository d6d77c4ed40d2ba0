// The trace worker as promises, for the page.
//
// Rejections are `TraceError` with the server's words, or the signal's reason when the caller gave up.

import type { SpanDetails } from '../api/types.ts';
import type { Bits } from '../model/bits.ts';
import type { TraceColumns } from '../model/columns.ts';
import type { DiffInput, TraceDiff } from '../model/diff.ts';
import type { FileSought } from '../model/fileQuery.ts';
import type { FieldValues, StatInput, StatRow } from '../model/stats.ts';
import type {
  CallName,
  Calls,
  FieldKey,
  FileProgress,
  OpenedFile,
  OpenedTrace,
  Request,
  Response,
  StatKeys,
} from './messages.ts';

export class TraceError extends Error {
  override readonly name = 'TraceError';
  readonly hint: string | null;

  constructor(message: string, hint: string | null) {
    super(message);
    this.hint = hint;
  }
}

/** Where requests go: a worker, or an engine in the same thread. */
export interface Port {
  post(request: Request): void;
  listen(onResponse: (response: Response) => void, onBroken: (why: string) => void): void;
  close(): void;
}

interface Waiting {
  readonly resolve: (answer: Calls[CallName]['answer']) => void;
  readonly reject: (why: unknown) => void;
  readonly onPartial: ((columns: TraceColumns) => void) | null;
  readonly onProgress: ((progress: FileProgress) => void) | null;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
}
export interface FileOptions extends CallOptions {
  readonly onProgress?: (progress: FileProgress) => void;
}
export interface OpenOptions extends CallOptions {
  /** Gets the rows that are there while others are on their way. */
  readonly onPartial?: (columns: TraceColumns) => void;
}

export class TraceClient {
  readonly #port: Port;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;

  constructor(port: Port) {
    this.#port = port;
    port.listen(
      (response) => this.#receive(response),
      (why) => this.#fail(why),
    );
  }

  open(url: string, options: OpenOptions = {}): Promise<OpenedTrace> {
    return this.#call('open', { url }, options);
  }

  openFile(name: string, file: Blob, options: FileOptions = {}): Promise<OpenedFile> {
    return this.#call('openFile', { name, file }, options);
  }

  details(file: number, trace: number, rows: readonly number[], options: CallOptions = {}): Promise<SpanDetails[]> {
    return this.#call('details', { file, trace, rows }, options);
  }

  /** The rows of a file's trace with what is looked for. */
  find(file: number, trace: number, sought: FileSought, options: CallOptions = {}): Promise<Uint32Array> {
    return this.#call('find', { file, trace, sought }, options);
  }

  column(file: number, trace: number, field: string, options: CallOptions = {}): Promise<FieldValues> {
    return this.#call('column', { file, trace, field }, options);
  }

  keys(file: number, trace: number, options: CallOptions = {}): Promise<FieldKey[]> {
    return this.#call('keys', { file, trace }, options);
  }

  async closeFile(file: number): Promise<void> {
    await this.#call('closeFile', { file }, {});
  }

  async stats(
    columns: TraceColumns,
    keys: StatKeys,
    rows: Bits | null = null,
    options: CallOptions = {},
  ): Promise<StatRow[]> {
    const { count, depth, dur, self, services, service, names, name, kind, status, flags } = columns;
    const input: StatInput = { count, depth, dur, self, services, service, names, name, kind, status, flags };
    return this.#call('stats', { columns: input, keys, rows: rows?.words ?? null }, options);
  }

  async diff(a: TraceColumns, b: TraceColumns, options: CallOptions = {}): Promise<TraceDiff> {
    return this.#call('diff', { a: diffInput(a), b: diffInput(b) }, options);
  }

  close(): void {
    this.#port.close();
    this.#fail('the trace was closed');
  }

  #call<N extends CallName>(
    call: N,
    ask: Calls[N]['ask'],
    options: OpenOptions & FileOptions,
  ): Promise<Calls[N]['answer']> {
    const { signal, onPartial, onProgress } = options;
    if (signal?.aborted) return Promise.reject(signal.reason);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        this.#waiting.delete(id);
        this.#port.post({ id, call: 'cancel' });
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', giveUp, { once: true });
      const done = (): void => signal?.removeEventListener('abort', giveUp);
      this.#waiting.set(id, {
        resolve: (answer) => {
          done();
          // A request is answered by what belongs to its kind: engine and types say so.
          resolve(answer as Calls[N]['answer']);
        },
        reject: (why) => {
          done();
          reject(why);
        },
        onPartial: onPartial ?? null,
        onProgress: onProgress ?? null,
      });
      this.#port.post({ id, call, ask } as Request);
    });
  }

  #receive(response: Response): void {
    const waiting = this.#waiting.get(response.id);
    if (waiting === undefined) return;
    if (response.type === 'partial') {
      waiting.onPartial?.(response.columns);
      return;
    }
    if (response.type === 'progress') {
      waiting.onProgress?.(response.progress);
      return;
    }
    this.#waiting.delete(response.id);
    if (response.type === 'done') waiting.resolve(response.answer);
    else waiting.reject(new TraceError(response.message, response.hint));
  }

  #fail(why: string): void {
    for (const waiting of this.#waiting.values()) waiting.reject(new TraceError(why, null));
    this.#waiting.clear();
  }
}

function diffInput(trace: TraceColumns): DiffInput {
  const { count, durationNs, depth, subtree, dur, self, services, service, names, name } = trace;
  return { count, durationNs, depth, subtree, dur, self, services, service, names, name };
}

export function startTraceWorker(): TraceClient {
  const worker = new Worker(new URL('./traceWorker.ts', import.meta.url), { type: 'module', name: 'trace' });
  return new TraceClient({
    post: (request) => worker.postMessage(request),
    listen: (onResponse, onBroken) => {
      worker.addEventListener('message', (event: MessageEvent<Response>) => onResponse(event.data));
      worker.addEventListener('error', (event) => onBroken(event.message || 'the trace worker could not start'));
    },
    close: () => worker.terminate(),
  });
}
