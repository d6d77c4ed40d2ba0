// Jaeger's filter of the services in a trace: four hex digits that tell the list of services apart, a dot, and a mask
// in hex with a bit for each service, in the order of their UTF-16 units, lowest bit first.
//
// It can only be read once the services of the trace are known. We write `services=` with names instead, which stays
// right when a service is added.

/** Bits for four times as many services; no trace has them. */
const MASK_DIGITS_MAX = 512;

export type VisibleServices = {
  /** Empty: all. */
  readonly services: readonly string[];
  /** The trace has other services than when the link was made; all are shown, since the bits mean others now. */
  readonly isStale: boolean;
};

/** The raw form in lower case; null when it cannot be one. */
export function parseSvcFilter(text: string): string | null {
  const match = /^[\da-f]{4}\.([\da-f]+)$/i.exec(text.trim());
  const digits = match?.[1]?.length ?? 0;
  return digits > 0 && digits <= MASK_DIGITS_MAX ? text.trim().toLowerCase() : null;
}

/** The services that a raw filter shows; null when it is none or would show nothing. */
export function decodeSvcFilter(raw: string, services: readonly string[]): VisibleServices | null {
  const filter = parseSvcFilter(raw);
  if (filter === null || services.length === 0) return null;
  const sorted = [...new Set(services)].sort();
  if (filter.slice(0, 4) !== serviceChecksum(sorted)) return { services: [], isStale: true };
  const mask = BigInt(`0x${filter.slice(5)}`);
  const visible = sorted.filter((_, bit) => ((mask >> BigInt(bit)) & 1n) === 1n);
  if (visible.length === 0) return null;
  return { services: visible.length === sorted.length ? [] : visible, isStale: false };
}

/** A 16-bit multiplicative hash over the UTF-16 units of the names, which are separated by a zero. */
export function serviceChecksum(sorted: readonly string[]): string {
  let state = 0x811c;
  for (const unit of sorted.join('\0').split('')) state = ((state ^ unit.charCodeAt(0)) * 0x0101) & 0xffff;
  return state.toString(16).padStart(4, '0');
}
