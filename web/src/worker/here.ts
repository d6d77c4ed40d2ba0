// The trace client without a worker, for tests and for where a worker cannot start: a file of its own, so that a page
// does not load the decoder twice.
//
// Messages are cloned and moved as between threads, so that a test sees what a page sees.

import { TraceClient } from './client.ts';
import { TraceEngine } from './engine.ts';
import { buffersOf, type Response } from './messages.ts';

export function startHere(fetcher: typeof fetch = fetch): TraceClient {
  let deliver: (response: Response) => void = () => undefined;
  const engine = new TraceEngine((response) => {
    const moved = structuredClone(response, { transfer: [...buffersOf(response)] });
    queueMicrotask(() => deliver(moved));
  }, fetcher);
  return new TraceClient({
    // A file is not copied between threads either.
    post: (request) => void engine.handle(request.call === 'openFile' ? request : structuredClone(request)),
    listen: (onResponse) => {
      deliver = onResponse;
    },
    close: () => undefined,
  });
}
