// How a page that shows ours in a frame asked for it: Jaeger's `uiEmbed=v0` with its switches, or our own `embed=1`
// with the same ones. Read once per link and printed into every link from there, or the frame would fall back to the
// whole page at the first click.

import type { Param, Params } from './fields.ts';
import type { EmbedState } from './state.ts';
import { text } from './text.ts';

export const NOT_EMBEDDED: EmbedState = {
  mode: 'off',
  hideSearchGraph: false,
  collapseTitle: false,
  hideMinimap: false,
  hideSummary: false,
  theme: null,
};

const SWITCHES = {
  hideSearchGraph: 'uiSearchHideGraph',
  collapseTitle: 'uiTimelineCollapseTitle',
  hideMinimap: 'uiTimelineHideMinimap',
  hideSummary: 'uiTimelineHideSummary',
} as const;

const THEME = 'uiTheme';

export function readEmbed(params: Params): EmbedState {
  const jaeger = params.first('uiEmbed');
  const own = params.first('embed');
  if (jaeger !== null && jaeger !== 'v0') params.note(text.embed);
  const mode = jaeger === 'v0' ? 'jaeger' : own === '1' ? 'own' : 'off';
  const isOn = (key: string) => params.first(key) === '1';
  const state: EmbedState = {
    mode,
    hideSearchGraph: isOn(SWITCHES.hideSearchGraph),
    collapseTitle: isOn(SWITCHES.collapseTitle),
    hideMinimap: isOn(SWITCHES.hideMinimap),
    hideSummary: isOn(SWITCHES.hideSummary),
    theme: readTheme(params),
  };
  // A link of the whole page must not change how the reader sees it.
  return mode === 'off' ? NOT_EMBEDDED : state;
}

export function printEmbed(embed: EmbedState): Param[] {
  if (embed.mode === 'off') return [];
  const params: Param[] = [embed.mode === 'jaeger' ? ['uiEmbed', 'v0'] : ['embed', '1']];
  for (const key of Object.keys(SWITCHES) as (keyof typeof SWITCHES)[]) {
    if (embed[key]) params.push([SWITCHES[key], '1']);
  }
  if (embed.theme !== null) params.push([THEME, embed.theme]);
  return params;
}

function readTheme(params: Params): 'light' | 'dark' | null {
  const theme = params.first(THEME);
  return theme === 'light' || theme === 'dark' ? theme : null;
}
