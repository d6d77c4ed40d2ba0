// Numbers as people read them: counts, shares, rates and sizes, short enough for a column.
//
// English digits and separators; other languages come with the message catalogue. What is not a finite number reads as
// an en dash, so that a missing value never looks like zero.

export const NO_VALUE = '–';

const GROUPED = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const COUNT_UNITS = ['', ' k', ' M', ' G', ' T'];
const BYTE_UNITS = [' B', ' kB', ' MB', ' GB', ' TB', ' PB'];

/** Up to this a count is written out; from here on digits only make columns wide. */
const COUNT_WRITTEN_OUT_MAX = 9_999;

/** At most `digits` significant digits, and no zeros at the end of a fraction. */
export function significant(value: number, digits: number): string {
  const text = Number(value.toPrecision(digits)).toString();
  return text.includes('e') ? value.toFixed(0) : text;
}

/** `1,204`, `12.4 k`, `1.3 M`. */
export function formatCount(count: number): string {
  if (!Number.isFinite(count)) return NO_VALUE;
  return Math.abs(count) <= COUNT_WRITTEN_OUT_MAX ? formatCountExact(count) : scaled(count, COUNT_UNITS, oneDecimal);
}

/** `12,400,213`: for tooltips and for "about 12,400". */
export function formatCountExact(count: number | bigint): string {
  if (typeof count === 'number' && !Number.isFinite(count)) return NO_VALUE;
  return GROUPED.format(count).replace('-', '−').replace(/^−0$/, '0');
}

/**
 * A share of 1 as percent: `0.42 %`, `3.1 %`, `56 %`. Never `0 %` for something and never `100 %` for less than all,
 * since "no errors" and "all failed" are statements.
 */
export function formatPercent(share: number): string {
  if (!Number.isFinite(share)) return NO_VALUE;
  const sign = share < 0 ? '−' : '';
  const percent = Math.abs(share) * 100;
  if (percent === 0) return '0 %';
  if (percent < 0.01) return `< ${sign}0.01 %`;
  if (percent < 0.995) return `${sign}${trimmed(percent, 2)} %`;
  if (percent < 9.95) return `${sign}${trimmed(percent, 1)} %`;
  if (percent < 99.5 || percent >= 100) return `${sign}${formatCountExact(Math.round(percent))} %`;
  return percent < 99.9 ? `${sign}${trimmed(Math.floor(percent * 10) / 10, 1)} %` : `> ${sign}99.9 %`;
}

/** Events a second: `212/s`, `12.4 k/s`, `0.42/s`; rarer ones a minute or an hour: `3/min`, `12/h`. */
export function formatRate(perSecond: number): string {
  if (!Number.isFinite(perSecond)) return NO_VALUE;
  if (perSecond === 0) return '0/s';
  const size = Math.abs(perSecond);
  if (size >= 999.5) return `${formatCount(Math.round(perSecond))}/s`;
  if (size >= 0.1) return `${significant(perSecond, size < 1 ? 2 : 3)}/s`;
  if (size >= 0.1 / 60) return `${significant(perSecond * 60, 2)}/min`;
  return size >= 0.1 / 3600 ? `${significant(perSecond * 3600, 2)}/h` : '< 0.1/h';
}

/** `512 B`, `41.2 kB`, `200 GB`; steps of 1,000, as disks are sold and quotas are written. */
export function formatBytes(bytes: number): string {
  return Number.isFinite(bytes) ? scaled(bytes, BYTE_UNITS, threeDigits) : NO_VALUE;
}

/** Rounds before it chooses the unit: 999,960 is `1 M` and not `1000 k`. */
function scaled(value: number, units: readonly string[], digits: (value: number) => string): string {
  const sign = value < 0 ? '−' : '';
  let rest = Math.abs(value);
  let unit = 0;
  while (unit < units.length - 1 && Number(digits(rest)) >= 1_000) {
    rest /= 1_000;
    unit += 1;
  }
  return `${sign}${digits(rest)}${units[unit] ?? ''}`;
}

function oneDecimal(value: number): string {
  return trimmed(value, value < 99.95 ? 1 : 0);
}

function threeDigits(value: number): string {
  return value >= 999.5 ? value.toFixed(0) : significant(value, 3);
}

function trimmed(value: number, decimals: number): string {
  return Number(value.toFixed(decimals)).toString();
}
