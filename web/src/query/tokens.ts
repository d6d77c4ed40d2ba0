// Splits query text into what is coloured alike. Only for the eye: what is right and wrong is the server's to say.

export type TokenKind = 'field' | 'text' | 'number' | 'word' | 'operator' | 'bracket' | 'comment' | 'other';

export type Token = { readonly kind: TokenKind; readonly from: number; readonly to: number };

// In the order in which they are tried; what does not end goes to the end.
const PATTERNS: readonly (readonly [TokenKind, RegExp])[] = [
  ['other', /^\s+/],
  ['comment', /^(?:\/\/.*|\/\*[\s\S]*?(?:\*\/|$))/],
  ['text', /^(?:"(?:[^"\\]|\\[\s\S])*"?|`[^`]*`?)/],
  ['bracket', /^[{}()]/],
  ['number', /^\d+(?:\.\d+)?(?:e[+-]?\d+|(?:(?:ns|us|µs|ms|[smhdwy])(?:\d+(?:\.\d+)?(?=[a-zµ]))?)+)?(?![\w.])/i],
  [
    'word',
    /^(?:true|false|nil|minInt|maxInt|ok|error|unset|server|client|producer|consumer|internal|unspecified)(?![\w.:-])/,
  ],
  ['operator', /^(?:&&|\|\||=~|!~|[<>!]?=|[<>!+\-*/%^])/],
  ['field', /^\.?[^\s{}()=~!<>&|^,"`]+(?:"(?:[^"\\]|\\.)*"[^\s{}()=~!<>&|^,"`]*)*/],
];

/** The tokens of a text but for white space, in order. */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  for (let from = 0; from < text.length; ) {
    const { kind, length } = tokenAt(text.slice(from));
    if (kind !== 'other') tokens.push({ kind, from, to: from + length });
    from += length;
  }
  return tokens;
}

/** The token at the start of `rest`, and how long it is; never empty. */
function tokenAt(rest: string): { kind: TokenKind; length: number } {
  for (const [kind, pattern] of PATTERNS) {
    const found = pattern.exec(rest);
    if (found && found[0] !== '') return { kind, length: found[0].length };
  }
  return { kind: 'other', length: 1 };
}
