// The colours of canvases: what the tokens come to on this page now, also where the system has its own colours.

import { useEffect, useState } from 'react';
import { DARK, LIGHT, type Theme } from '../../canvas/theme.ts';

function hexOf(rgb: string): string | null {
  const parts = /rgba?\((\d+),? (\d+),? (\d+)/.exec(rgb);
  if (!parts) return null;
  return `#${parts
    .slice(1, 4)
    .map((part) => Number(part).toString(16).padStart(2, '0'))
    .join('')}`;
}

function read(): Theme {
  const probe = document.createElement('span');
  document.body.append(probe);
  const isDark = getComputedStyle(document.documentElement).colorScheme === 'dark';
  const usual = isDark ? DARK : LIGHT;
  const colour = (token: string, fallback: string) => {
    probe.style.color = `var(--${token})`;
    return hexOf(getComputedStyle(probe).color) ?? fallback;
  };
  const theme: Theme = {
    ...usual,
    background: colour('bg', usual.background),
    line: colour('line', usual.line),
    text: colour('fg', usual.text),
    textSecondary: colour('fg-2', usual.textSecondary),
    accent: colour('accent', usual.accent),
    error: colour('error-fill', usual.error),
  };
  probe.remove();
  return theme;
}

export function useCanvasTheme(): Theme {
  const [theme, setTheme] = useState(read);
  useEffect(() => {
    const again = () => setTheme(read());
    const watcher = new MutationObserver(again);
    watcher.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
    const wishes = ['(prefers-color-scheme: dark)', '(forced-colors: active)'].map((query) => matchMedia(query));
    for (const wish of wishes) wish.addEventListener('change', again);
    return () => {
      watcher.disconnect();
      for (const wish of wishes) wish.removeEventListener('change', again);
    };
  }, []);
  return theme;
}
