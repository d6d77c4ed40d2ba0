// From when to when: the last so-and-so-long, which stays relative, or two instants. Text fields instead of a calendar:
// people paste times from logs.

import { ChevronDown, Clock } from 'lucide-react';
import { nowNs as wallNowNs } from '../../format/now.ts';
import { Button } from '../Button/Button.tsx';
import { Popover, PopoverTrigger } from '../Popover/Popover.tsx';
import { AbsoluteForm } from './AbsoluteForm.tsx';
import { RelativeList } from './RelativeList.tsx';
import css from './TimeRangePicker.module.css';
import { text } from './text.ts';
import { durationNs, writeTime, zoneOffsetText } from './times.ts';

/** Relative, as `1h`, or two instants in ns since the epoch. */
export type TimeRange = { range: string } | { fromNs: string; toNs: string };

export type TimeRangePickerProps = {
  value: TimeRange;
  onChange: (value: TimeRange) => void;
  /** `UTC` or an IANA zone: that in which times are read and shown. */
  zone: string;
  presets?: readonly string[] | undefined;
  /** The longest preset, as `2d`; absent: the longest of the usual ones. */
  longest?: string | undefined;
  /** Ranges chosen lately. */
  recent?: readonly TimeRange[] | undefined;
  /** To open it by a key of the registry. */
  isOpen?: boolean | undefined;
  onOpenChange?: ((isOpen: boolean) => void) | undefined;
  nowNs?: (() => bigint) | undefined;
};

const usualPresets = ['5m', '15m', '30m', '1h', '3h', '6h', '12h', '24h', '2d', '7d'];

/** The usual ones up to the longest, which is one of them. */
function presetsUpTo(longest: string | undefined): readonly string[] {
  const most = longest === undefined ? null : durationNs(longest);
  if (longest === undefined || most === null) return usualPresets;
  const shorter = usualPresets.filter((preset) => (durationNs(preset) ?? 0n) < most);
  return [...shorter, usualPresets.find((preset) => durationNs(preset) === most) ?? longest];
}

/** "Last 1 hour", or "2026-11-23 14:00:00 – 15:00:00 UTC+01:00". */
export function timeRangeText(range: TimeRange, zone: string): string {
  if ('range' in range) return text.last(range.range);
  const from = writeTime(BigInt(range.fromNs), zone);
  const to = writeTime(BigInt(range.toNs), zone);
  const end = to.slice(0, 10) === from.slice(0, 10) ? to.slice(11) : to;
  return `${from} – ${end} ${zoneOffsetText(BigInt(range.fromNs), zone)}`;
}

export function TimeRangePicker(props: TimeRangePickerProps) {
  const { value, onChange, zone, recent = [], isOpen, onOpenChange, nowNs = wallNowNs, longest } = props;
  const { presets = presetsUpTo(longest) } = props;
  const openProps = { ...(isOpen !== undefined && { isOpen }), ...(onOpenChange && { onOpenChange }) };
  return (
    <PopoverTrigger {...openProps}>
      <Button icon={Clock} end={<ChevronDown aria-hidden size={14} />} className={css['button']}>
        {timeRangeText(value, zone)}
      </Button>
      <Popover label={text.title} placement="bottom end" isPadded={false}>
        {(close) => {
          const take = (range: TimeRange) => {
            close();
            onChange(range);
          };
          return (
            <div className={css['panes']}>
              <RelativeList presets={presets} value={value} onTake={take} />
              <div className={css['absolute']}>
                <AbsoluteForm value={value} zone={zone} nowNs={nowNs} onTake={take} />
                {recent.length > 0 && (
                  <div>
                    <h3 className={css['title']}>{text.recent}</h3>
                    {recent.map((range) => (
                      <button
                        key={JSON.stringify(range)}
                        type="button"
                        className={css['option']}
                        onClick={() => take(range)}
                      >
                        {timeRangeText(range, zone)}
                      </button>
                    ))}
                  </div>
                )}
              </div>
            </div>
          );
        }}
      </Popover>
    </PopoverTrigger>
  );
}
