// @vitest-environment happy-dom
// Pages as they are fetched: at once where they were fetched before, and the same component as long as they are shown.

import { cleanup, render, screen } from '@testing-library/react';
import { Suspense } from 'react';
import { afterEach, expect, it } from 'vitest';
import { parseUrl } from '../url/index.ts';
import { pageOf, prefetch } from './pages.tsx';

afterEach(cleanup);

const WAITING = 'waiting';

it('draws a page that was fetched before without a fallback', async () => {
  await prefetch('notFound');
  const Page = pageOf('notFound');
  render(
    <Suspense fallback={WAITING}>
      <Page route={parseUrl('/no/such/page').route} />
    </Suspense>,
  );
  expect(screen.queryByText(WAITING)).toBeNull();
  expect(screen.getByRole('heading', { level: 1 })).toBeTruthy();
});

it('keeps a page that was shown before it had come', async () => {
  const before = pageOf('settings');
  await prefetch('settings');
  expect(pageOf('settings')).toBe(before);
});
