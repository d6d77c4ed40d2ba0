// The trace worker: the engine behind messages. Answers are moved, not copied, where their memory is theirs alone.

import { TraceEngine } from './engine.ts';
import { buffersOf, type Request } from './messages.ts';

const engine = new TraceEngine((response) => {
  self.postMessage(response, { transfer: [...buffersOf(response)] });
});

self.addEventListener('message', (event: MessageEvent<Request>) => {
  void engine.handle(event.data);
});
