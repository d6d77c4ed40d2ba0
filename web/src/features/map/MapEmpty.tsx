// Why the map is empty: nothing in this time range, nothing so frequent, nothing at all.

import { Network } from 'lucide-react';
import { useLastSeen } from '../../core/lastSeen.ts';
import { hrefOf } from '../../core/navigation.ts';
import { defaults } from '../../core/places.ts';
import { nowNs } from '../../format/now.ts';
import { Button } from '../../ui/Button/Button.tsx';
import { EmptyState } from '../../ui/EmptyState/EmptyState.tsx';
import { lastSeenText, NoData } from '../../ui/NoData/NoData.tsx';
import type { MapState } from '../../url/index.ts';
import { text } from './text.ts';
import type { ChangeMap } from './useMap.ts';

type MapEmptyProps = { state: MapState; change: ChangeMap; isThreshold: boolean };

export function MapEmpty({ state, change, isThreshold }: MapEmptyProps) {
  const { lastNs } = useLastSeen();
  if (isThreshold) {
    return (
      <EmptyState
        icon={Network}
        title={text.tooRare(state.min)}
        actions={<Button onPress={() => change({ min: 0 })}>{text.showRare}</Button>}
      />
    );
  }
  if (lastNs === null) return <NoData homeHref={hrefOf(defaults.home())} />;
  return (
    <EmptyState
      icon={Network}
      title={text.noCalls}
      actions={
        <>
          <Button onPress={() => change({ range: { kind: 'relative', last: '24h' } })}>{text.lastDay}</Button>
          <Button onPress={() => change({ range: { kind: 'relative', last: '7d' } })}>{text.lastWeek}</Button>
        </>
      }
    >
      {text.noCallsHint} {lastNs !== undefined && lastSeenText(lastNs, nowNs())}
    </EmptyState>
  );
}
