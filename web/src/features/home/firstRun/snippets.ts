// What to type so that a program sends its traces here: one entry a language, with the real address in it. Code only;
// the words around it are in text.ts.

import { type Endpoints, hostOf } from './endpoints.ts';
import { text } from './text.ts';

export type Snippet = {
  readonly id: string;
  readonly label: string;
  readonly blocks: readonly { readonly label: string; readonly code: string }[];
  readonly note: string | null;
};

type Way = { url: string; host: string; protocol: 'http/protobuf' | 'grpc'; isHttp: boolean };

function wayOf({ http, grpc }: Endpoints): Way {
  const isHttp = http !== null;
  const url = http ?? grpc ?? 'http://localhost:4318';
  return { url, host: hostOf(url), protocol: isHttp ? 'http/protobuf' : 'grpc', isHttp };
}

const env = ({ url, protocol }: Way) => `export OTEL_EXPORTER_OTLP_ENDPOINT=${url}
export OTEL_EXPORTER_OTLP_PROTOCOL=${protocol}
export OTEL_SERVICE_NAME=my-service`;

const inlineEnv = ({ url, protocol }: Way) => `OTEL_SERVICE_NAME=my-service \\
OTEL_EXPORTER_OTLP_ENDPOINT=${url} \\
OTEL_EXPORTER_OTLP_PROTOCOL=${protocol} \\
OTEL_METRICS_EXPORTER=none OTEL_LOGS_EXPORTER=none \\
`;

const java = ({ url, protocol }: Way) => `java -javaagent:opentelemetry-javaagent.jar \\
  -Dotel.service.name=my-service \\
  -Dotel.exporter.otlp.endpoint=${url} \\
  -Dotel.exporter.otlp.protocol=${protocol} \\
  -Dotel.metrics.exporter=none -Dotel.logs.exporter=none \\
  -jar app.jar`;

const goPackage = ({ isHttp }: Way) => (isHttp ? 'otlptracehttp' : 'otlptracegrpc');
const goGet = (way: Way) => `go get go.opentelemetry.io/otel/sdk \\
  go.opentelemetry.io/otel/exporters/otlp/otlptrace/${goPackage(way)}`;
const go = (way: Way) => `exporter, err := ${goPackage(way)}.New(ctx,
	${goPackage(way)}.WithEndpoint("${way.host}"), ${goPackage(way)}.WithInsecure())
if err != nil {
	return err
}
provider := trace.NewTracerProvider(trace.WithBatcher(exporter))
defer provider.Shutdown(ctx)
otel.SetTracerProvider(provider)`;

const rustAdd = ({ isHttp }: Way) => `cargo add opentelemetry opentelemetry_sdk
cargo add opentelemetry-otlp --features ${isHttp ? 'http-proto,reqwest-blocking-client' : 'grpc-tonic'}`;
const rust = ({ url, isHttp }: Way) => `let exporter = opentelemetry_otlp::SpanExporter::builder()
    .with_${isHttp ? 'http' : 'tonic'}()
    .with_endpoint("${url}${isHttp ? '/v1/traces' : ''}")
    .build()?;
let provider = opentelemetry_sdk::trace::SdkTracerProvider::builder()
    .with_batch_exporter(exporter)
    .build();
opentelemetry::global::set_tracer_provider(provider.clone());`;

const dotnetAdd = `dotnet add package OpenTelemetry.Extensions.Hosting
dotnet add package OpenTelemetry.Instrumentation.AspNetCore
dotnet add package OpenTelemetry.Exporter.OpenTelemetryProtocol`;
const dotnet = ({ url, isHttp }: Way) => `builder.Services.AddOpenTelemetry()
    .ConfigureResource(resource => resource.AddService("my-service"))
    .WithTracing(tracing => tracing
        .AddAspNetCoreInstrumentation()
        .AddOtlpExporter(otlp =>
        {
            otlp.Endpoint = new Uri("${url}${isHttp ? '/v1/traces' : ''}");
            otlp.Protocol = OtlpExportProtocol.${isHttp ? 'HttpProtobuf' : 'Grpc'};
        }));`;

const exporterOf = ({ url, isHttp }: Way) =>
  isHttp
    ? `  otlphttp/trackway:
    endpoint: ${url}`
    : `  otlp/trackway:
    endpoint: ${hostOf(url)}
    tls: { insecure: true }`;
const exporterName = ({ isHttp }: Way) => (isHttp ? 'otlphttp/trackway' : 'otlp/trackway');
const collector = (way: Way) => `exporters:
${exporterOf(way)}

service:
  pipelines:
    traces:
      exporters: [${exporterName(way)}]`;
const fromJaeger = (way: Way) => `receivers:
  jaeger:
    protocols: { grpc: {}, thrift_http: {}, thrift_compact: {} }

exporters:
${exporterOf(way)}

service:
  pipelines:
    traces:
      receivers: [jaeger]
      exporters: [${exporterName(way)}]`;

export function snippetsOf(endpoints: Endpoints): readonly Snippet[] {
  const way = wayOf(endpoints);
  const pip = 'pip install opentelemetry-distro opentelemetry-exporter-otlp\nopentelemetry-bootstrap -a install';
  const npm = 'npm install @opentelemetry/api @opentelemetry/auto-instrumentations-node';
  const node = `${inlineEnv(way)}node --require @opentelemetry/auto-instrumentations-node/register app.js`;
  const python = `${inlineEnv(way)}opentelemetry-instrument python app.py`;
  const { install, run, configure, shell } = text;
  return [
    { id: 'env', label: text.envVars, blocks: [{ label: shell, code: env(way) }], note: text.envNote },
    { id: 'java', label: 'Java', blocks: [{ label: run, code: java(way) }], note: text.javaNote },
    { id: 'python', label: 'Python', blocks: blocksOf([install, pip], [run, python]), note: null },
    { id: 'go', label: 'Go', blocks: blocksOf([install, goGet(way)], [configure, go(way)]), note: null },
    { id: 'node', label: 'Node', blocks: blocksOf([install, npm], [run, node]), note: null },
    { id: 'rust', label: 'Rust', blocks: blocksOf([install, rustAdd(way)], [configure, rust(way)]), note: null },
    { id: 'dotnet', label: '.NET', blocks: blocksOf([install, dotnetAdd], [configure, dotnet(way)]), note: null },
    { id: 'collector', label: text.collector, blocks: blocksOf([configure, collector(way)]), note: null },
    { id: 'jaeger', label: text.fromJaeger, blocks: blocksOf([configure, fromJaeger(way)]), note: text.jaegerNote },
  ];
}

function blocksOf(...blocks: [string, string][]): Snippet['blocks'] {
  return blocks.map(([label, code]) => ({ label, code }));
}
