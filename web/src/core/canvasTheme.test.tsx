// @vitest-environment happy-dom
// Colours of canvases follow the theme; that they follow the system, too, is seen in a real browser (e2e/pages).

import { act, cleanup, renderHook } from '@testing-library/react';
import { afterEach, expect, test } from 'vitest';
import { DARK, LIGHT } from '../canvas/theme.ts';
import { useCanvasTheme } from './canvasTheme.ts';

afterEach(() => {
  cleanup();
  delete document.documentElement.dataset['theme'];
});

test('colours follow the theme', async () => {
  document.documentElement.dataset['theme'] = 'light';
  const { result } = renderHook(useCanvasTheme);
  expect(result.current).toMatchObject({ background: LIGHT.background, slots: LIGHT.slots });
  await act(async () => {
    document.documentElement.dataset['theme'] = 'dark';
    await new Promise((resolve) => setTimeout(resolve, 20));
  });
  expect(result.current).toMatchObject({ background: DARK.background, slots: DARK.slots });
});
