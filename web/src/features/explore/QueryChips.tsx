// The conditions of a query one by one. What is no simple comparison is a chip of text.

import { Plus } from 'lucide-react';
import { Suspense, useRef, useState } from 'react';
import type { Window } from '../../api/questions.ts';
import type { Chip as QueryChip } from '../../api/types.ts';
import { chipOf, deniedText, isExcluding, opposite, plusChip, withChip, withoutChip } from '../../query/chips.ts';
import { fieldLabel, valueLabel } from '../../query/fields.ts';
import { Button } from '../../ui/Button/Button.tsx';
import { Chip, type ChipLabel } from '../../ui/Chip/Chip.tsx';
import { MenuItem } from '../../ui/Menu/Menu.tsx';
import { Popover, PopoverTrigger } from '../../ui/Popover/Popover.tsx';
import { FilterForm } from './lazies.ts';
import css from './Query.module.css';
import { text } from './text.ts';

function labelOf(chip: QueryChip): ChipLabel {
  const { comparison } = chip;
  if (comparison !== null && comparison.value !== '')
    return { field: fieldLabel(comparison.field), op: comparison.op, value: valueLabel(comparison.value) };
  return { text: deniedText(chip.text) ?? chip.text };
}

type ConditionProps = {
  chip: QueryChip;
  window: Window;
  onChange: (chip: QueryChip) => void;
  onRemove: () => void;
};

function Condition({ chip, window, onChange, onRemove }: ConditionProps) {
  const place = useRef<HTMLSpanElement>(null);
  const [isOpen, setOpen] = useState(false);
  const { comparison } = chip;
  return (
    <span ref={place} className={css['condition']}>
      <Chip
        label={labelOf(chip)}
        editText={chip.text}
        isExcluded={comparison === null && isExcluding(chip)}
        onRemove={onRemove}
        onEdit={(edited) => onChange({ text: edited, comparison: null })}
        onExclude={() => onChange(opposite(chip))}
        menu={
          comparison !== null &&
          comparison.value !== '' && <MenuItem id="change" label={text.changeValue} onAction={() => setOpen(true)} />
        }
      />
      {comparison !== null && (
        <Popover label={text.filterEdit} triggerRef={place} isOpen={isOpen} onOpenChange={setOpen}>
          {(close) => (
            <Suspense>
              <FilterForm
                window={window}
                initial={comparison}
                onDone={(next) => {
                  close();
                  onChange(chipOf(next));
                }}
              />
            </Suspense>
          )}
        </Popover>
      )}
    </span>
  );
}

type QueryChipsProps = {
  chips: readonly QueryChip[];
  window: Window;
  onChange: (chips: readonly QueryChip[]) => void;
};

export function QueryChips({ chips, window, onChange }: QueryChipsProps) {
  return (
    <fieldset className={css['chips']} aria-label={text.conditions}>
      {chips.length === 0 && <span className={css['every']}>{text.everySpan}</span>}
      {chips.map((chip, at) => (
        <Condition
          key={chip.text}
          chip={chip}
          window={window}
          onChange={(next) => onChange(next.text.trim() === '' ? withoutChip(chips, at) : withChip(chips, at, next))}
          onRemove={() => onChange(withoutChip(chips, at))}
        />
      ))}
      <PopoverTrigger>
        <Button size="small" variant="quiet" icon={Plus}>
          {text.addFilter}
        </Button>
        <Popover label={text.filterForm}>
          {(close) => (
            <Suspense>
              <FilterForm
                window={window}
                onDone={(comparison) => {
                  close();
                  onChange(plusChip(chips, chipOf(comparison)));
                }}
              />
            </Suspense>
          )}
        </Popover>
      </PopoverTrigger>
    </fieldset>
  );
}
