// The colours of tokens.css as values, for what cannot read custom properties: canvases, and workers, which have no
// document. A test holds the two files together and every pair to its contrast.

export type Theme = 'light' | 'dark';

const PAIRS = {
  bg: ['#ffffff', '#0d0f12'],
  'bg-1': ['#f6f7f9', '#14171c'],
  'bg-2': ['#eceef1', '#1d2128'],
  fg: ['#1b1d22', '#e7e9ee'],
  'fg-2': ['#565d69', '#a3aab8'],
  line: ['#dfe2e8', '#2a2f38'],
  'line-strong': ['#7b828f', '#6b7382'],
  accent: ['#1f5fbf', '#7fb2ff'],
  'on-accent': ['#ffffff', '#0d0f12'],
  error: ['#b42318', '#ff8a80'],
  'error-fill': ['#d92d20', '#ff6b5e'],
  'on-error-fill': ['#ffffff', '#0d0f12'],
  warn: ['#8a5a00', '#f5c451'],
  crit: ['#111318', '#ffffff'],
  'crit-halo': ['#ffffff', '#000000'],
} as const;

export type ColourToken = keyof typeof PAIRS;
export type Tokens = Readonly<Record<ColourToken, string>>;

export const COLOUR_TOKENS = Object.keys(PAIRS) as ColourToken[];

const LIGHT = pick(0);
const DARK = pick(1);

/** The colours of one theme. */
export function tokensOf(theme: Theme): Tokens {
  return theme === 'light' ? LIGHT : DARK;
}

function pick(index: 0 | 1): Tokens {
  return Object.fromEntries(COLOUR_TOKENS.map((token) => [token, PAIRS[token][index]])) as Record<ColourToken, string>;
}
