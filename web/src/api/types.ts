// The shapes of what the server answers, which are made from its structures, and of what it is asked.

export type * from './generated/types.ts';

/** What a search lists: traces, spans that enter a service, or all spans. */
export type Scope = 'traces' | 'entry' | 'spans';
export type Sort = 'newest' | 'slowest';
