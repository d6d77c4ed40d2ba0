{{/* The ports of the Services that a Jaeger has. */}}

{{/* dict root, component (collector, query or agent), target (whose pods they are) → ports of its Service; numbers come from the values. Ports of pods
     are given by number: where a Jaeger's release is upgraded in place its pods, whose ports have other names, are
     reached until they are gone. */}}
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
{{- /* What is opened to others has no place for the port of operation. */ -}}
{{- if or (ne .name "admin") (eq $service.type "ClusterIP") }}
{{- $target := ternary (include "trackway.adminPort" $.target | int) .port (eq .name "admin") }}
- {{ merge (dict "port" $number "targetPort" $target) . | toYaml | nindent 2 | trim }}
{{- end }}
{{- if and (eq .name "query-http") (ne $number 16686) }}
- {name: query-http-too, port: 16686, targetPort: 16686, appProtocol: http}
{{- end }}
{{- end }}
{{- end -}}
