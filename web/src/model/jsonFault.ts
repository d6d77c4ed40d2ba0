// Where a text stops being JSON. Browsers tell it in words of their own, or only with what stands around it; a reader
// wants the line. Walks over the text without building anything, and only when reading has failed.

export interface JsonFault {
  /** From 1. */
  readonly line: number;
  readonly column: number;
  readonly why: string;
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

type Wanted = 'value' | 'value or ]' | 'key' | 'key or }' | ':' | ', or ]' | ', or }' | 'end';

const EXPECTED: Readonly<Record<Wanted, string>> = {
  value: 'a value',
  'value or ]': 'a value or ]',
  key: 'a name in double quotes',
  'key or }': 'a name in double quotes or }',
  ':': 'a colon',
  ', or ]': 'a comma or ]',
  ', or }': 'a comma or }',
  end: 'nothing more',
};

/** Null: it is JSON after all. */
export function jsonFault(text: string): JsonFault | null {
  const open: ('[' | '{')[] = [];
  let wanted: Wanted = 'value';
  const after = (): Wanted => {
    const last = open.at(-1);
    return last === undefined ? 'end' : last === '[' ? ', or ]' : ', or }';
  };
  for (let at = 0; ; ) {
    at = skipSpace(text, at);
    if (at >= text.length) return wanted === 'end' ? null : faultAt(text, at, 'it ends too early: was it cut off?');
    const char = text[at] as string;
    const bad = (): JsonFault => faultAt(text, at, `there is ${shown(text, at)} where ${EXPECTED[wanted]} should be`);
    if (wanted === ':') {
      if (char !== ':') return bad();
      wanted = 'value';
      at++;
    } else if (wanted.startsWith('key')) {
      if (char === '"') {
        const end = endOfText(text, at);
        if (typeof end !== 'number') return end;
        at = end;
        wanted = ':';
      } else if (char === '}' && wanted === 'key or }') {
        open.pop();
        wanted = after();
        at++;
      } else return bad();
    } else if (wanted.startsWith('value')) {
      if (char === '[' || char === '{') {
        open.push(char);
        wanted = char === '[' ? 'value or ]' : 'key or }';
        at++;
      } else if (char === ']' && wanted === 'value or ]') {
        open.pop();
        wanted = after();
        at++;
      } else if (char === '"') {
        const end = endOfText(text, at);
        if (typeof end !== 'number') return end;
        at = end;
        wanted = after();
      } else {
        const end = endOf(NUMBER, text, at) ?? endOf(WORD, text, at);
        if (end === null) return bad();
        at = end;
        wanted = after();
      }
    } else if (char === ',' && wanted !== 'end') {
      wanted = wanted === ', or ]' ? 'value' : 'key';
      at++;
    } else if ((char === ']' && wanted === ', or ]') || (char === '}' && wanted === ', or }')) {
      open.pop();
      wanted = after();
      at++;
    } else return bad();
  }
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && ' \t\n\r'.includes(text[at] as string)) at++;
  return at;
}

function endOf(pattern: RegExp, text: string, at: number): number | null {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : null;
}

/** Behind the closing quote. */
function endOfText(text: string, from: number): number | JsonFault {
  for (let at = from + 1; at < text.length; ) {
    const code = text.charCodeAt(at);
    if (code === 0x22) return at + 1;
    if (code < 0x20) return faultAt(text, at, 'there is a line break or control character within a text');
    if (code !== 0x5c) at++;
    else {
      const end = endOf(ESCAPE, text, at);
      if (end === null) return faultAt(text, at, 'there is a backslash that stands for nothing');
      at = end;
    }
  }
  return faultAt(text, text.length, 'it ends within a text: was it cut off?');
}

function shown(text: string, at: number): string {
  const char = text.codePointAt(at) ?? 0;
  const isSeen = char > 0x20 && char !== 0xfffd && !(char >= 0x7f && char < 0xa0);
  return isSeen ? `“${String.fromCodePoint(char)}”` : 'a byte that is no text';
}

function faultAt(text: string, at: number, why: string): JsonFault {
  let line = 1;
  let start = 0;
  for (let next = text.indexOf('\n'); next >= 0 && next < at; next = text.indexOf('\n', next + 1)) {
    line++;
    start = next + 1;
  }
  return { line, column: at - start + 1, why };
}
