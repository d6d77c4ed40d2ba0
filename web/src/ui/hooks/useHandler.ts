// A handler that stays the same function and calls the one of the last render. React Aria's controls keep the handlers
// of their first render for as long as they are there, and with them all that those close over: a whole trace.

import { type RefObject, useInsertionEffect, useRef, useState } from 'react';

type Handler = (...args: never[]) => void;

/** Made here: a function made in the hook would close over the handler of its first render. */
function calling(last: RefObject<Handler | undefined>): Handler {
  return (...args) => last.current?.(...args);
}

/** `undefined` for one that is not there: controls are told apart by what they handle. */
export function useHandler<H extends Handler | undefined>(handler: H): H {
  const last = useRef<Handler | undefined>(handler);
  useInsertionEffect(() => {
    last.current = handler;
  });
  const [stable] = useState(() => calling(last));
  return (handler && stable) as H;
}
