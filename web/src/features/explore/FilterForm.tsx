// A condition as three fields: what, how, which value. Choosing a value of the list takes the whole condition.

import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { queryQuestion, type Window } from '../../api/questions.ts';
import type { Comparison, Diagnostic } from '../../api/types.ts';
import { comparisonText } from '../../query/chips.ts';
import { fieldLabel, literalOf, operatorsOf, SERVICE, typeOf, valueLabel } from '../../query/fields.ts';
import { Button } from '../../ui/Button/Button.tsx';
import { ComboBox, type ComboBoxItem } from '../../ui/ComboBox/ComboBox.tsx';
import { Select } from '../../ui/Select/Select.tsx';
import { ServiceDot } from '../../ui/ServiceName/ServiceName.tsx';
import { Diagnostics } from './Diagnostics.tsx';
import css from './Query.module.css';
import { serviceColour } from './serviceColour.ts';
import { text } from './text.ts';
import { useFields, useValues } from './useSuggestions.ts';

type FilterFormProps = {
  window: Window;
  initial?: Comparison | undefined;
  onDone: (comparison: Comparison) => void;
};

export function FilterForm({ window, initial, onDone }: FilterFormProps) {
  const client = useQueryClient();
  const [field, setField] = useState(initial?.field ?? '');
  const [fieldText, setFieldText] = useState(initial ? fieldLabel(initial.field) : '');
  const [op, setOp] = useState(initial?.op ?? '=');
  const [typed, setTyped] = useState(initial ? valueLabel(initial.value) : '');
  const valuePlace = useRef<HTMLDivElement>(null);
  const wantsValue = useRef(false);
  // Who has chosen what goes on to which value.
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is the choice that moves the focus
  useEffect(() => {
    if (!wantsValue.current) return;
    wantsValue.current = false;
    valuePlace.current?.querySelector<HTMLInputElement>('input[role="combobox"]')?.focus();
  }, [field, fieldText]);
  const [problems, setProblems] = useState<readonly Diagnostic[]>([]);
  const isFieldChosen = field !== '' && fieldText === fieldLabel(field);
  const fields = useFields(isFieldChosen ? '' : fieldText, window);
  const isValueGiven = initial !== undefined && typed === valueLabel(initial.value);
  const values = useValues(field, op, isValueGiven ? '' : typed, window);

  /** What is typed out as the list shows it is that of the list: `service`, or an attribute without its scope. */
  function fieldNamed(name: string): string {
    return fields.items.find((item) => fieldLabel(item.text) === name)?.text ?? name;
  }
  /** Of the few words that a field may have, a beginning is enough. */
  function literalMeant(given: string): string {
    const type = typeOf(field);
    const begun = values.items.filter((item) => item.text.startsWith(given.trim()));
    const isWord = type === 'status' || type === 'kind';
    return (isWord && begun.length === 1 && begun[0]?.text) || literalOf(field, op, given);
  }
  function chooseField(chosen: string) {
    setField(chosen);
    setFieldText(fieldLabel(chosen));
    setProblems([]);
    wantsValue.current = true;
    if (chosen === field) return;
    setTyped('');
    const [usual = '='] = operatorsOf(chosen);
    setOp(usual);
  }
  async function take(literal: string) {
    const comparison = { field: field === '' ? fieldText.trim() : field, op, value: literal };
    if (comparison.field === '') return;
    // The server says whether it can be read before it becomes part of the query; without an answer it does so after.
    const answer = await client.fetchQuery(queryQuestion(`{ ${comparisonText(comparison)} }`)).catch(() => null);
    const wrong = answer?.diagnostics.filter(({ severity }) => severity === 'error') ?? [];
    setProblems(wrong.map((one) => ({ ...one, proposal: null })));
    if (wrong.length === 0) onDone(answer?.chips[0]?.comparison ?? comparison);
  }

  const valueItems = values.items.map(
    (item, at): ComboBoxItem => ({
      id: String(at),
      label: valueLabel(item.text),
      count: item.count,
      ...(field === SERVICE && { lead: <ServiceDot color={serviceColour(valueLabel(item.text))} /> }),
    }),
  );
  return (
    <div className={css['form']}>
      <ComboBox
        label={text.field}
        labelPlace="above"
        placeholder={text.fieldPlaceholder}
        isMono
        autoFocus
        items={fields.items.map((item) => ({ id: item.text, label: fieldLabel(item.text), count: item.count }))}
        isLoading={fields.isLoading}
        inputValue={fieldText}
        onInputChange={(next) => {
          setFieldText(next);
          if (next !== fieldLabel(field)) setField('');
        }}
        onSelect={(item) => chooseField(item.id)}
        onCustom={(custom) => chooseField(fieldNamed(custom))}
      />
      <div ref={valuePlace} className={css['formLine']}>
        <Select
          label={text.operator}
          labelPlace="above"
          items={operatorsOf(field).map((id) => ({ id, label: id }))}
          value={op}
          onChange={setOp}
        />
        <ComboBox
          label={text.value}
          labelPlace="above"
          placeholder={text.valuePlaceholder}
          className={css['formValue']}
          isMono
          items={valueItems}
          isLoading={values.isLoading}
          inputValue={typed}
          onInputChange={setTyped}
          onSelect={(item) => {
            setTyped(item.label);
            const literal = values.items[Number(item.id)]?.text;
            if (literal !== undefined) void take(literal);
          }}
          onCustom={(custom) => void take(literalMeant(custom))}
        />
      </div>
      <Diagnostics diagnostics={problems} text="" onMend={() => undefined} />
      <div className={css['formEnd']}>
        <Button
          variant="primary"
          isDisabled={fieldText.trim() === '' || typed.trim() === ''}
          onPress={() => void take(literalMeant(typed))}
        >
          {initial ? text.apply : text.add}
        </Button>
      </div>
    </div>
  );
}
