import { describe, expect, it } from 'vitest';
import { encodeTrace, generateTrace } from '../../perf/generate.ts';
import type { TraceColumns } from '../model/columns.ts';
import { TraceError } from './client.ts';
import { startHere } from './here.ts';

function serve(body: Uint8Array, pieceBytes: number, status = 200): typeof fetch {
  return async (_, init) => {
    const stream = new ReadableStream<Uint8Array>({
      async pull(controller) {
        if (init?.signal?.aborted) controller.error(init.signal.reason);
        else if (at >= body.length) controller.close();
        else controller.enqueue(body.slice(at, at + pieceBytes));
        at += pieceBytes;
      },
    });
    let at = 0;
    return new Response(stream, { status });
  };
}

describe('the trace client', () => {
  it('opens a trace: growing columns first, then all of it with its index', async () => {
    const trace = generateTrace(70_000);
    const client = startHere(serve(encodeTrace(trace), 200_000));
    const partial: TraceColumns[] = [];
    const { columns, flame } = await client.open('/skeleton', { onPartial: (some) => partial.push(some) });
    expect(partial.map((some) => some.count)).toEqual([16_384, 65_536]);
    expect(partial[0]?.start).toEqual(trace.start.subarray(0, 16_384));
    expect(columns.count).toBe(70_000);
    expect(columns.start).toEqual(trace.start);
    expect(flame.rows.length).toBe(70_000);
    // Each column has memory of its own, as much as it needs: at most 64 bytes a span with the index.
    const bytes = [
      ...Object.values(columns),
      flame.rows,
      ...flame.levels.flatMap((level) => [level.worst, level.latestEnd]),
    ].reduce<number>((sum, column) => sum + (ArrayBuffer.isView(column) ? column.buffer.byteLength : 0), 0);
    expect(bytes / 70_000).toBeLessThan(62);
  });

  it('opens a trace that comes in one piece, showing it twice', async () => {
    const trace = generateTrace(500);
    const partial: TraceColumns[] = [];
    const { columns } = await startHere(serve(encodeTrace(trace), 1e9)).open('/skeleton', {
      onPartial: (some) => partial.push(some),
    });
    expect(partial.map((some) => some.critical)).toEqual([trace.critical]);
    expect(columns.critical).toEqual(trace.critical);
  });

  it('computes statistics and differences the same here and there', async () => {
    const client = startHere();
    const small = generateTrace(100);
    const large = generateTrace(40_000);
    expect((await client.stats(large, ['service'])).reduce((sum, row) => sum + row.count, 0)).toBe(40_000);
    expect((await client.stats(small, ['service'])).reduce((sum, row) => sum + row.count, 0)).toBe(100);
    expect((await client.diff(large, large)).causes).toEqual([]);
    expect((await client.diff(small, small)).causes).toEqual([]);
    expect(large.start.length).toBe(40_000);
  });

  it('opens a file and answers for its spans until it is closed', async () => {
    const client = startHere();
    const json = {
      resourceSpans: [
        {
          scopeSpans: [
            {
              spans: [
                {
                  traceId: 'a'.repeat(32),
                  spanId: 'b'.repeat(16),
                  name: 'x',
                  startTimeUnixNano: '5',
                  endTimeUnixNano: '9',
                },
              ],
            },
          ],
        },
      ],
    };
    const opened = await client.openFile('t.json', new Blob([JSON.stringify(json)]));
    expect(opened.traces[0]?.columns.count).toBe(1);
    expect(await client.details(opened.file, 0, [0, 7])).toMatchObject([{ name: 'x' }]);
    await client.closeFile(opened.file);
    await expect(client.details(opened.file, 0, [0])).rejects.toThrow('no longer open');
  });

  it('passes on why the server refused', async () => {
    const body = new TextEncoder().encode(
      JSON.stringify({ error: { message: 'no such trace', hint: 'search wider', diagnostics: [] } }),
    );
    await expect(startHere(serve(body, 999, 404)).open('/x')).rejects.toMatchObject({
      name: 'TraceError',
      message: 'no such trace',
      hint: 'search wider',
    });
    await expect(startHere(serve(new TextEncoder().encode('<html>'), 999, 502)).open('/x')).rejects.toThrow(/502/);
    await expect(startHere(async () => Promise.reject(new TypeError('offline'))).open('/x')).rejects.toThrow(
      TraceError,
    );
  });

  it('gives up when the caller does', async () => {
    const abort = new AbortController();
    const client = startHere(serve(encodeTrace(generateTrace(50_000)), 1_000));
    const opening = client.open('/x', {
      signal: abort.signal,
      onPartial: () => abort.abort(new Error('left the page')),
    });
    await expect(opening).rejects.toThrow('left the page');
    await expect(client.open('/x', { signal: abort.signal })).rejects.toThrow('left the page');
  });
});
