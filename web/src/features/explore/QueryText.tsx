// The query as text. A plain field is there at once and always works; when it is first used, the editor with colours,
// marks and completion takes its place.

import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { completionQuestion, type Window } from '../../api/questions.ts';
import type { Diagnostic } from '../../api/types.ts';
import type { Editor, EditorOptions } from '../../query/editor.ts';
import css from './Query.module.css';
import { text } from './text.ts';

type QueryTextProps = {
  value: string;
  diagnostics: readonly Diagnostic[];
  window: Window;
  isFocused: boolean;
  onChange: (value: string) => void;
  onRun: () => void;
  onLeave: () => void;
};

type Functions = Pick<EditorOptions, 'onChange' | 'onRun' | 'onLeave' | 'complete'>;

export function QueryText({ value, diagnostics, window, isFocused, onChange, onRun, onLeave }: QueryTextProps) {
  const input = useRef<HTMLInputElement>(null);
  const place = useRef<HTMLDivElement>(null);
  const editor = useRef<Editor | null>(null);
  const isGone = useRef(false);
  const wantsFocus = useRef(false);
  const [hasEditor, setHasEditor] = useState(false);
  const client = useQueryClient();
  const latest = useRef<Functions & { value: string }>(null);
  latest.current = {
    value,
    onChange,
    onRun,
    onLeave,
    complete: (query, at) => client.fetchQuery({ ...completionQuestion(query, at, window), staleTime: 30_000 }),
  };

  useEffect(() => {
    isGone.current = false;
    return () => {
      isGone.current = true;
      editor.current?.destroy();
      editor.current = null;
    };
  }, []);
  useEffect(() => {
    if (isFocused) input.current?.focus();
  }, [isFocused]);
  useEffect(() => editor.current?.setText(value), [value]);
  // It takes the focus once it is seen.
  useEffect(() => {
    if (hasEditor && wantsFocus.current) editor.current?.focus();
  }, [hasEditor]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new editor gets the marks, too
  useEffect(() => editor.current?.setMarks(diagnostics), [diagnostics, hasEditor]);

  async function swap() {
    const { createEditor } = await import('../../query/editor.ts');
    const field = input.current;
    if (isGone.current || editor.current || !field || !place.current) return;
    const hadFocus = document.activeElement === field;
    editor.current = createEditor({
      parent: place.current,
      text: field.value,
      caret: field.selectionStart ?? field.value.length,
      label: text.query,
      placeholder: text.queryPlaceholder,
      onChange: (next) => {
        if (next !== latest.current?.value) latest.current?.onChange(next);
      },
      onRun: () => latest.current?.onRun(),
      onLeave: () => latest.current?.onLeave(),
      complete: (query, at, signal) =>
        latest.current?.complete(query, at, signal) ?? Promise.reject(new Error('the page is gone')),
    });
    wantsFocus.current = hadFocus;
    setHasEditor(true);
  }

  return (
    <div className={css['text']}>
      {!hasEditor && (
        <input
          ref={input}
          className={css['plain']}
          aria-label={text.query}
          placeholder={text.queryPlaceholder}
          spellCheck={false}
          autoComplete="off"
          value={value}
          // Without the editor, writing goes on in the field.
          onFocus={() => void swap().catch(() => undefined)}
          onChange={(event) => onChange(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter') onRun();
            else if (event.key === 'Escape') onLeave();
            else return;
            event.preventDefault();
          }}
        />
      )}
      <div ref={place} className={css['editor']} hidden={!hasEditor} />
    </div>
  );
}
