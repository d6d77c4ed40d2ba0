// The texts of the app. Each component keeps its English next to it, as `text = catalogue('Button', { … })`; a second
// language is one object of the same names and keys, given to `setLanguage` before the first render.

type Message = string | ((...args: never[]) => string);
export type Catalogue = { readonly [key: string]: Message };
export type Translation = { readonly [name: string]: Catalogue };

let language = 'en';
let translation: Translation = {};
const texts = new Map<string, { english: Catalogue; live: Record<string, Message> }>();

/** Names the texts of one component. What it returns is filled anew when the language changes. */
export function catalogue<T extends Catalogue>(name: string, english: T): T {
  const live: Record<string, Message> = { ...english, ...translation[name] };
  texts.set(name, { english, live });
  return live as unknown as T;
}

/** Changes the language of all texts, of those that load later too. What has no translation stays English. */
export function setLanguage(locale: string, translated: Translation = {}): void {
  language = locale;
  translation = translated;
  formats.clear();
  for (const [name, { english, live }] of texts) Object.assign(live, english, translated[name]);
}

export function currentLanguage(): string {
  return language;
}

type Formats = { numbers: Intl.NumberFormat; plurals: Intl.PluralRules; lists: Intl.ListFormat };
const formats = new Map<string, Formats>();

function formatsNow(): Formats {
  let found = formats.get(language);
  if (!found) {
    found = {
      numbers: new Intl.NumberFormat(language),
      plurals: new Intl.PluralRules(language),
      lists: new Intl.ListFormat(language, { type: 'conjunction' }),
    };
    formats.set(language, found);
  }
  return found;
}

/** 12400 → "12,400" */
export function formatCount(n: number): string {
  return formatsNow().numbers.format(n);
}

export type PluralForms = { other: string } & Partial<Record<Intl.LDMLPluralRule, string>>;

/** The form for `n`, with `#` replaced by the number: `plural(2, { one: '# span', other: '# spans' })`. */
export function plural(n: number, forms: PluralForms): string {
  const form = forms[formatsNow().plurals.select(n)] ?? forms.other;
  return form.replaceAll('#', formatCount(n));
}

/** ["a", "b", "c"] → "a, b, and c" */
export function list(items: readonly string[]): string {
  return formatsNow().lists.format(items);
}
