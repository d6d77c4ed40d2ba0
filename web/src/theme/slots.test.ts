import { describe, expect, it } from 'vitest';
import { assignSlots } from './slots.ts';

describe('assignSlots', () => {
  it('gives the first twelve services different colours, the same ones whatever their order', () => {
    const services = Array.from({ length: 30 }, (_, i) => `service-${i}`);
    const spans = services.map((_, i) => 100 - i);
    const slots = assignSlots(services, spans);
    expect(new Set(slots.slice(0, 12)).size).toBe(12);
    expect([...slots.slice(12, 24)].every((slot) => slot >= 12)).toBe(true);
    expect([...slots.slice(24)]).toEqual([-1, -1, -1, -1, -1, -1]);
    expect(assignSlots(services.toReversed(), spans.toReversed())).toEqual(slots.toReversed());
  });
});
