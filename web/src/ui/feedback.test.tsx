// @vitest-environment happy-dom
// Waiting, failing, announcing, titles.

import { act, cleanup, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, expect, test, vi } from 'vitest';
import { Banner } from './Banner/Banner.tsx';
import { Button } from './Button/Button.tsx';
import { CopyButton } from './CopyButton/CopyButton.tsx';
import { Dialog, DialogTrigger } from './Dialog/Dialog.tsx';
import { ErrorBox } from './ErrorBox/ErrorBox.tsx';
import { ErrorCount } from './ErrorCount/ErrorCount.tsx';
import { announce, LiveRegion } from './LiveRegion/LiveRegion.tsx';
import { PageTitle } from './PageTitle/PageTitle.tsx';
import { Skeleton } from './Skeleton/Skeleton.tsx';
import { SkipLink } from './SkipLink/SkipLink.tsx';
import { SlowNotice } from './SlowNotice/SlowNotice.tsx';

afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

test('a skeleton is seen after 150 ms, not before', () => {
  vi.useFakeTimers();
  const { container } = render(<Skeleton rows={3} />);
  const box = container.querySelector('[data-shown]');
  expect(box?.getAttribute('data-shown')).toBe('false');
  expect(screen.queryByText('Loading…')).toBeNull();
  act(() => void vi.advanceTimersByTime(160));
  expect(box?.getAttribute('data-shown')).toBe('true');
  expect(screen.getByRole('status').textContent).toBe('Loading…');
});

test('slowness is told after two seconds, with a way out; the seconds are not read aloud', () => {
  vi.useFakeTimers();
  const onCancel = vi.fn();
  render(<SlowNotice what="412 segments" onCancel={onCancel} />);
  expect(screen.queryByRole('status')).toBeNull();
  act(() => void vi.advanceTimersByTime(2100));
  act(() => void vi.advanceTimersByTime(2000));
  expect(screen.getByRole('status').textContent).toContain('412 segments');
  expect(screen.getByRole('status').textContent).not.toMatch(/\d s\b/);
  expect(screen.getByText('4 s')).toBeTruthy();
  act(() => screen.getByRole('button', { name: 'Cancel' }).click());
  expect(onCancel).toHaveBeenCalledOnce();
});

test('an error box is an alert with the words of the server and a retry', async () => {
  const onRetry = vi.fn();
  render(<ErrorBox title="The search failed" message="boom" hint="try less" onRetry={onRetry} curl="curl x" />);
  expect(screen.getByRole('alert').textContent).toContain('boom');
  await userEvent.click(screen.getByRole('button', { name: 'Retry' }));
  expect(onRetry).toHaveBeenCalledOnce();
  expect(screen.getByRole('button', { name: 'Copy as curl' })).toBeTruthy();
});

test('a banner says its tone in words', () => {
  render(<Banner tone="warn">{'2 segments are missing'}</Banner>);
  expect(screen.getByRole('status').textContent).toBe('Warning2 segments are missing');
});

test('announcements are heard, the same one twice', () => {
  render(<LiveRegion />);
  act(() => announce('412 traces'));
  const first = screen.getByText('412 traces');
  expect(first.parentElement?.getAttribute('aria-live')).toBe('polite');
  act(() => announce('412 traces'));
  expect(screen.getByText('412 traces')).not.toBe(first);
  act(() => announce('The server is gone', { isUrgent: true }));
  expect(screen.getByText('The server is gone').parentElement?.getAttribute('aria-live')).toBe('assertive');
});

test('copying says so, and says when it was not allowed', async () => {
  const user = userEvent.setup();
  render(
    <>
      <CopyButton value={() => 'abc'} label="Copy id" />
      <LiveRegion />
    </>,
  );
  await user.click(screen.getByRole('button', { name: 'Copy id' }));
  expect(await navigator.clipboard.readText()).toBe('abc');
  expect(screen.getByRole('button', { name: 'Copied' })).toBeTruthy();
  expect(screen.getAllByText('Copied').length).toBeGreaterThan(0);
  vi.spyOn(navigator.clipboard, 'writeText').mockRejectedValue(new Error('no'));
  await user.click(screen.getByRole('button', { name: 'Copied' }));
  expect(await screen.findByRole('button', { name: /did not allow/ })).toBeTruthy();
});

test('a page title names the window; it takes the focus on a change of route only', () => {
  const { rerender } = render(<PageTitle title="Home" routeKey="/" />);
  expect(document.title).toBe('Home · Trackway');
  expect(document.activeElement).toBe(document.body);
  rerender(<PageTitle title="Home 2" routeKey="/" />);
  expect(document.activeElement).toBe(document.body);
  rerender(<PageTitle title="Explore" routeKey="/search" />);
  expect(document.activeElement).toBe(screen.getByRole('heading', { level: 1, name: 'Explore' }));
});

test('the skip link moves the focus and leaves the address alone', async () => {
  const before = location.href;
  render(
    <>
      <SkipLink targetId="main" />
      <main id="main" />
    </>,
  );
  await userEvent.click(screen.getByRole('link', { name: 'Skip to content' }));
  expect(document.activeElement).toBe(screen.getByRole('main'));
  expect(location.href).toBe(before);
});

test('a dialog is named by its title; Escape closes it and gives the focus back', async () => {
  render(
    <DialogTrigger>
      <Button>{'Open'}</Button>
      <Dialog title="Keys">{'Text'}</Dialog>
    </DialogTrigger>,
  );
  await userEvent.click(screen.getByRole('button', { name: 'Open' }));
  expect(screen.getByRole('dialog', { name: 'Keys' })).toBeTruthy();
  await userEvent.keyboard('{Escape}');
  expect(screen.queryByRole('dialog')).toBeNull();
});

test('errors are counted in words for the ear, and not shown when there are none', () => {
  const { container, rerender } = render(<ErrorCount count={1} />);
  expect(screen.getByText('1 error')).toBeTruthy();
  rerender(<ErrorCount count={0} />);
  expect(container.textContent).toBe('');
});
