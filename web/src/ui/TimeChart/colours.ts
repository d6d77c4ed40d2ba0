// The colours of a chart as the canvas needs them: the tokens, as they are where the chart stands.

const TOKENS = {
  accent: 'var(--accent)',
  error: 'var(--error-fill)',
  strong: 'var(--fg)',
  quiet: 'var(--line-strong)',
  text: 'var(--fg-2)',
  line: 'var(--line)',
  background: 'var(--bg)',
  soft: 'color-mix(in srgb, var(--accent) 14%, transparent)',
} as const;

export function toneColours(box: HTMLElement): Record<keyof typeof TOKENS, string> {
  const probe = document.createElement('span');
  probe.hidden = true;
  // Mixed colours are none of the system's, and would be forced to be text.
  probe.style.setProperty('forced-color-adjust', 'none');
  box.append(probe);
  const read = (colour: string) => {
    probe.style.color = colour;
    return getComputedStyle(probe).color;
  };
  const colours = Object.fromEntries(Object.entries(TOKENS).map(([name, colour]) => [name, read(colour)]));
  probe.remove();
  return colours as Record<keyof typeof TOKENS, string>;
}
