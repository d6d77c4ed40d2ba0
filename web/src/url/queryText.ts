// Writes pieces of query text: quoted values, attribute names, comparisons, and conjunctions of them.
//
// For everything that makes a query without a person typing it: old links, include and exclude, chips. The grammar is
// the server's; nothing here reads more of it than it takes to find out where a text ends.

export type Operator = '=' | '!=' | '>' | '>=' | '<' | '<=' | '=~' | '!~';
export type AttributeScope = '' | 'span' | 'resource' | 'event' | 'link' | 'instrumentation';

/** What a query can compare with. A word stands as it is: `error`, `server`, `nil`, `1.5s`, `500`. */
export type Literal =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'word'; readonly word: string };

export type Comparison = { readonly field: string; readonly op: Operator; readonly value: Literal };

/** Characters that end a name, and those that would begin a text or a comment; names with them are quoted. */
const QUOTED_IN_NAMES = /[\s{}()=~!<>&|^,"`\\\p{Cc}]|\/\/|\/\*/u;

/** A string literal. Escapes are those of Go. */
export function quoteText(text: string): string {
  const escaped = text.replace(/["\\\p{Cc}]/gu, (char) => {
    if (char === '"' || char === '\\') return `\\${char}`;
    if (char === '\n') return '\\n';
    if (char === '\t') return '\\t';
    if (char === '\r') return '\\r';
    return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  return `"${escaped}"`;
}

/** The name of an attribute as it stands after the dot. */
export function quoteName(name: string): string {
  if (name !== '' && !QUOTED_IN_NAMES.test(name)) return name;
  return `"${name.replace(/["\\]/g, '\\$&')}"`;
}

/** `.http.method`, `resource.service.name`, `span."http header"`. */
export function attributeField(name: string, scope: AttributeScope = ''): string {
  return `${scope}.${quoteName(name)}`;
}

export function printLiteral(value: Literal): string {
  return value.kind === 'text' ? quoteText(value.text) : value.word;
}

/** `.http.method = "GET"` */
export function printComparison({ field, op, value }: Comparison): string {
  return `${field} ${op} ${printLiteral(value)}`;
}

/** All of them: `{ a && b }`; nothing at all for none, which is every span. */
export function printQuery(conjuncts: readonly string[]): string {
  return conjuncts.length === 0 ? '' : `{ ${conjuncts.join(' && ')} }`;
}

/**
 * A comparison of an attribute with a value of which only the text is known, as in a link or a tag of Jaeger: 500 may
 * have been sent as a number or as a text, and the query language does not guess.
 */
export function untypedComparison(name: string, text: string): string {
  const field = attributeField(name);
  const asText = printComparison({ field, op: '=', value: { kind: 'text', text } });
  if (!isCanonicalNumber(text) && text !== 'true' && text !== 'false') return asText;
  return `(${printComparison({ field, op: '=', value: { kind: 'word', word: text } })} || ${asText})`;
}

/**
 * The query with one condition more; null when that cannot be said without knowing more of the language, as for
 * pipelines and broken text.
 */
export function withConjunct(query: string, conjunct: string): string | null {
  const trimmed = query.trim();
  if (trimmed === '') return printQuery([conjunct]);
  if (!trimmed.startsWith('{') || !trimmed.endsWith('}')) return null;
  const inner = trimmed.slice(1, -1).trim();
  if (inner === '') return printQuery([conjunct]);
  const bare = withoutTexts(inner);
  if (bare === null || /[{}]/.test(bare)) return null;
  // A line comment at the end would swallow what is added.
  const closed = bare.includes('//') ? `${inner}\n` : inner;
  return printQuery([bare.includes('||') || bare.includes('//') ? `(${closed})` : closed, conjunct]);
}

/** True where the number is written as the server would write it: only then is the text of the number this text. */
function isCanonicalNumber(text: string): boolean {
  if (/^(?:0|-?[1-9]\d{0,18})$/.test(text)) return BigInt(text) >= -(2n ** 63n) && BigInt(text) < 2n ** 63n;
  return /^-?\d{1,16}\.\d{1,16}$/.test(text) && String(Number(text)) === text;
}

/** The query with its quoted parts emptied; null when one of them does not end. */
function withoutTexts(query: string): string | null {
  const bare = query.replace(/"(?:[^"\\]|\\.)*"|`[^`]*`/gs, '""');
  return /["`]/.test(bare.replaceAll('""', '')) ? null : bare;
}
