// Which colour a service has: the same for everyone who opens the same trace.
//
// A service prefers the slot that follows from its name. Services with more spans choose first; who finds its slot
// taken has the next free one. So the first 12 differ in colour, the next 12 reuse the colours with a hatch, and all
// further ones are neutral (-1).

export const SLOT_COUNT = 24;
const PLAIN = 12;

/** A slot for each of `services`, in their order. */
export function assignSlots(services: readonly string[], spans: ArrayLike<number>): Int8Array {
  const order = Array.from(services.keys()).sort(
    (a, b) => (spans[b] ?? 0) - (spans[a] ?? 0) || ((services[a] as string) < (services[b] as string) ? -1 : 1),
  );
  const slots = new Int8Array(services.length).fill(-1);
  const taken = new Set<number>();
  order.slice(0, SLOT_COUNT).forEach((service, rank) => {
    const base = rank < PLAIN ? 0 : PLAIN;
    let slot = preferredSlot(services[service] as string);
    while (taken.has(base + slot)) slot = (slot + 1) % PLAIN;
    taken.add(base + slot);
    slots[service] = base + slot;
  });
  return slots;
}

/** The slot that a service prefers, and has where it is alone: in lists, charts and on the map. */
export function preferredSlot(service: string): number {
  return hash(service) % PLAIN;
}

/** FNV-1a over UTF-16 units, then mixed: the low bits of FNV alone put names that differ in one digit together. */
function hash(text: string): number {
  let state = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) state = Math.imul(state ^ text.charCodeAt(i), 0x01000193);
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  return (state ^ (state >>> 13)) >>> 0;
}
