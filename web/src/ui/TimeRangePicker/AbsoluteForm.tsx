// Two instants as text, in the zone that is named below them.

import { useId, useState } from 'react';
import { Button } from '../Button/Button.tsx';
import fieldCss from '../Field/Field.module.css';
import { cx } from '../props.ts';
import css from './TimeRangePicker.module.css';
import type { TimeRange } from './TimeRangePicker.tsx';
import { text } from './text.ts';
import { durationNs, readTime, writeTime, zoneOffsetText } from './times.ts';

type AbsoluteFormProps = { value: TimeRange; zone: string; nowNs: () => bigint; onTake: (range: TimeRange) => void };
type FieldProps = { label: string; value: string; error: string | null; onChange: (value: string) => void };

function TimeField({ label, value, error, onChange }: FieldProps) {
  const id = useId();
  return (
    <div className={cx(fieldCss['field'], fieldCss['above'])}>
      <label htmlFor={id} className={fieldCss['label']}>
        {label}
      </label>
      <span className={cx(fieldCss['box'], error !== null && fieldCss['invalid'])}>
        <input
          id={id}
          className={cx(fieldCss['input'], fieldCss['mono'])}
          value={value}
          aria-invalid={error !== null || undefined}
          aria-describedby={error === null ? undefined : `${id}-error`}
          spellCheck={false}
          autoComplete="off"
          onChange={(event) => onChange(event.target.value)}
        />
      </span>
      {error !== null && (
        <span id={`${id}-error`} role="alert" className={fieldCss['error']}>
          {error}
        </span>
      )}
    </div>
  );
}

export function AbsoluteForm({ value, zone, nowNs, onTake }: AbsoluteFormProps) {
  // To the second: nobody asked for the milliseconds of now.
  const [now] = useState(() => (nowNs() / 1_000_000_000n) * 1_000_000_000n);
  const [start] = useState(() => {
    if ('range' in value) return { from: now - (durationNs(value.range) ?? 0n), to: now };
    return { from: BigInt(value.fromNs), to: BigInt(value.toNs) };
  });
  const [from, setFrom] = useState(() => writeTime(start.from, zone));
  const [to, setTo] = useState(() => writeTime(start.to, zone));
  const [errors, setErrors] = useState<{ from: string | null; to: string | null }>({ from: null, to: null });

  // Texts that were not touched mean what they came from, to the nanosecond.
  function read(typed: string, original: bigint): bigint | null {
    return typed === writeTime(original, zone) ? original : readTime(typed, zone, nowNs());
  }
  function submit() {
    const fromNs = read(from, start.from);
    const toNs = read(to, start.to);
    const isOrdered = fromNs === null || toNs === null || fromNs < toNs;
    const toError = isOrdered ? null : text.badOrder;
    setErrors({ from: fromNs === null ? text.badTime : null, to: toNs === null ? text.badTime : toError });
    if (fromNs !== null && toNs !== null && isOrdered) onTake({ fromNs: String(fromNs), toNs: String(toNs) });
  }

  return (
    <form
      className={css['form']}
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <h3 className={css['title']}>{text.absolute}</h3>
      <TimeField label={text.from} value={from} error={errors.from} onChange={setFrom} />
      <TimeField label={text.to} value={to} error={errors.to} onChange={setTo} />
      <div className={css['foot']}>
        <span className={css['zone']}>{text.zone(zone, zoneOffsetText(start.to, zone))}</span>
        <Button type="submit" variant="primary" size="small">
          {text.apply}
        </Button>
      </div>
    </form>
  );
}
