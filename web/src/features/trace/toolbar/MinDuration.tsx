// Hides spans shorter than a duration that one types or takes from a list.

import { ChevronDown } from 'lucide-react';
import { type FormEvent, useId, useState } from 'react';
import { commandsOf, useCommands } from '../../../core/commands.ts';
import { durationLiteral, formatDuration, parseDuration } from '../../../format/duration.ts';
import { niceStep } from '../../../format/durationAxis.ts';
import { Button } from '../../../ui/Button/Button.tsx';
import { Popover, PopoverTrigger } from '../../../ui/Popover/Popover.tsx';
import { TRACE_COMMANDS } from '../commands.ts';
import { update, useTracePage } from '../state/page.tsx';
import css from './Toolbar.module.css';
import { text } from './text.ts';

export function MinDuration() {
  const { state } = useTracePage();
  const [isOpen, setOpen] = useState(false);
  useCommands(commandsOf(TRACE_COMMANDS, { 'trace.hideShort': () => setOpen(true) }));
  return (
    <PopoverTrigger isOpen={isOpen} onOpenChange={setOpen}>
      <Button size="small" variant="quiet" end={<ChevronDown aria-hidden size={14} />}>
        {state.minNs > 0 ? text.hideShortOn(formatDuration(state.minNs)) : text.hideShort}
      </Button>
      <Popover label={text.hideShortLong}>{(close) => <MinForm onDone={close} />}</Popover>
    </PopoverTrigger>
  );
}

function MinForm({ onDone }: { onDone: () => void }) {
  const { state, session } = useTracePage();
  const [draft, setDraft] = useState(state.minNs > 0 ? durationLiteral(state.minNs) : '');
  const [isWrong, setWrong] = useState(false);
  const id = useId();
  const apply = (minNs: number) => {
    update({ minNs }, 'push');
    onDone();
  };
  function submit(event: FormEvent): void {
    event.preventDefault();
    const ns = draft.trim() === '' ? 0 : parseDuration(draft);
    if (ns === null) setWrong(true);
    else apply(ns);
  }
  const choices = [1_000, 100, 10].map((part) => niceStep(session.columns.durationNs / part));
  return (
    <form className={css['form']} onSubmit={submit}>
      <label htmlFor={id}>{text.hideShortLong}</label>
      <input
        id={id}
        className={css['input']}
        // biome-ignore lint/a11y/noAutofocus: the popover is opened to type here
        autoFocus
        value={draft}
        placeholder={text.hideShortField}
        aria-invalid={isWrong || undefined}
        aria-describedby={isWrong ? `${id}-why` : undefined}
        onChange={(event) => {
          setDraft(event.target.value);
          setWrong(false);
        }}
      />
      {isWrong && (
        <p id={`${id}-why`} role="alert" className={css['error']}>
          {text.hideShortWrong}
        </p>
      )}
      <div className={css['choices']}>
        {[...new Set(choices)].map((ns) => (
          <Button key={ns} size="small" onPress={() => apply(ns)}>
            {formatDuration(ns)}
          </Button>
        ))}
        <Button size="small" variant="quiet" isDisabled={state.minNs === 0} onPress={() => apply(0)}>
          {text.hideShortOff}
        </Button>
        <Button size="small" variant="primary" type="submit">
          {text.apply}
        </Button>
      </div>
    </form>
  );
}
