// The query of the page: conditions or text, two views of the same. Text is a draft until it is run.

import { useQuery } from '@tanstack/react-query';
import { Code, History, Play, SlidersHorizontal, X } from 'lucide-react';
import { Suspense, useEffect, useState } from 'react';
import { queryQuestion, type Window } from '../../api/questions.ts';
import type { Diagnostic } from '../../api/types.ts';
import { prefer, usePreferences } from '../../core/preferences.ts';
import { Button } from '../../ui/Button/Button.tsx';
import { IconButton } from '../../ui/IconButton/IconButton.tsx';
import { Menu, MenuItem, MenuTrigger } from '../../ui/Menu/Menu.tsx';
import { Diagnostics, QueryText } from './lazies.ts';
import css from './Query.module.css';
import { QueryChips } from './QueryChips.tsx';
import { text } from './text.ts';
import { useDebounced } from './useDebounced.ts';
import type { Changes } from './useExplore.ts';
import type { ParsedQuery } from './useParsedQuery.ts';

const LINT_MS = 250;
const HISTORY_SHOWN = 100;

/** What is wrong with a draft; nothing while it is being typed. */
function useLint(draft: string): readonly Diagnostic[] {
  const settled = useDebounced(draft, LINT_MS);
  const { data } = useQuery({ ...queryQuestion(settled), enabled: settled.trim() !== '' });
  return settled === draft ? (data?.diagnostics ?? []) : [];
}

function HistoryMenu({ onRun }: { onRun: (q: string) => void }) {
  const { history } = usePreferences();
  return (
    <MenuTrigger>
      <IconButton icon={History} label={text.history} />
      <Menu label={text.history} placement="bottom end">
        {history.length === 0 && <MenuItem id="none" label={text.historyEmpty} isDisabled />}
        {history.slice(0, HISTORY_SHOWN).map((q, at) => (
          <MenuItem key={q} id={String(at)} label={q} onAction={() => onRun(q)} />
        ))}
      </Menu>
    </MenuTrigger>
  );
}

type QueryBarProps = {
  q: string;
  parsed: ParsedQuery;
  /** What the search had to say, where the reader of queries has not said it. */
  problems: readonly Diagnostic[];
  window: Window;
  /** Whether nothing was searched yet: then the button stands out. */
  isWaiting: boolean;
  changes: Changes;
};

export function QueryBar({ q, parsed, problems, window, isWaiting, changes }: QueryBarProps) {
  const { queryAs } = usePreferences();
  const [draft, setDraft] = useState(q);
  const [wantsFocus, setWantsFocus] = useState(false);
  useEffect(() => setDraft(q), [q]);
  const hasErrors = parsed.chips === null && parsed.diagnostics.length > 0;
  const isText = queryAs === 'text' || hasErrors;
  const lint = useLint(isText ? draft : '');
  const diagnostics = isText ? (draft === q && lint.length === 0 ? problems : lint) : parsed.diagnostics;

  const runText = (next = draft) => {
    setDraft(next);
    changes.run(next.trim() === '{}' ? '' : next.trim());
  };
  const toText = () => {
    setWantsFocus(true);
    prefer({ queryAs: 'text' });
  };
  const toChips = () => {
    if (draft.trim() !== q) runText();
    prefer({ queryAs: 'chips' });
  };
  return (
    <div className={css['bar']}>
      <div className={css['line']}>
        <div className={css['box']} data-invalid={diagnostics.some((one) => one.severity === 'error') || undefined}>
          {isText ? (
            <Suspense fallback={<div className={css['waiting']}>{draft}</div>}>
              <QueryText
                value={draft}
                diagnostics={diagnostics}
                window={window}
                isFocused={wantsFocus}
                onChange={setDraft}
                onRun={() => runText()}
                onLeave={() => (hasErrors ? setDraft(q) : toChips())}
              />
            </Suspense>
          ) : (
            <QueryChips chips={parsed.chips ?? []} window={window} onChange={changes.setChips} />
          )}
          <div className={css['boxEnd']}>
            {(isText ? draft : q) !== '' && (
              <IconButton icon={X} label={text.clear} size="small" onPress={() => runText('')} />
            )}
            <HistoryMenu onRun={runText} />
            <IconButton
              icon={isText ? SlidersHorizontal : Code}
              label={isText ? text.editAsChips : text.editAsText}
              isDisabled={hasErrors}
              onPress={isText ? toChips : toText}
            />
          </div>
        </div>
        {(isText || isWaiting) && (
          <Button
            icon={Play}
            variant={isWaiting || draft.trim() !== q ? 'primary' : 'plain'}
            onPress={() => runText(isText ? draft : q)}
          >
            {text.run}
          </Button>
        )}
      </div>
      <Suspense>
        {diagnostics.length > 0 && <Diagnostics diagnostics={diagnostics} text={isText ? draft : q} onMend={runText} />}
      </Suspense>
    </div>
  );
}
