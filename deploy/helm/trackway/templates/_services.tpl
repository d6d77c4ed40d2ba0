{{/* The ports of the Services that a Jaeger has. */}}

{{/* A Service's values → whether others than the cluster reach it: "yes" or nothing. */}}
{{- define "trackway.isOpen" -}}
{{- if or (ne .type "ClusterIP") .externalIPs -}}yes{{- end -}}
{{- end -}}

{{/* A Service's values → what stands in it as it is given. */}}
{{- define "trackway.serviceFields" -}}
{{- $service := . -}}
{{- range $field := list "clusterIP" "loadBalancerClass" "loadBalancerIP" "loadBalancerSourceRanges" "externalTrafficPolicy" "internalTrafficPolicy" "trafficDistribution" "ipFamilyPolicy" "ipFamilies" "externalIPs" "sessionAffinity" }}
{{- with index $service $field }}
{{ $field }}: {{ toJson . }}
{{- end }}
{{- end }}
{{- end -}}

{{/* A Service's values → ports that were added to it. */}}
{{- define "trackway.extraPorts" -}}
{{- range .extraPorts }}
- {{ toYaml . | nindent 2 | trim }}
{{- end }}
{{- end -}}

{{/* dict root, component (collector, query or agent), target (whose pods they are) → ports of its Service; numbers come from the values. Ports of pods
     are given by number: where a Jaeger's release is upgraded in place its pods, whose ports have other names, are
     reached until they are gone. */}}
{{- define "trackway.servicePorts" -}}
{{- $service := (index .root.Values .component).service -}}
{{- $numbers := dict -}}
{{- $nodePorts := dict -}}
{{- if eq .component "collector" -}}
{{- $otlp := $service.otlp | default dict -}}
{{- $numbers = dict "otlp-grpc" (dig "grpc" "port" 4317 $otlp) "otlp-http" (dig "http" "port" 4318 $otlp) "jaeger-grpc" ($service.grpcPort | default (dig "grpc" "port" 14250 $service)) "jaeger-http" ($service.httpPort | default (dig "http" "port" 14268 $service)) "zipkin" ($service.zipkinPort | default (dig "zipkin" "port" 9411 $service)) -}}
{{- $nodePorts = dict "otlp-grpc" (dig "grpc" "nodePort" "" $otlp) "otlp-http" (dig "http" "nodePort" "" $otlp) "jaeger-grpc" (dig "grpc" "nodePort" "" $service) "jaeger-http" (dig "http" "nodePort" "" $service) "zipkin" (dig "zipkin" "nodePort" "" $service) -}}
{{- else if eq .component "query" -}}
{{- $numbers = dict "query-http" $service.port -}}
{{- $nodePorts = dict "query-http" ($service.nodePort | default "") -}}
{{- else -}}
{{- $numbers = dict "zipkin-compact" $service.zipkinThriftPort "jaeger-compact" $service.compactPort "jaeger-binary" $service.binaryPort "sampling-http" $service.samplingPort -}}
{{- end -}}
{{- range include "trackway.ports" .component | fromYamlArray }}
{{- $number := int (get $numbers .name | default .port) }}
{{- /* What is opened to others has no place for the port of operation. */ -}}
{{- $isLeftOut := and (eq .name "admin") (include "trackway.isOpen" $service) }}
{{- /* Where a proxy stands before the web app, nothing leads past it. */ -}}
{{- $isProxied := and (eq $.component "query") (not (empty $service.targetPort)) }}
{{- if not (or $isLeftOut (and $isProxied (eq .name "query-grpc"))) }}
{{- $target := ternary (include "trackway.adminPort" $.target | int) .port (eq .name "admin") }}
{{- if and $isProxied (eq .name "query-http") }}{{ $target = $service.targetPort }}{{ end }}
{{- $it := merge (dict "port" $number "targetPort" $target) . }}
{{- $nodePort := get $nodePorts .name }}
{{- if and $nodePort (ne $service.type "ClusterIP") }}{{ $_ := set $it "nodePort" (int $nodePort) }}{{ end }}
- {{ $it | toYaml | nindent 2 | trim }}
{{- end }}
{{- if and (eq .name "query-http") (ne $number 16686) (not $isProxied) }}
- {name: query-http-too, port: 16686, targetPort: 16686, appProtocol: http}
{{- end }}
{{- end }}
{{- include "trackway.extraPorts" $service }}
{{- end -}}
