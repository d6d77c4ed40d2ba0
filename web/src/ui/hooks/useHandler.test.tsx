// @vitest-environment happy-dom

// A handler is one function for as long as the control is there, and what it calls is of the last render.

import { renderHook } from '@testing-library/react';
import { expect, test, vi } from 'vitest';
import { useHandler } from './useHandler.ts';

test('the function stays the same and calls the handler of the last render', () => {
  const [first, second] = [vi.fn(), vi.fn()];
  const { result, rerender } = renderHook(({ handler }) => useHandler(handler), { initialProps: { handler: first } });
  const given = result.current;
  rerender({ handler: second });
  expect(result.current).toBe(given);
  given(7 as never);
  expect(first).not.toHaveBeenCalled();
  expect(second).toHaveBeenCalledExactlyOnceWith(7);
});

test('what handles nothing is told from what does', () => {
  const { result, rerender } = renderHook(({ handler }) => useHandler(handler), {
    initialProps: { handler: undefined as (() => void) | undefined },
  });
  expect(result.current).toBeUndefined();
  const handler = vi.fn();
  rerender({ handler });
  result.current?.();
  expect(handler).toHaveBeenCalledOnce();
});
