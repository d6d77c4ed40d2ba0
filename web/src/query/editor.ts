// The text view of a query: CodeMirror with colours, marks at what is wrong, and completion. Loaded when somebody
// begins to type; it knows nothing of the server and gets answers through functions.

import {
  acceptCompletion,
  autocompletion,
  type Completion,
  type CompletionContext,
  type CompletionResult,
  closeBrackets,
  closeBracketsKeymap,
  completionStatus,
  moveCompletionSelection,
  selectedCompletionIndex,
} from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, insertNewline } from '@codemirror/commands';
import { bracketMatching } from '@codemirror/language';
import { type Diagnostic as Mark, setDiagnostics } from '@codemirror/lint';
import { EditorState, Prec, RangeSetBuilder, StateField, type Text } from '@codemirror/state';
import { Decoration, type DecorationSet, EditorView, keymap, placeholder } from '@codemirror/view';
import type { CompletionAnswer, CompletionItem, Diagnostic } from '../api/types.ts';
import { formatCount } from '../format/number.ts';
import { LOOK } from './editorLook.ts';
import { tokensOf } from './tokens.ts';

/** So many that the list need not scroll: the arrows move what is shown. */
const OPTIONS_SHOWN = 10;

export type EditorOptions = {
  readonly parent: HTMLElement;
  readonly text: string;
  /** Where the caret of the plain field was. */
  readonly caret: number;
  readonly label: string;
  readonly placeholder: string;
  readonly onChange: (text: string) => void;
  readonly onRun: () => void;
  readonly onLeave: () => void;
  readonly complete: (text: string, at: number, signal: AbortSignal) => Promise<CompletionAnswer>;
};

export type Editor = {
  readonly setText: (text: string) => void;
  readonly setMarks: (diagnostics: readonly Diagnostic[]) => void;
  readonly focus: () => void;
  readonly destroy: () => void;
};

/** Queries are short: all of it is coloured anew at each change. */
function coloursOf(text: Text): DecorationSet {
  const marks = new RangeSetBuilder<Decoration>();
  for (const { kind, from, to } of tokensOf(text.toString())) {
    marks.add(from, to, Decoration.mark({ class: `cm-query-${kind}` }));
  }
  return marks.finish();
}

const colours = StateField.define<DecorationSet>({
  create: (state) => coloursOf(state.doc),
  update: (marks, change) => (change.docChanged ? coloursOf(change.state.doc) : marks),
  provide: (field) => EditorView.decorations.from(field),
});

function optionOf(item: CompletionItem, order: number): Completion {
  const count = item.count === null ? '' : formatCount(item.count);
  return {
    label: item.text,
    type: item.kind,
    detail: [item.detail, count].filter((part) => part !== '').join(' · '),
    // The server's order is by use; the editor keeps it where letters match alike.
    boost: -order / 10,
    ...(item.kind === 'field' || item.kind === 'attribute' ? { apply: `${item.text} ` } : {}),
  };
}

function sourceOf(options: EditorOptions) {
  return async (context: CompletionContext): Promise<CompletionResult | null> => {
    const before = context.state.sliceDoc(Math.max(0, context.pos - 1), context.pos);
    if (!context.explicit && before === '}') return null;
    const abort = new AbortController();
    context.addEventListener('abort', () => abort.abort());
    try {
      const answer = await options.complete(context.state.doc.toString(), context.pos, abort.signal);
      const found = answer.items.map(optionOf);
      return {
        from: answer.from,
        to: answer.to,
        options: found,
        ...(answer.isAll ? { validFor: /^[\w.:"/-]*$/ } : {}),
      };
    } catch {
      // No suggestions: writing goes on without them.
      return null;
    }
  };
}

function completeByTab(view: EditorView): boolean {
  if (completionStatus(view.state) !== 'active') return false;
  if (selectedCompletionIndex(view.state) === null) moveCompletionSelection(true)(view);
  return acceptCompletion(view);
}

export function createEditor(options: EditorOptions): Editor {
  const run = () => {
    options.onRun();
    return true;
  };
  const leave = () => {
    options.onLeave();
    return true;
  };
  const view = new EditorView({
    parent: options.parent,
    state: EditorState.create({
      doc: options.text,
      selection: { anchor: Math.min(options.caret, options.text.length) },
      extensions: [
        history(),
        colours,
        bracketMatching(),
        closeBrackets(),
        // Enter runs the query unless a suggestion was chosen by the arrows.
        autocompletion({
          override: [sourceOf(options)],
          selectOnOpen: false,
          icons: false,
          maxRenderedOptions: OPTIONS_SHOWN,
        }),
        Prec.high(keymap.of([{ key: 'Tab', run: completeByTab }])),
        keymap.of([
          { key: 'Enter', run, shift: insertNewline },
          { key: 'Mod-Enter', run },
          { key: 'Escape', run: leave },
          ...closeBracketsKeymap,
          ...historyKeymap,
          ...defaultKeymap,
        ]),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ 'aria-label': options.label, spellcheck: 'false' }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) options.onChange(update.state.doc.toString());
        }),
        placeholder(options.placeholder),
        EditorView.theme(LOOK),
      ],
    }),
  });
  return {
    setText: (text) => {
      if (view.state.doc.toString() === text) return;
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
    },
    setMarks: (diagnostics) => {
      view.dispatch(setDiagnostics(view.state, marksOf(diagnostics, view.state.doc.length)));
    },
    focus: () => view.focus(),
    destroy: () => view.destroy(),
  };
}

/** Within the text: an answer may be about what stood there a moment ago. */
function marksOf(diagnostics: readonly Diagnostic[], length: number): Mark[] {
  return diagnostics.map(({ from, to, severity, message, proposal }) => {
    const start = Math.min(from, length);
    return {
      from: start,
      to: Math.min(Math.max(to, start), length),
      severity,
      message,
      ...(proposal && {
        actions: [
          {
            name: proposal.label,
            apply: (view: EditorView) => {
              const end = view.state.doc.length;
              const changes = {
                from: Math.min(proposal.from, end),
                to: Math.min(proposal.to, end),
                insert: proposal.text,
              };
              view.dispatch({ changes });
            },
          },
        ],
      }),
    };
  });
}
