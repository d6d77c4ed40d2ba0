// @vitest-environment happy-dom
// The states of a part that waits: shape, slow, cancelled, failed, stale, partial.

import { act, cleanup, render, screen } from '@testing-library/react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Asked, type AskedProps } from './Asked.tsx';

type State = AskedProps<{ n: number; skipped?: { what: string; why: string }[] }>['asked'];

const WAITING: State = {
  data: undefined,
  updatedAt: 0,
  isOld: false,
  isWaiting: true,
  error: null,
  retry: () => undefined,
  cancel: () => undefined,
};
const FAILURE = { message: 'the disk is gone', hint: 'Look at it.', curl: 'curl x' };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

const show = (state: Partial<State>) =>
  render(
    <Asked asked={{ ...WAITING, ...state }} failed="It failed">
      {({ n }) => <p>{`answer ${n}`}</p>}
    </Asked>,
  );

test('nothing flashes; after two seconds there is a way out', () => {
  const cancel = vi.fn();
  show({ cancel });
  expect(screen.queryByRole('button')).toBeNull();
  act(() => void vi.advanceTimersByTime(2100));
  act(() => screen.getByRole('button', { name: 'Cancel' }).click());
  expect(cancel).toHaveBeenCalled();
});

test('cancelled: it can be asked again', () => {
  const retry = vi.fn();
  show({ isWaiting: false, retry });
  act(() => screen.getByRole('button', { name: 'Retry' }).click());
  expect(retry).toHaveBeenCalled();
});

test('failed: what, why, what to do', () => {
  show({ isWaiting: false, error: FAILURE });
  const box = screen.getByRole('alert');
  for (const words of ['It failed', 'the disk is gone', 'Look at it.', 'Retry', 'Copy as curl']) {
    expect(box.textContent).toContain(words);
  }
});

test('a later failure leaves the answer and says how old it is', () => {
  show({ data: { n: 7 }, isWaiting: false, updatedAt: Date.now() - 125_000, error: FAILURE });
  expect(screen.getByText('answer 7')).toBeTruthy();
  expect(screen.getByRole('alert').textContent).toContain('What is shown came 2 min ago.');
});

test('partial: what is missing is said once, the rest is there', () => {
  show({ data: { n: 7, skipped: [{ what: 'segment 1', why: 'damaged' }] }, isWaiting: false });
  expect(screen.getByText('Not everything could be read: segment 1 (damaged)')).toBeTruthy();
  expect(screen.getByText('answer 7')).toBeTruthy();
});

test('of another range: it stays, marked as busy', () => {
  const { container } = show({ data: { n: 7 }, isOld: true });
  expect(container.querySelector('[aria-busy="true"]')?.textContent).toBe('answer 7');
});
