// Tests may use the generator of perf/: it is what stands for the server.

import { describe, expect, it } from 'vitest';
import { encodeTrace, framed, generateTrace } from '../../perf/generate.ts';
import type { TraceColumns } from './columns.ts';
import { DecodeError, decodeProgressively, decodeTrace, TraceDecoder } from './decode.ts';

/** Words instead of codes: the order of a dictionary is the encoder's affair. */
function plain(trace: TraceColumns): unknown {
  const { services, names, service, name, ...rest } = trace;
  return {
    ...rest,
    service: Array.from(service, (code) => services[code]),
    name: Array.from(name, (code) => names[code]),
  };
}

describe('decodeTrace', () => {
  it.each([1, 2, 999, 16_384, 40_000])('gives back a trace of %i spans', (spans) => {
    const trace = generateTrace(spans);
    expect(plain(decodeTrace(encodeTrace(trace)))).toEqual(plain(trace));
  });

  it('reads the facts of the trace from the metadata', () => {
    const trace = {
      ...generateTrace(10),
      isComplete: false,
      warnings: ['late', 'skewed'],
      startNs: 1_763_880_000_123_456_789n,
    };
    const got = decodeTrace(encodeTrace(trace));
    expect(got).toMatchObject({ isComplete: false, warnings: ['late', 'skewed'], startNs: 1_763_880_000_123_456_789n });
  });

  it('does not depend on where the body is cut into pieces', () => {
    const trace = generateTrace(3_000);
    const body = encodeTrace(trace);
    for (const size of [1, 7, 4_096, 65_537]) {
      const decoder = new TraceDecoder();
      for (let at = 0; at < body.length; at += size) decoder.push(body.subarray(at, at + size));
      expect(plain(decoder.finish())).toEqual(plain(trace));
    }
  });

  it('shows the first batch before the rest is there', () => {
    const trace = generateTrace(40_000);
    const body = encodeTrace(trace);
    const decoder = new TraceDecoder();
    decoder.push(body.subarray(0, Math.floor(body.length / 2)));
    const some = decoder.columns();
    expect(some?.count).toBe(16_384);
    expect(some?.start).toEqual(trace.start.subarray(0, 16_384));
    expect(() => decoder.finish()).toThrow(DecodeError);
  });

  it('yields growing columns from a stream, at last the whole trace', async () => {
    const trace = generateTrace(40_000);
    const body = encodeTrace(trace);
    const stream = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < body.length; at += 100_000) controller.enqueue(body.slice(at, at + 100_000));
        controller.close();
      },
    });
    const counts: number[] = [];
    for await (const step of decodeProgressively(stream))
      counts.push(step.isLast ? -step.columns.count : step.columns.count);
    expect(counts).toEqual([16_384, 32_768, 40_000, -40_000]);
  });

  it('refuses what is not a trace, and never hangs on it', () => {
    const body = encodeTrace(generateTrace(50));
    const bad = [
      new Uint8Array(0),
      new TextEncoder().encode('<!doctype html><title>not found</title>'),
      body.subarray(0, body.length - 1),
      framed([]),
      framed([new Uint8Array(4)]),
      framed([new Uint8Array([255, 255, 255, 255, 255, 255, 255, 127])]),
    ];
    for (const bytes of bad) expect(() => decodeTrace(bytes)).toThrow(DecodeError);
  });
});
