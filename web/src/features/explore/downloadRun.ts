// All matches of a search as a file: asks page after page, in the order of the list, and keeps what came as text.
//
// It goes on while the reader looks at something else. What breaks off can go on from the page where it did, or be
// saved as it is; the name of a file says when it is not all.

import { ApiError } from '../../api/client.ts';
import { pageRowsMax } from '../../core/boot.ts';
import { DOWNLOAD_ROWS_MAX } from './DownloadMenu.tsx';
import { type FileFormat, fileName, saveFile } from './download.ts';
import { type ResultRow, rowsOf } from './rows.ts';
import { readPage, type SearchAsked } from './searchPage.ts';

export type DownloadState = {
  readonly phase: 'running' | 'done' | 'failed' | 'cancelled';
  readonly rows: number;
  /** There are more matches than a file may hold. */
  readonly isCut: boolean;
  readonly error: ApiError | null;
  /** Parts of the store that were not read. */
  readonly skipped: readonly string[];
  /** Of the file, once it was saved. */
  readonly saved: string | null;
};

export class DownloadRun {
  readonly asked: SearchAsked;
  readonly format: FileFormat;
  readonly #changed: () => void;
  state: DownloadState = { phase: 'running', rows: 0, isCut: false, error: null, skipped: [], saved: null };
  #pieces: string[];
  /** Of the page that is being read; it is read anew when it breaks off. */
  #page: ResultRow[] = [];
  #rowsBefore = 0;
  #cursor: string | null = null;
  #abort = new AbortController();

  constructor(asked: SearchAsked, format: FileFormat, changed: () => void) {
    // A page is as large as the server allows, since there is nobody to show the first rows to.
    this.asked = { ...asked, limit: pageRowsMax };
    this.format = format;
    this.#changed = changed;
    this.#pieces = [format.head(asked.cols)];
    void this.#read();
  }

  cancel(): void {
    if (this.state.phase !== 'running') return;
    this.#abort.abort();
    this.#set({ phase: 'cancelled' });
  }

  /** Goes on where it broke off. */
  goOn(): void {
    if (this.state.phase !== 'failed' && this.state.phase !== 'cancelled') return;
    this.#abort = new AbortController();
    this.#page = [];
    this.#set({ phase: 'running', rows: this.#rowsBefore, error: null });
    void this.#read();
  }

  /** Saves what has come so far. */
  save(): void {
    const { phase, rows, isCut } = this.state;
    const part = isCut ? `first-${rows}` : phase === 'done' ? null : `incomplete-${rows}`;
    const name = fileName(this.asked.scope, this.format, part);
    saveFile([...this.#pieces, this.#text(this.#page)], name, this.format.type);
    this.#set({ saved: name });
  }

  #text(rows: readonly ResultRow[]): string {
    return this.format.body(rows, this.asked.cols);
  }

  async #read(): Promise<void> {
    const { signal } = this.#abort;
    try {
      do {
        const end = await readPage(this.asked, this.#cursor, {
          signal,
          onTraces: (traces) => {
            this.#page.push(...rowsOf(traces, this.asked.scope));
            this.#set({ rows: Math.min(DOWNLOAD_ROWS_MAX, this.#rowsBefore + this.#page.length) });
          },
        });
        const left = DOWNLOAD_ROWS_MAX - this.#rowsBefore;
        const isOver = this.#page.length > left;
        const rows = isOver ? this.#page.slice(0, left) : this.#page;
        this.#pieces.push(this.#text(rows));
        this.#rowsBefore += rows.length;
        this.#page = [];
        this.#cursor = end.cursor;
        const skipped = end.skipped.map(({ what, why }) => `${what} (${why})`);
        const isFull = this.#rowsBefore >= DOWNLOAD_ROWS_MAX;
        this.#set({
          rows: this.#rowsBefore,
          isCut: isOver || (isFull && end.cursor !== null),
          skipped: [...new Set([...this.state.skipped, ...skipped])],
        });
      } while (this.#cursor !== null && this.#rowsBefore < DOWNLOAD_ROWS_MAX);
      this.#set({ phase: 'done' });
      this.save();
    } catch (error) {
      if (signal.aborted) return;
      const told = error instanceof ApiError ? error : new ApiError(String(error), 0);
      this.#set({ phase: 'failed', error: told });
    }
  }

  #set(changes: Partial<DownloadState>): void {
    this.state = { ...this.state, ...changes };
    this.#changed();
  }
}

export { FORMATS } from './download.ts';

let run: DownloadRun | null = null;
const listeners = new Set<() => void>();
const tell = (): void => {
  for (const listener of listeners) listener();
};

/** One at a time. */
export const downloads = {
  start(asked: SearchAsked, format: FileFormat): void {
    if (run?.state.phase === 'running') return;
    run = new DownloadRun(asked, format, tell);
    tell();
  },
  dismiss(): void {
    run?.cancel();
    run = null;
    tell();
  },
  run: (): DownloadRun | null => run,
  /** A new object with each change. */
  state: (): DownloadState | null => run?.state ?? null,
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
};
