// The words of the first steps.

import { catalogue, plural } from '../../../i18n/catalogue.ts';

export const text = catalogue('firstRun', {
  title: 'Nothing has arrived yet',
  listening: (clock: string) => `listening… ${clock}`,
  arrived: 'The first spans have arrived.',
  send: 'Send your first trace',
  languages: 'Ways to send',
  envVars: 'Environment variables',
  envNote: 'Any OpenTelemetry SDK reads these. Start the program in the same shell.',
  javaNote: 'The agent is one file, opentelemetry-javaagent.jar, from OpenTelemetry’s releases.',
  collector: 'Collector',
  fromJaeger: 'From Jaeger',
  jaegerNote:
    'Programs that send OTLP to Jaeger need only the new address; links to Jaeger’s pages work here as they are. ' +
    'Thrift clients go through a Collector:',
  shell: 'Shell',
  install: 'Install',
  run: 'Run',
  configure: 'Configure',
  endpoints: 'Spans are taken at',
  grpc: (url: string) => `gRPC ${url}`,
  http: (url: string) => `HTTP ${url}`,
  orTry: 'Or look around first',
  testTrace: 'Send a test trace',
  openFile: 'Open a trace file',
  fileFailed: 'Not all of it could be read',
  sample: 'See sample data',
  sendFailed: 'That did not work',
  sampleSent: (n: number) => plural(n, { one: '# span is on its way.', other: '# spans are on their way.' }),
  notWorking: 'Not working?',
  noStatus: 'What the doors see could not be read.',
  open: (protocol: string, addresses: string) => `${protocol} listens on ${addresses}`,
  off: (protocol: string) => `${protocol} is off`,
  nothingCame: 'nothing came',
  came: (requests: number, ago: string) =>
    plural(requests, { one: `# request, ${ago}`, other: `# requests, the last one ${ago}` }),
  neverTaken: (requests: number) => plural(requests, { one: '# request, not taken', other: '# requests, none taken' }),
  refusal: (protocol: string, clock: string) => `${protocol} refused a request at ${clock}`,
  noRefusal: 'Nothing was refused: if a program sends, it does not reach this machine.',
  protocols: (protocol: string) => ({ otlp_http: 'OTLP HTTP', otlp_grpc: 'OTLP gRPC' })[protocol] ?? protocol,
  ok: 'Works:',
  bad: 'Does not work:',
  waiting: 'Waits:',
});
