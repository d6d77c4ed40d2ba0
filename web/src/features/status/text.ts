// The words of Status.

import { catalogue, formatCount, plural } from '../../i18n/catalogue.ts';

export const text = catalogue('status', {
  title: 'Status',
  failed: 'The state of the program could not be read',
  ready: 'Taking spans',
  notReady: (why: string) => `Not taking spans: ${why}`,
  version: (version: string, ago: string) => `Trackway ${version}, started ${ago}`,
  receiving: 'Receiving',
  protocols: (protocol: string) => ({ otlp_http: 'OTLP HTTP', otlp_grpc: 'OTLP gRPC' })[protocol] ?? protocol,
  door: 'Receiver',
  address: 'Address',
  off: 'off',
  spansPerSecond: 'Spans/s',
  volume: 'Volume',
  perSecond: (bytes: string) => `${bytes}/s`,
  requests: 'Requests',
  spans: 'Spans',
  last: 'Last taken',
  never: 'no data',
  ledger: 'What became of every span',
  equals: 'equals',
  plus: 'plus',
  received: 'received',
  receivedDetail: 'all that came',
  accepted: 'accepted',
  acceptedDetail: (duplicates: number) =>
    duplicates === 0
      ? 'stored'
      : plural(duplicates, { one: '# of them stored before', other: '# of them stored before' }),
  rejected: 'rejected',
  rejectedDetail: 'left out of a request that was taken',
  filtered: 'filtered',
  filteredDetail: 'left out by a step of the configuration',
  refused: 'refused',
  refusedDetail: 'answered with an error',
  dropped: 'dropped',
  droppedDetail: 'their sender was gone',
  inFlight: 'in flight',
  inFlightDetail: 'under way now',
  balanced: 'Adds up: every span is accounted for.',
  unbalanced: 'Does not add up: spans were lost without a trace. Please report it.',
  late: (share: string, n: number) => plural(n, { one: `Late: ${share} (# span)`, other: `Late: ${share} (# spans)` }),
  lateHint: 'They came more than five minutes after their ends, so that charts of the last minutes lacked them.',
  refusedTitle: 'Refused',
  nothingRefused: 'Nothing was refused since the start.',
  reason: 'Reason',
  spansRead: 'Spans read',
  lastRefusal: (protocol: string, clock: string, ago: string, peer: string | null) =>
    `Last at ${clock} (${ago}) by ${protocol}${peer === null ? '' : ` from ${peer}`}:`,
  copyMessage: 'Copy the message',
  storeTitle: 'Store',
  storeBytes: (bytes: string) => `${bytes} used`,
  storeFill: (bytes: string, most: string, share: string) => `${share} full: ${bytes} of ${most}`,
  growthUnknown: 'How long there is room is told after half an hour of spans.',
  growth: (bytes: string, time: string) => `${bytes} were added in the last ${time}`,
  ageFirst: (added: string) => `${added}; at that rate spans leave by their age before there is no more room.`,
  fullIn: (days: number) =>
    days === 0
      ? 'Full in less than a day.'
      : plural(days, { one: 'Full in about # day.', other: 'Full in about # days.' }),
  oldestLeaveIn: (days: number) =>
    days === 0
      ? 'The oldest spans leave for want of room in less than a day.'
      : plural(days, {
          one: 'The oldest spans leave for want of room in about # day.',
          other: 'The oldest spans leave for want of room in about # days.',
        }),
  estimated: (added: string) => `Estimated: ${added}.`,
  oldest: 'Oldest',
  writes: 'Writes',
  writesHint: 'To the log, to segments, and again when these are merged',
  merging: 'Merging',
  mergingNow: 'running',
  mergingIdle: 'idle',
  noLimit: '(with what is free on the disk)',
  traces: 'Traces',
  segments: 'Segments',
  segmentCount: (all: number, waiting: number) =>
    waiting === 0 ? formatCount(all) : `${formatCount(all)}, ${formatCount(waiting)} to be merged`,
  pinned: 'Pinned traces',
  diskFree: 'Free on the disk',
  unknown: 'not known',
  retention: 'Kept',
  acknowledge: 'Accepted means',
  acknowledgeWords: (level: string) =>
    ({
      sync: 'on disk (sync)',
      page_cache: 'with the operating system (page_cache)',
      memory: 'in memory only (memory)',
    })[level] ?? level,
  heard: 'Services last heard',
  service: 'Service',
  operations: 'Operations',
  lastHeard: 'Last heard',
  nobody: 'No service was heard of yet',
  scrape: 'For other tools',
  scrapeProgram:
    'Prometheus scrapes the program’s own metrics (received, refused, late, stored) and those of services (calls, errors, durations) from its admin port:',
  scrapeOff: 'Prometheus could scrape the program’s metrics, but its admin port is off (listen.admin).',
  scrapeRules: 'Rules for alerts on services; Alertmanager sends what Prometheus finds:',
  scrapeRulesCode: 'Rules of Prometheus',
  scrapeConfig: 'Configuration of Prometheus',
  scrapeRed: 'Rate, errors and durations of services and operations are answered as JSON:',
  scrapeCurl: 'Rates of all services as a command',
});
