// How the text of a query looks: the tokens of the style sheet, through CodeMirror's own rules. Fields stand out, since
// a reader looks for them; values are plain.

export const LOOK = {
  '&': { fontSize: '12px', backgroundColor: 'transparent', color: 'var(--fg)', maxHeight: '128px' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--font-mono)', lineHeight: '20px', overflow: 'auto' },
  '.cm-content': { padding: '3px 0', caretColor: 'var(--fg)' },
  '.cm-line': { padding: '0' },
  '.cm-query-field': { color: 'var(--accent)' },
  '.cm-query-operator, .cm-query-bracket, .cm-query-comment': { color: 'var(--fg-2)' },
  '.cm-query-number, .cm-query-word': { fontWeight: '600' },
  '.cm-query-comment': { fontStyle: 'italic' },
  '.cm-placeholder': { color: 'var(--fg-2)' },
  '&.cm-focused .cm-matchingBracket': { backgroundColor: 'var(--accent-soft)' },
  '.cm-selectionBackground, ::selection': {
    backgroundColor: 'color-mix(in srgb, var(--accent) 30%, transparent) !important',
  },
  '.cm-tooltip': {
    border: '1px solid var(--edge)',
    borderRadius: '6px',
    backgroundColor: 'var(--raised)',
    color: 'var(--fg)',
    boxShadow: 'var(--shadow-overlay)',
  },
  '.cm-tooltip.cm-tooltip-autocomplete > ul': {
    fontFamily: 'var(--font-mono)',
    fontSize: '12px',
    maxHeight: 'none',
    padding: '4px',
  },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li': {
    display: 'flex',
    gap: '16px',
    minHeight: '24px',
    padding: '2px 8px',
    lineHeight: '20px',
    borderRadius: '3px',
  },
  '.cm-tooltip-autocomplete ul li[aria-selected]': {
    backgroundColor: 'color-mix(in srgb, var(--fg) 8%, transparent)',
    color: 'var(--fg)',
  },
  '.cm-completionLabel': { flex: '1' },
  '.cm-completionMatchedText': { textDecoration: 'none', color: 'var(--accent)', fontWeight: '600' },
  '.cm-completionDetail': { marginLeft: '0', color: 'var(--fg-2)', fontStyle: 'normal', fontFamily: 'var(--font-ui)' },
  '.cm-diagnostic': { padding: '6px 10px', borderLeft: '0', fontFamily: 'var(--font-ui)', fontSize: '12px' },
  '.cm-diagnosticAction': {
    minHeight: '24px',
    marginLeft: '8px',
    padding: '2px 8px',
    border: '1px solid var(--edge)',
    borderRadius: 'var(--radius)',
    backgroundColor: 'var(--hover)',
    color: 'var(--fg)',
  },
  '.cm-lintRange-error': {
    backgroundImage: 'none',
    textDecoration: 'underline wavy var(--error) 1px',
    textUnderlineOffset: '3px',
  },
  '.cm-lintRange-warning': {
    backgroundImage: 'none',
    textDecoration: 'underline wavy var(--warn) 1px',
    textUnderlineOffset: '3px',
  },
} as const;
