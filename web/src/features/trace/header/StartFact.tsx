// When the trace began: in the reader's zone, with UTC and how long ago behind it.

import { usePreferences } from '../../../core/preferences.ts';
import { nowNs } from '../../../format/now.ts';
import { shortDateTime, zoneLabel } from '../../../format/time.ts';
import { Hint } from '../../../ui/Tooltip/Tooltip.tsx';
import { useTracePage } from '../state/page.tsx';
import { TimeTip } from '../TimeTip.tsx';

export function StartFact() {
  const { startNs } = useTracePage().session.columns;
  const { zone } = usePreferences();
  const now = nowNs();
  return (
    <li>
      <Hint text={<TimeTip ns={startNs} />}>{`${shortDateTime(startNs, now, zone)} ${zoneLabel(startNs, zone)}`}</Hint>
    </li>
  );
}
