// @vitest-environment happy-dom

import { act, cleanup, fireEvent, render, screen } from '@testing-library/react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { useHoverCard } from './useHoverCard.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

function Things() {
  const { shown, point, handlers } = useHoverCard<string>();
  return (
    <>
      {['one', 'two'].map((name) => (
        <div key={name} data-testid={name} onPointerMove={() => point(name)} onPointerLeave={() => point(null)} />
      ))}
      {shown !== null && (
        <output data-testid="card" {...handlers}>
          {shown}
        </output>
      )}
    </>
  );
}

const wait = (ms: number) => act(() => vi.advanceTimersByTime(ms));
const over = (name: string) => fireEvent.pointerMove(screen.getByTestId(name));
const leave = (name: string) => fireEvent.pointerLeave(screen.getByTestId(name));
const card = () => screen.queryByTestId('card')?.textContent ?? null;

test('Escape takes the card away where the pointer is, and what else Escape does waits for the next press', () => {
  render(<Things />);
  const others = vi.fn();
  document.addEventListener('keydown', others);
  over('one');
  wait(300);
  expect(card()).toBe('one');
  fireEvent.keyDown(document.body, { key: 'Escape' });
  expect(card()).toBeNull();
  expect(others).not.toHaveBeenCalled();
  over('one');
  wait(300);
  expect(card()).toBeNull();
  fireEvent.keyDown(document.body, { key: 'Escape' });
  expect(others).toHaveBeenCalledTimes(1);
  over('two');
  wait(300);
  expect(card()).toBe('two');
  document.removeEventListener('keydown', others);
});

test('the pointer goes onto the card past something else, and the card stays', () => {
  render(<Things />);
  over('one');
  wait(300);
  leave('one');
  over('two');
  wait(50);
  fireEvent.pointerEnter(screen.getByTestId('card'));
  leave('two');
  wait(5_000);
  expect(card()).toBe('one');
  fireEvent.pointerLeave(screen.getByTestId('card'));
  wait(300);
  expect(card()).toBeNull();
});

test('who goes on gets the next card, and none when over nothing', () => {
  render(<Things />);
  over('one');
  wait(300);
  over('two');
  expect(card()).toBe('one');
  wait(300);
  expect(card()).toBe('two');
  fireEvent.wheel(document.body);
  expect(card()).toBeNull();
  over('two');
  wait(300);
  leave('two');
  wait(300);
  expect(card()).toBeNull();
});
