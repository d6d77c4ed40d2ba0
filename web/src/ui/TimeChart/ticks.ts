// Even ticks of an axis of values.

export type ValueTick = { readonly at: number; readonly label: string };

const TICK_PX = 28;

export function evenTicks(top: number, heightPx: number, label: (at: number) => string): ValueTick[] {
  const step = stepOf(top / Math.max(1, Math.floor(heightPx / TICK_PX)));
  return Array.from({ length: Math.floor(top / step + 1e-9) + 1 }, (_, i) => i * step).map((at) => ({
    at,
    label: at === 0 ? '0' : label(at),
  }));
}

function stepOf(atLeast: number): number {
  if (!(atLeast > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(atLeast));
  return ([1, 2, 5, 10].find((factor) => factor * power >= atLeast * (1 - 1e-9)) ?? 10) * power;
}
