// To the clipboard, and said so. Without the clipboard API (plain http) the old way through a selection is used.

import { announce } from '../LiveRegion/LiveRegion.tsx';
import { text } from './text.ts';

function copyBySelection(value: string): boolean {
  const area = document.createElement('textarea');
  area.value = value;
  area.style.position = 'fixed';
  area.style.opacity = '0';
  const focused = document.activeElement;
  document.body.append(area);
  area.select();
  const isDone = document.execCommand('copy');
  area.remove();
  if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
  return isDone;
}

export async function copyText(value: string): Promise<boolean> {
  let isDone = false;
  try {
    if (navigator.clipboard) {
      await navigator.clipboard.writeText(value);
      isDone = true;
    } else {
      isDone = copyBySelection(value);
    }
  } catch {
    isDone = false;
  }
  announce(isDone ? text.copied : text.failed);
  return isDone;
}
