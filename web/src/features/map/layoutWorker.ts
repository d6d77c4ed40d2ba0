// Lays the map out beside the page, which stays quick meanwhile: large maps take about a second.

import type { Drawn } from './calls.ts';
import { place } from './layout.ts';

addEventListener('message', ({ data }: MessageEvent<{ id: number; drawn: Pick<Drawn, 'services' | 'calls'> }>) => {
  postMessage({ id: data.id, placed: place(data.drawn) });
});
