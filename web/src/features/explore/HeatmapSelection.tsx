// What can be done with a selected area: look at its time alone, or only at these matches.

import { Filter, X, ZoomIn } from 'lucide-react';
import type { Scope } from '../../api/types.ts';
import { durationLiteral } from '../../format/duration.ts';
import { Button } from '../../ui/Button/Button.tsx';
import { IconButton } from '../../ui/IconButton/IconButton.tsx';
import css from './Charts.module.css';
import { type Area, countIn, instantAt, latencyOf, type Overview } from './overview.ts';
import { text } from './text.ts';
import type { Changes } from './useExplore.ts';

export function rangeOf(overview: Overview, area: Area) {
  return { kind: 'absolute', fromNs: instantAt(overview, area.left), toNs: instantAt(overview, area.right) } as const;
}

/** The latency of an area as conditions: of the trace where traces are shown. */
export function conditionsOf(overview: Overview, area: Area, scope: Scope): string[] {
  const field = scope === 'traces' ? 'traceDuration' : 'duration';
  const { from, to } = latencyOf(overview, area);
  return [
    ...(from === null ? [] : [`${field} >= ${durationLiteral(from)}`]),
    ...(to === null ? [] : [`${field} < ${durationLiteral(to)}`]),
  ];
}

type HeatmapSelectionProps = {
  overview: Overview;
  area: Area;
  scope: Scope;
  changes: Changes;
  onClear: () => void;
};

export function HeatmapSelection({ overview, area, scope, changes, onClear }: HeatmapSelectionProps) {
  const middle = (area.left + area.right) / 2;
  return (
    <section
      aria-label={text.selection}
      className={css['actions']}
      style={
        middle < 0.5
          ? { insetInlineStart: `min(${area.left * 100}%, 100% - 360px)` }
          : { insetInlineEnd: `min(${(1 - area.right) * 100}%, 100% - 360px)` }
      }
    >
      <span className={css['selectedCount']}>{text.cellCount(scope, countIn(overview, area))}</span>
      <Button
        size="small"
        icon={ZoomIn}
        onPress={() => {
          onClear();
          changes.set({ range: rangeOf(overview, area) });
        }}
      >
        {text.zoom}
      </Button>
      <Button
        size="small"
        icon={Filter}
        onPress={() => {
          onClear();
          changes.narrow(conditionsOf(overview, area, scope), rangeOf(overview, area));
        }}
      >
        {text.onlyThese}
      </Button>
      <IconButton size="small" icon={X} label={text.unselect} onPress={onClear} />
    </section>
  );
}
