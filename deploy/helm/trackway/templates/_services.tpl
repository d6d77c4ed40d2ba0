{{/* The ports of the Services that a Jaeger has. */}}

{{/* dict root, component (collector, query or agent) → ports of its Service; numbers come from the values */}}
{{- define "trackway.servicePorts" -}}
{{- $service := (index .root.Values .component).service -}}
{{- $numbers := dict -}}
{{- if eq .component "collector" -}}
{{- $otlp := $service.otlp | default dict -}}
{{- $numbers = dict "otlp-grpc" (dig "grpc" "port" 4317 $otlp) "otlp-http" (dig "http" "port" 4318 $otlp) "jaeger-grpc" (dig "grpc" "port" 14250 $service) "jaeger-http" (dig "http" "port" 14268 $service) "zipkin" (dig "zipkin" "port" 9411 $service) -}}
{{- else if eq .component "query" -}}
{{- $numbers = dict "query-http" $service.port -}}
{{- else -}}
{{- $numbers = dict "zipkin-compact" $service.zipkinThriftPort "jaeger-compact" $service.compactPort "jaeger-binary" $service.binaryPort "sampling-http" $service.samplingPort -}}
{{- end -}}
{{- range include "trackway.ports" .component | fromYamlArray }}
{{- $number := int (get $numbers .name | default .port) }}
- {{ merge (dict "port" $number "targetPort" .name) . | toYaml | nindent 2 | trim }}
{{- if and (eq .name "query-http") (ne $number 16686) }}
- {name: query-http-too, port: 16686, targetPort: query-http, appProtocol: http}
{{- end }}
{{- end }}
{{- end -}}
