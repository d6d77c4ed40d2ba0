// Asks for a layout: in a worker, and here where there are none (tests).

import type { Drawn } from './calls.ts';
import type { Placed } from './geometry.ts';

type Answer = { id: number; placed: Placed };

let worker: Worker | undefined;
let lastId = 0;
const waiting = new Map<number, { resolve: (placed: Placed) => void; reject: (why: Error) => void }>();

function start(): Worker {
  const started = new Worker(new URL('./layoutWorker.ts', import.meta.url), { type: 'module', name: 'map layout' });
  started.addEventListener('message', ({ data }: MessageEvent<Answer>) => {
    waiting.get(data.id)?.resolve(data.placed);
    waiting.delete(data.id);
  });
  started.addEventListener('error', (event) => {
    for (const { reject } of waiting.values()) reject(new Error(event.message || 'the layout could not start'));
    waiting.clear();
    worker = undefined;
  });
  return started;
}

export async function placeAside({ services, calls }: Pick<Drawn, 'services' | 'calls'>): Promise<Placed> {
  // Only what the layout reads: the lists of calls within a service would be copied once for each service.
  const bare = { services: services.map((one) => ({ ...one, in: [], out: [] })), calls };
  if (typeof Worker === 'undefined') return (await import('./layout.ts')).place(bare);
  worker ??= start();
  lastId += 1;
  const id = lastId;
  const answer = new Promise<Placed>((resolve, reject) => waiting.set(id, { resolve, reject }));
  worker.postMessage({ id, drawn: bare });
  return answer;
}
