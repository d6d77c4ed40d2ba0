// The colours of canvases: what the tokens come to on this page now, also where the system forces its own.

import { useSyncExternalStore } from 'react';
import { DARK, LIGHT, type Theme, textOn } from '../canvas/theme.ts';

const WISHES = ['(prefers-color-scheme: dark)', '(forced-colors: active)'];

let known: { name: string; theme: Theme } | null = null;

function subscribe(listener: () => void): () => void {
  const observer = new MutationObserver(listener);
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
  const wishes = WISHES.map((query) => matchMedia(query));
  for (const wish of wishes) wish.addEventListener('change', listener);
  return () => {
    observer.disconnect();
    for (const wish of wishes) wish.removeEventListener('change', listener);
  };
}

function now(): Theme {
  const name = [document.documentElement.dataset['theme'], ...WISHES.map((query) => matchMedia(query).matches)].join();
  if (known?.name !== name) known = { name, theme: read() };
  return known.theme;
}

export function useCanvasTheme(): Theme {
  return useSyncExternalStore(subscribe, now);
}

function read(): Theme {
  const chosen = document.documentElement.dataset['theme'];
  const isDark = chosen === undefined ? matchMedia('(prefers-color-scheme: dark)').matches : chosen === 'dark';
  const probe = document.createElement('span');
  probe.style.setProperty('forced-color-adjust', 'none');
  document.body.append(probe);
  const colour = (token: string): string | null => {
    probe.style.color = `var(--${token})`;
    return hexOf(getComputedStyle(probe).color);
  };
  const usual = isDark ? DARK : LIGHT;
  const background = colour('bg') ?? usual.background;
  // The system may be dark where the reader chose light: colours of services are those that are seen on it.
  const own = textOn(background) === '#ffffff' ? DARK : LIGHT;
  const theme: Theme = {
    ...own,
    background,
    line: colour('line') ?? own.line,
    text: colour('fg') ?? own.text,
    textSecondary: colour('fg-2') ?? own.textSecondary,
    accent: colour('accent') ?? own.accent,
    error: colour('error-fill') ?? own.error,
    critical: colour('crit') ?? own.critical,
    criticalHalo: colour('crit-halo') ?? own.criticalHalo,
  };
  probe.remove();
  return theme;
}

function hexOf(rgb: string): string | null {
  const parts = /rgba?\((\d+),? (\d+),? (\d+)/.exec(rgb);
  if (!parts) return null;
  return `#${parts
    .slice(1, 4)
    .map((part) => Number(part).toString(16).padStart(2, '0'))
    .join('')}`;
}
