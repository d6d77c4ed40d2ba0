// A text with what was looked for marked in it.

import { Fragment } from 'react';
import css from './Tree.module.css';

/** Pieces of a text, found and not found in turn, beginning with what is not. */
export function pieces(text: string, words: readonly string[]): string[] {
  const lower = text.toLowerCase();
  const isIn = new Array<boolean>(text.length).fill(false);
  // Letters that change their length in lower case would shift the marks: such texts have none.
  if (lower.length === text.length) {
    for (const word of words) {
      for (let at = lower.indexOf(word); word !== '' && at >= 0; at = lower.indexOf(word, at + word.length))
        isIn.fill(true, at, at + word.length);
    }
  }
  const found: string[] = [];
  let from = 0;
  for (let i = 0; i <= text.length; i += 1) {
    const isFound = found.length % 2 === 1;
    if (i === text.length || isIn[i] !== isFound) {
      found.push(text.slice(from, i));
      from = i;
    }
  }
  return found;
}

export function Highlight({ text, words }: { text: string; words: readonly string[] }) {
  if (words.length === 0) return text;
  return pieces(text, words).map((piece, i) =>
    i % 2 === 1 ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: pieces have no other name
      <mark key={i} className={css['mark']}>
        {piece}
      </mark>
    ) : (
      // biome-ignore lint/suspicious/noArrayIndexKey: as above
      <Fragment key={i}>{piece}</Fragment>
    ),
  );
}
