// @vitest-environment happy-dom
// Traces that are not as usual: from a file, in a frame, of one span, with orphans and circles.

import { cleanup, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, expect, test, vi } from 'vitest';
import { generateTrace } from '../../../perf/generate.ts';
import { putTraceOfFile } from '../../core/openedTraces.testing.ts';
import { buildTrace, type SpanInput } from '../../model/build.ts';
import { readTraceFile } from '../../model/files.ts';
import { fakeServer, openPage, openPageOf, TRACE_ID } from './testing.tsx';

vi.setConfig({ testTimeout: 20_000 });

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const FILE_ID = 'dddd0000000000000000000000000001';

function labels(): string[] {
  const rows = document.querySelectorAll('[role=row][aria-level]:not([hidden])');
  return Array.from(rows, (row) => `${row.getAttribute('aria-level')} ${row.getAttribute('aria-label')}`);
}

function openFile(): void {
  const at = (ms: number) => String((1_790_000_000_000n + BigInt(ms)) * 1_000_000n);
  const span = (id: string, parent: string, name: string, from: number, to: number) => ({
    ...{ traceId: FILE_ID, spanId: id.repeat(16), name, startTimeUnixNano: at(from), endTimeUnixNano: at(to) },
    ...(parent !== '' && { parentSpanId: parent.repeat(16) }),
    attributes: [{ key: 'from.file', value: { stringValue: `of ${name}` } }],
  });
  const spans = [span('a', '', 'read', 0, 30), span('b', 'a', 'parse', 5, 20)];
  const json = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] });
  for (const { columns, details } of readTraceFile(json, 'x.json').traces)
    putTraceOfFile({ fileName: 'x.json', columns, details });
}

test('statistics of a file are grouped by what its spans hold', async () => {
  const server = fakeServer(null);
  openFile();
  openPageOf(FILE_ID, '?view=stats');
  await userEvent.click(await screen.findByRole('button', { name: /^Group by/ }));
  await userEvent.click(await screen.findByRole('button', { name: /span\.from\.file/ }));
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
  const table = await screen.findByRole('table', { name: /Time of the trace/ });
  await within(table).findByText('of read');
  expect(server.asked).toEqual([]);
});

test('a trace of a file: rows and details without a server', async () => {
  const server = fakeServer(null);
  openFile();
  openPageOf(FILE_ID);
  await screen.findByText(/From the file x.json/);
  await screen.findByRole('toolbar');
  expect(screen.queryByRole('button', { name: /Columns/ })).toBeNull();
  // The keys of the rows come a moment after the rows.
  const selected = () => document.querySelector('[role="row"][aria-selected="true"]');
  await waitFor(async () => {
    if (selected() === null) await userEvent.keyboard('{ArrowDown}');
    expect(selected()).not.toBeNull();
  });
  await userEvent.keyboard('{ArrowDown}');
  const panel = await screen.findByRole('complementary', { name: 'Details of the span' });
  await within(panel).findByText('of parse');
  const find = screen.getByRole('searchbox', { name: /^Find/ });
  const look = async (what: string) => {
    await userEvent.clear(find);
    await userEvent.click(find);
    await userEvent.paste(what);
  };
  await look('from.file != "of read" && duration > 10ms');
  await screen.findByText('1/1');
  await look('from.file = "of read" && duration > 40ms');
  await screen.findByText('0/0');
  await look('duration > 10ms || kind = server');
  await screen.findByText(/“duration > 10ms \|\| kind = server” is not understood in a file/);
  await look('of parse');
  await screen.findByText(/^\d\/2$/);
  await look('"of parse"');
  await screen.findByText('1/1');
  expect(server.asked).toEqual([]);
});

test('in a frame: no minimap, no facts, no second line', async () => {
  fakeServer({ ...generateTrace(50), traceId: TRACE_ID });
  openPage('?uiEmbed=v0&uiTimelineHideMinimap=1&uiTimelineHideSummary=1&uiTimelineCollapseTitle=1');
  await screen.findByRole('treegrid');
  await screen.findByRole('toolbar');
  expect(screen.queryByRole('group', { name: 'Overview of the trace' })).toBeNull();
  expect(screen.queryByText('50 spans')).toBeNull();
  expect(screen.queryByText(TRACE_ID)).toBeNull();
  expect(screen.getByRole('heading', { level: 1 })).toBeTruthy();
});

const input = (spanId: string, parentId: string | null, from: number, durationNs: number): SpanInput => ({
  ...{ spanId: spanId.repeat(16), parentId: parentId?.repeat(16) ?? null, startNs: BigInt(from), durationNs },
  ...{ service: 'odd', name: spanId, kind: 1, status: 0, isError: false, hasEvents: false, hasLinks: false },
});

test('one span of no length', async () => {
  const { columns } = buildTrace(TRACE_ID, [input('a', null, 0, 0)]);
  // The writer of Arrow in tests cannot write a table without rows.
  const critical = { row: Uint32Array.of(0), from: Float64Array.of(0), to: Float64Array.of(0) };
  fakeServer({ ...columns, critical });
  openPage();
  await waitFor(() => expect(labels()).toEqual(['1 odd a, 0 ns, starts at 0 ns']));
  await screen.findByText('1 span');
});

test('orphans and circles are all there, and told', async () => {
  const spans = [input('a', null, 0, 9), input('b', 'e', 1, 2), input('c', 'd', 2, 2), input('d', 'c', 3, 1)];
  fakeServer(buildTrace(TRACE_ID, spans).columns);
  openPage();
  await waitFor(() => expect(labels()).toHaveLength(4));
  expect(labels().filter((label) => label.includes('no parent')).length).toBeGreaterThan(0);
  await screen.findByRole('button', { name: /parents? that (is|are) not here|warnings/ });
});
