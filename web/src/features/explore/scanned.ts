// What a search reads, in words, for who waits for it.

import type { Window } from '../../api/questions.ts';
import { shortDateTime, type Zone, zoneLabel } from '../../format/time.ts';
import { timeRangeText } from '../../ui/TimeRangePicker/TimeRangePicker.tsx';
import { text } from './text.ts';
import type { State } from './useExplore.ts';

export function scannedText({ traces, range, q }: State, { from, to }: Window, zone: Zone): string {
  if (traces.length > 0) return text.scannedList(traces.length);
  const when =
    range.kind === 'relative'
      ? timeRangeText({ range: range.last }, 'UTC')
      : `${shortDateTime(from, to, zone, 0)} – ${shortDateTime(to, from, zone, 0)} ${zoneLabel(from, zone)}`;
  return text.scanned(when, q);
}
