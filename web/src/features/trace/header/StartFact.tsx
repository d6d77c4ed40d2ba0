// When the trace began: in the reader's zone, with UTC and how long ago behind it.

import { usePreferences } from '../../../core/preferences.ts';
import { nowNs } from '../../../format/now.ts';
import { shortDateTime, timeTooltip, zoneLabel } from '../../../format/time.ts';
import { Hint } from '../../../ui/Tooltip/Tooltip.tsx';
import { useTracePage } from '../state/page.tsx';

export function StartFact() {
  const { startNs } = useTracePage().session.columns;
  const { zone } = usePreferences();
  const now = nowNs();
  const { local, utc, relative } = timeTooltip(startNs, now, zone);
  const tip = (
    <>
      {local}
      <br />
      {utc}
      <br />
      {relative}
    </>
  );
  return (
    <li>
      <Hint text={tip}>{`${shortDateTime(startNs, now, zone)} ${zoneLabel(startNs, zone)}`}</Hint>
    </li>
  );
}
