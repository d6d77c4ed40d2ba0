// Tells of another theme, whoever chose it, so that canvases can be painted anew.

/** Returns what ends it. */
export function onThemeChange(run: () => void): () => void {
  const attributes = new MutationObserver(run);
  attributes.observe(document.documentElement, { attributeFilter: ['data-theme'] });
  const queries = ['(prefers-color-scheme: dark)', '(forced-colors: active)'].map((query) => matchMedia(query));
  for (const query of queries) query.addEventListener('change', run);
  return () => {
    attributes.disconnect();
    for (const query of queries) query.removeEventListener('change', run);
  };
}
