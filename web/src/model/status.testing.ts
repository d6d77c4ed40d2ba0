// An answer about the state of the program for tests.

import type { ProgramStatus, StatusAnswer } from '../api/types.ts';

const NOW = 1_795_852_740_000_000_000n;
const ago = (seconds: number) => String(NOW - BigInt(seconds) * 1_000_000_000n);

export function statusAnswer(program: Partial<ProgramStatus> = {}, more: Partial<StatusAnswer> = {}): StatusAnswer {
  return {
    version: '0.1.0',
    nowNs: String(NOW),
    program: {
      receivers: [
        {
          protocol: 'otlp_grpc',
          addresses: ['127.0.0.1:4317'],
          requests: 120,
          spans: 12000,
          bytes: 5_000_000,
          lastNs: ago(3),
        },
        { protocol: 'otlp_http', addresses: [], requests: 0, spans: 0, bytes: 0, lastNs: null },
      ],
      refused: [{ protocol: 'otlp_http', reason: 'media_type', requests: 2, spans: 7 }],
      lastRefusal: {
        protocol: 'otlp_http',
        timeNs: ago(60),
        message: '415: content type text/plain',
        peer: '10.0.3.7',
      },
      store: {
        bytes: 82e9,
        bytesMax: 200e9,
        diskFreeBytes: 310e9,
        spans: 612_400_213,
        traces: 20_000_000,
        segments: 212,
        waitingSegments: 7,
        pinned: 3,
        oldestNs: ago(11 * 86_400),
        writtenBytes: 0,
        isMerging: false,
        growth: { bytes: 2_700_000_000, overSeconds: 21_600, fullInSeconds: 11 * 86_400 + 5_000 },
        acknowledge: 'sync',
        retention: '7 days',
        notWritable: null,
      },
      ledger: {
        received: 12007,
        accepted: 12000,
        rejected: 0,
        filtered: 0,
        refused: 7,
        dropped: 0,
        inFlight: 0,
        duplicates: 0,
        late: 12,
        isBalanced: true,
      },
      admin: ['127.0.0.1:14269'],
      notReady: null,
      startedNs: ago(7200),
      ...program,
    },
    services: [
      { service: 'fresh', lastNs: ago(2), operations: 4 },
      { service: 'silent', lastNs: ago(9000), operations: 1 },
    ],
    ...more,
  };
}
