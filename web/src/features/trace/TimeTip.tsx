// What stands behind a time: all its digits in the reader's zone, in UTC, and how long ago.

import { usePreferences } from '../../core/preferences.ts';
import { nowNs } from '../../format/now.ts';
import { timeTooltip } from '../../format/time.ts';

export function TimeTip({ ns }: { ns: bigint }) {
  const { zone } = usePreferences();
  const { local, utc, relative } = timeTooltip(ns, nowNs(), zone);
  return (
    <>
      {local}
      <br />
      {utc}
      <br />
      {relative}
    </>
  );
}
