// Splits query text into what is coloured alike. Only for the eye: what is right and wrong is the server's to say.

export type TokenKind = 'field' | 'text' | 'number' | 'word' | 'operator' | 'bracket' | 'comment' | 'other';

/** What of a text goes on in the next line. */
export type TokenState = { inside: '' | 'comment' | 'raw' };

const WORDS =
  /^(?:true|false|nil|minInt|maxInt|ok|error|unset|server|client|producer|consumer|internal|unspecified)(?![\w.:-])/;
const SPACE = /^\s+/;
const NUMBER = /^\d+(?:\.\d+)?(?:e[+-]?\d+|(?:ns|us|µs|ms|s|m|h|d|w|y)(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h|d|w|y))*)?(?![\w.])/i;
const OPERATOR = /^(?:&&|\|\||=~|!~|[<>!]?=|[<>!+\-*/%^])/;
const FIELD = /^\.?[^\s{}()=~!<>&|^,"`]+(?:"(?:[^"\\]|\\.)*"[^\s{}()=~!<>&|^,"`]*)*/;

/** The token at the start of `rest`, and how long it is; never empty. */
export function tokenAt(rest: string, state: TokenState): { kind: TokenKind; length: number } {
  if (state.inside !== '') return endOf(state.inside, rest, state, 0);
  const space = SPACE.exec(rest);
  if (space) return { kind: 'other', length: space[0].length };
  if (rest.startsWith('//')) return { kind: 'comment', length: rest.length };
  if (rest.startsWith('/*')) return endOf('comment', rest, state, 2);
  if (rest.startsWith('`')) return endOf('raw', rest, state, 1);
  const text = /^"(?:[^"\\]|\\.)*"?/s.exec(rest);
  if (text) return { kind: 'text', length: text[0].length };
  const bracket = /^[{}()]/.exec(rest);
  if (bracket) return { kind: 'bracket', length: 1 };
  for (const [kind, pattern] of [
    ['number', NUMBER],
    ['word', WORDS],
    ['operator', OPERATOR],
    ['field', FIELD],
  ] as const) {
    const found = pattern.exec(rest);
    if (found && found[0] !== '') return { kind, length: found[0].length };
  }
  return { kind: 'other', length: 1 };
}

function endOf(inside: 'comment' | 'raw', rest: string, state: TokenState, from: number) {
  const kind = inside === 'raw' ? ('text' as const) : ('comment' as const);
  const end = inside === 'raw' ? '`' : '*/';
  const at = rest.indexOf(end, from);
  state.inside = at < 0 ? inside : '';
  return { kind, length: at < 0 ? rest.length : at + end.length };
}
