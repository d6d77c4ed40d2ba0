// Chooses a field: those that spans of this trace have, found by part of the name, or one that is typed.

import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { traceKeysQuestion } from '../../../api/questions.ts';
import { openedTrace } from '../../../core/openedTraces.ts';
import { SearchField } from '../../../ui/SearchField/SearchField.tsx';
import { useTracePage } from '../state/page.tsx';
import css from './Toolbar.module.css';
import { text } from './text.ts';

const SHOWN_MAX = 60;

/** What every span has, beside its attributes. */
const OWN_FIELDS = ['kind', 'status', 'statusMessage', 'instrumentation:name'];

type Props = {
  onPick: (field: string) => void;
  first?: readonly string[];
  except?: readonly string[];
  /** Words for fields that are not shown as they are written. */
  labels?: Readonly<Record<string, string>>;
};

export function KeyPicker({ onPick, first = [], except = [], labels = {} }: Props) {
  const { session } = useTracePage();
  const { traceId, version } = session.columns;
  const [wanted, setWanted] = useState('');
  const { queryFn } = traceKeysQuestion(traceId);
  const { data, error, isFetching } = useQuery({
    queryKey: ['keys', traceId, version],
    queryFn: async (context) => (await openedTrace(traceId)?.keys()) ?? (await queryFn(context)).keys,
    retry: false,
  });
  const lower = wanted.trim().toLowerCase();
  const known = (data ?? []).map(({ field, spans }) => ({ field, detail: text.keySpans(spans) }));
  const own = [...new Set([...first, ...OWN_FIELDS])].filter((field) => !known.some((one) => one.field === field));
  const all = [...own.map((field) => ({ field, detail: '' })), ...known];
  const labelOf = (field: string) => labels[field] ?? field;
  const found = all.filter(
    ({ field }) => `${field} ${labelOf(field)}`.toLowerCase().includes(lower) && !except.includes(field),
  );
  const isTyped =
    lower !== '' && !all.some(({ field }) => field.toLowerCase() === lower || labelOf(field).toLowerCase() === lower);
  return (
    <div className={css['list']}>
      <SearchField
        isMono
        label={text.keysFind}
        value={wanted}
        onChange={setWanted}
        onEnter={() => {
          const chosen = found[0]?.field ?? (isTyped ? wanted.trim() : undefined);
          if (chosen !== undefined) onPick(chosen);
        }}
      />
      <ul className={css['items']}>
        {found.slice(0, SHOWN_MAX).map(({ field, detail }) => (
          <li key={field}>
            <button type="button" className={css['key']} onClick={() => onPick(field)}>
              <span className={css['keyName']}>{labelOf(field)}</span>
              <span className={css['itemEnd']}>{detail}</span>
            </button>
          </li>
        ))}
        {isTyped && (
          <li>
            <button type="button" className={css['key']} onClick={() => onPick(wanted.trim())}>
              {text.keysOwn(wanted.trim())}
            </button>
          </li>
        )}
      </ul>
      {error !== null && <p className={css['note']}>{`${text.keysFailed}: ${error.message}`}</p>}
      {isFetching && <p className={css['note']}>{text.looking}</p>}
    </div>
  );
}
