// Traces to choose from: a pasted id or link, those of the search, those that were put aside, those opened lately.

import { useState } from 'react';
import { type Preferences, usePreferences } from '../../core/preferences.ts';
import { Button } from '../../ui/Button/Button.tsx';
import { parseTraceId } from '../../url/ids.ts';
import { type CompareState, parsePasted, type TraceId } from '../../url/index.ts';
import css from './Choices.module.css';
import { shortId } from './names.ts';
import { text } from './text.ts';

/** The id of a text: the id itself, or a link to its trace. */
function idOf(typed: string): TraceId | null {
  const route = parsePasted(typed)?.route;
  if (route?.page === 'trace') return route.state.traceId;
  return parseTraceId(typed.trim());
}

function PasteForm({ onTake }: { onTake: (id: TraceId) => void }) {
  const [typed, setTyped] = useState('');
  const [isBad, setBad] = useState(false);
  return (
    <form
      className={css['paste']}
      onSubmit={(event) => {
        event.preventDefault();
        const id = idOf(typed);
        setBad(id === null);
        if (id !== null) onTake(id);
      }}
    >
      <input
        className={css['input']}
        aria-label={text.pasteId}
        aria-invalid={isBad || undefined}
        placeholder={text.pastePlaceholder}
        value={typed}
        spellCheck={false}
        autoComplete="off"
        onChange={(event) => {
          setTyped(event.target.value);
          setBad(false);
        }}
      />
      <Button type="submit">{text.take}</Button>
      {isBad && (
        <p role="alert" className={css['bad']}>
          {text.badId}
        </p>
      )}
    </form>
  );
}

type ListProps = {
  title: string;
  ids: readonly TraceId[];
  titles: Preferences['recent'];
  onTake: (id: TraceId) => void;
};

function List({ title, ids, titles, onTake }: ListProps) {
  if (ids.length === 0) return null;
  return (
    <section>
      <h3 className={css['listTitle']}>{title}</h3>
      <ul>
        {ids.map((id) => (
          <li key={id}>
            <button type="button" className={css['option']} onClick={() => onTake(id)}>
              <code>{shortId(id)}</code>
              <span className={css['optionName']}>{titles.find(({ traceId }) => traceId === id)?.title}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

export type ChoicesProps = {
  state: Pick<CompareState, 'cohort'>;
  /** What is chosen already. */
  not: TraceId | null;
  onTake: (id: TraceId) => void;
};

export function Choices({ state, not, onTake }: ChoicesProps) {
  const { basket, recent } = usePreferences();
  const listed = new Set<TraceId>(not === null ? [] : [not]);
  /** Each trace once, where it comes first. */
  const once = (ids: readonly TraceId[]) =>
    ids.filter((one) => {
      const isNew = !listed.has(one);
      listed.add(one);
      return isNew;
    });
  const lists = [
    { title: text.fromCohort, ids: once(state.cohort) },
    { title: text.fromBasket, ids: once(basket) },
    { title: text.fromRecent, ids: once(recent.map(({ traceId }) => traceId)) },
  ];
  return (
    <div className={css['choices']}>
      <PasteForm onTake={onTake} />
      {lists.map(({ title, ids }) => (
        <List key={title} title={title} ids={ids} titles={recent} onTake={onTake} />
      ))}
      {lists.every(({ ids }) => ids.length === 0) && <p className={css['quiet']}>{text.noneKnown}</p>}
    </div>
  );
}
