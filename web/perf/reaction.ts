// How long a page takes to react: from the input as the browser got it to the end of the frame that shows what was
// asked for. And the figures that are made of it, each beside its budget.

import type { Page } from 'playwright-core';

/** Budgets are meant for four cores; on two without a GPU a figure may be twice as much. */
const SMALL_MACHINE = 2;

/** Who waits longer waits for nothing. */
const WAIT_MS_MAX = 20_000;

type Figure = { readonly value: number; readonly budget: number | null };

/** What `page.evaluate` finds after `WATCH` was run. */
declare global {
  interface Window {
    reaction: Promise<number>;
    frameMs: number[];
    usableMs: number | undefined;
  }
}

/**
 * Runs in every page. `watch(type, isDone)` measures the next event of a type. What scripts take in each frame is
 * counted, too: all callbacks of a frame together.
 */
const WATCH = `
  window.frameMs = [];
  const nextFrame = window.requestAnimationFrame.bind(window);
  let open = null, spent = 0;
  window.requestAnimationFrame = (callback) => nextFrame((time) => {
    if (open !== time) { if (open !== null) window.frameMs.push(spent); open = time; spent = 0; }
    const begin = performance.now();
    callback(time);
    spent += performance.now() - begin;
  });
  const painted = (act) => nextFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = act;
    port2.postMessage(null);
  });
  window.watch = (type, isDone) => {
    window.reaction = new Promise((resolve, reject) => {
      setTimeout(() => reject(new Error('not in time after ' + type + ': ' + isDone)), ${WAIT_MS_MAX});
      addEventListener(type, (event) => {
        const look = () => isDone() ? painted(() => resolve(performance.now() - event.timeStamp)) : nextFrame(look);
        // What the handlers of the event draw at once is there after them.
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = look;
        port2.postMessage(null);
      }, { capture: true, once: true });
    });
  };
`;

/** `isUsable`, an expression, says when a page that was opened can be used. */
export async function watchPage(page: Page, isUsable = 'false'): Promise<void> {
  await page.addInitScript(`${WATCH}
    const look = () => ${isUsable} ? painted(() => { window.usableMs = performance.now(); }) : nextFrame(look);
    ${isUsable === 'false' ? '' : 'nextFrame(look);'}`);
}

/** Milliseconds from an event that `act` makes until `isDone`, an expression, is true and painted. */
export async function reaction(page: Page, type: string, isDone: string, act: () => Promise<void>): Promise<number> {
  await page.evaluate(`watch(${JSON.stringify(type)}, () => ${isDone})`);
  await act();
  return page.evaluate(() => window.reaction);
}

/** The same several times: `one` gives for each time what is pressed and what is waited for. */
export async function reactions(times: number, one: (n: number) => Promise<number>): Promise<number[]> {
  const all: number[] = [];
  for (let n = 0; n < times; n++) all.push(await one(n));
  return all;
}

/** Of a few values this is the worst. */
export function p95(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length * 0.95)] ?? 0;
}

/** Figures by what was measured and on what. */
export class Figures {
  readonly #by = new Map<string, Map<string, Figure>>();

  put(on: string, what: string, value: number, budget: number | null = null): void {
    const row = this.#by.get(what) ?? new Map<string, Figure>();
    this.#by.set(what, row);
    row.set(on, { value: Number(value.toFixed(1)), budget });
  }

  toJSON(): unknown {
    return Object.fromEntries([...this.#by].map(([what, row]) => [what, Object.fromEntries(row)]));
  }

  /** A line each: figure (budget), with a mark where it is more than this machine may take. */
  print(): void {
    const shown = ({ value, budget }: Figure): string =>
      budget === null ? `${value}` : `${value} (${budget})${value > budget * SMALL_MACHINE ? ' OVER' : ''}`;
    const lines = [...this.#by].map(([what, row]) => [
      what,
      Object.fromEntries([...row].map(([on, figure]) => [on, shown(figure)])),
    ]);
    console.table(Object.fromEntries(lines));
  }
}
