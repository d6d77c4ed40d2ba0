// @vitest-environment happy-dom
// What was taken over from a Jaeger, and what of it does nothing here.

import { cleanup, render, screen, within } from '@testing-library/react';
import { afterEach, expect, test, vi } from 'vitest';
import { Compatibility } from './Compatibility.tsx';

vi.mock('../../core/boot.ts', async (original) => {
  const module = await original<typeof import('../../core/boot.ts')>();
  const link = (url: string, text: string) => ({ type: 'traces', key: null, url, text });
  const links = [
    link('https://logs.example/?t=#{traceID | pad_start 32 0}&from=#{startTime | add -5}', 'Logs of #{traceID}'),
    link('https://x.example/?t=#{traceID | to_upper}', 'X #{traceID | to_upper}, #{duration | round 2}'),
  ];
  return { ...module, configured: { links, ignoredConfig: ['monitor'] } };
});

afterEach(cleanup);

test('links, keys that were ignored, and transforms that are not known are told', () => {
  render(<Compatibility />);
  expect(screen.getByText('Logs of #{traceID}')).toBeTruthy();
  expect(screen.getByText('monitor')).toBeTruthy();
  const said = screen.getByText(/transforms of link templates are not known/);
  const list = said.nextElementSibling as HTMLElement;
  expect(
    within(list)
      .getAllByRole('listitem')
      .map((item) => item.textContent),
  ).toEqual([
    'to_upper in https://x.example/?t=#{traceID | to_upper}',
    'round in https://x.example/?t=#{traceID | to_upper}',
  ]);
});
