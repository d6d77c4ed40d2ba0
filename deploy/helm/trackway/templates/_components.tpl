{{/* Which components there are, what their values are, and on which ports they listen. */}}

{{/* The store: embedded, elasticsearch, opensearch, cassandra or grpc. Jaeger's other names are put right. */}}
{{- define "trackway.store" -}}
{{- $type := .Values.storage.type | default "embedded" -}}
{{- if has $type (list "memory" "badger" "embedded") -}}embedded
{{- else if eq $type "grpc-plugin" -}}grpc
{{- else -}}{{- $type -}}
{{- end -}}
{{- end -}}

{{- define "trackway.mode" -}}
{{- if .Values.mode -}}{{- .Values.mode -}}
{{- else if or .Values.allInOne.enabled .Values.jaeger (eq (include "trackway.store" .) "embedded") -}}all-in-one
{{- else -}}distributed
{{- end -}}
{{- end -}}

{{/* The components that there are, one a word. */}}
{{- define "trackway.components" -}}
{{- $isOne := eq (include "trackway.mode" .) "all-in-one" -}}
{{- $all := list -}}
{{- if $isOne -}}
{{- $all = append $all "allInOne" -}}
{{- else -}}
{{- range $name := list "collector" "query" "ingester" -}}
{{- if (index $.Values $name).enabled -}}{{- $all = append $all $name -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- if ternary (not $isOne) .Values.agent.enabled (kindIs "invalid" .Values.agent.enabled) -}}
{{- $all = append $all "agent" -}}
{{- end -}}
{{- if not $all -}}
{{- fail "there is nothing left to install: enable one of collector, query, ingester and agent" -}}
{{- end -}}
{{- join " " $all -}}
{{- end -}}

{{/* Of the components that there are the one that says most of the store. */}}
{{- define "trackway.speaker" -}}
{{- $there := splitList " " (include "trackway.components" .) -}}
{{- $found := "" -}}
{{- range list "allInOne" "query" "ingester" "collector" "agent" -}}
{{- if and (not $found) (has . $there) -}}{{- $found = . -}}{{- end -}}
{{- end -}}
{{- $found -}}
{{- end -}}

{{/* Whether the component (dict root, component) is there: "yes" or nothing. */}}
{{- define "trackway.has" -}}
{{- if has .component (splitList " " (include "trackway.components" .root)) -}}yes{{- end -}}
{{- end -}}

{{/* dict root, component → the component's values over those of all, as YAML. Jaeger's chart of version 2 has one
     component, which is called jaeger there. */}}
{{- define "trackway.values" -}}
{{- $own := deepCopy (index .root.Values .component) -}}
{{- if eq .component "allInOne" -}}
{{- /* What is said of the parts holds for the whole: settings above all, such as who is let in. */ -}}
{{- $settings := dict -}}
{{- range $part := list "collector" "query" -}}
{{- $of := index $.root.Values $part -}}
{{- $settings = mergeOverwrite $settings (deepCopy ($of.settings | default dict)) -}}
{{- range $name := list "extraEnv" "initContainers" "extraContainers" "sidecars" "extraSecretMounts" "extraConfigmapMounts" "extraVolumes" "extraVolumeMounts" -}}
{{- $all := index $own $name | default list -}}
{{- $known := list -}}
{{- range $all -}}{{- $known = append $known .name -}}{{- end -}}
{{- range index $of $name | default list -}}
{{- if not (has .name $known) -}}{{- $all = append $all . -}}{{- $known = append $known .name -}}{{- end -}}
{{- end -}}
{{- $_ := set $own $name $all -}}
{{- end -}}
{{- $_ := set $own "cmdlineParams" (mergeOverwrite (deepCopy ($of.cmdlineParams | default dict)) ($own.cmdlineParams | default dict)) -}}
{{- end -}}
{{- $_ := set $own "settings" (mergeOverwrite $settings ($own.settings | default dict)) -}}
{{- end -}}
{{- if and (eq .component "allInOne") .root.Values.jaeger -}}
{{- $own = mergeOverwrite $own (deepCopy .root.Values.jaeger) -}}
{{- end -}}
{{- mergeOverwrite (deepCopy .root.Values.components) $own | toYaml -}}
{{- end -}}

{{/* The component → the ports of its pods: name, port, and protocol where it is UDP. */}}
{{- define "trackway.ports" -}}
{{- if has . (list "allInOne" "collector" "agent") }}
- {name: otlp-grpc, port: 4317, appProtocol: kubernetes.io/h2c}
- {name: otlp-http, port: 4318, appProtocol: http}
{{- end }}
{{- if has . (list "allInOne" "collector") }}
- {name: jaeger-grpc, port: 14250, appProtocol: kubernetes.io/h2c}
- {name: jaeger-http, port: 14268, appProtocol: http}
- {name: zipkin, port: 9411, appProtocol: http}
{{- end }}
{{- if has . (list "allInOne" "agent") }}
- {name: zipkin-compact, port: 5775, protocol: UDP}
- {name: jaeger-compact, port: 6831, protocol: UDP}
- {name: jaeger-binary, port: 6832, protocol: UDP}
{{- end }}
{{- if has . (list "allInOne" "collector" "agent") }}
- {name: sampling-http, port: 5778, appProtocol: http}
- {name: sampling-grpc, port: 5779, appProtocol: kubernetes.io/h2c}
{{- end }}
{{- if has . (list "allInOne" "query") }}
- {name: query-http, port: 16686, appProtocol: http}
- {name: query-grpc, port: 16685, appProtocol: kubernetes.io/h2c}
{{- end }}
- {name: admin, port: {{ include "trackway.adminPort" . }}, appProtocol: http}
{{- end -}}

{{/* Where a Jaeger of version 1 has it. */}}
{{- define "trackway.adminPort" -}}
{{- index (dict "allInOne" "14269" "collector" "14269" "query" "16687" "ingester" "14270" "agent" "14271") . -}}
{{- end -}}

{{/* Values that only some components have, and which. */}}
{{- define "trackway.ofSome" -}}
replicaCount: [collector, query, ingester]
replicas: [allInOne, jaeger]
autoscaling: [components, collector, query, ingester]
persistence: [allInOne, jaeger]
buffer: [collector, agent]
samplingConfig: [allInOne, jaeger, collector]
basePath: [collector, query]
config: [query]
agentSidecar: [query]
oAuthSidecar: [query]
daemonset: [agent]
useHostNetwork: [agent]
strategy: [components, allInOne, jaeger, collector, query, ingester]
podDisruptionBudget: [components, allInOne, jaeger, collector, query, ingester]
collector: [agent]
ingress: [allInOne, jaeger, collector, query]
httproute: [allInOne, jaeger]
grpcIngress: [collector]
httpRoute: [collector, query]
grpcRoute: [collector, query]
networkPolicy: [collector, query]
enabled: [allInOne, jaeger, collector, query, ingester, agent]
service: [allInOne, jaeger, collector, query, ingester, agent]
{{- end -}}

{{/* What can't be: each with what to do instead. */}}
{{- define "trackway.check" -}}
{{- $fullname := include "trackway.fullname" . -}}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $fullname) -}}
{{- fail (printf "fullnameOverride: %q is no name for a Service, which has small letters, digits and dashes, and begins with a letter: give another one" $fullname) -}}
{{- end -}}
{{- range $name, $of := include "trackway.ofSome" . | fromYaml -}}
{{- range $component := list "components" "allInOne" "jaeger" "collector" "query" "ingester" "agent" -}}
{{- if and (hasKey (index $.Values $component | default dict) $name) (not (has $component $of)) -}}
{{- $instead := ternary (printf ": it is called %s.replicaCount" $component) (printf ": it is one of %s" (join ", " $of)) (and (eq $name "replicas") (has $component (list "collector" "query" "ingester"))) -}}
{{- fail (printf "%s.%s: this component has no such value%s" $component $name $instead) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if not .Values.storage.type -}}
{{- $elastic := .Values.storage.elasticsearch -}}
{{- $cassandra := .Values.storage.cassandra -}}
{{- $named := "" -}}
{{- if or (ne $elastic.host "elasticsearch-master") (ne ($elastic.user | default "elastic") "elastic") $elastic.url $elastic.existingSecret $elastic.indexPrefix $elastic.cmdlineParams $elastic.extraEnv $elastic.tls.enabled -}}{{- $named = "elasticsearch" -}}{{- end -}}
{{- if or (ne $cassandra.host "cassandra") (ne ($cassandra.user | default "user") "user") (ne ($cassandra.keyspace | default "jaeger_v1_test") "jaeger_v1_test") $cassandra.existingSecret $cassandra.cmdlineParams $cassandra.extraEnv $cassandra.tls.enabled -}}{{- $named = "cassandra" -}}{{- end -}}
{{- if $named -}}
{{- fail (printf "storage.type: storage.%s says how a store is reached, and nothing says that it is used: set storage.type to %s, or to embedded (where nothing was said, Jaeger's charts up to 3 meant cassandra, and those from 4 on elasticsearch)" $named $named) -}}
{{- end -}}
{{- end -}}
{{- $store := include "trackway.store" . -}}
{{- $isOne := eq (include "trackway.mode" .) "all-in-one" -}}
{{- range $name := list "settings" "allInOne" "collector" "query" "ingester" -}}
{{- $settings := ternary $.Values.settings ((index $.Values $name).settings) (eq $name "settings") | default dict -}}
{{- if dig "backend" "kind" "" $settings -}}
{{- fail (printf "%s: backend.kind is what storage.type says: set that" $name) -}}
{{- end -}}
{{- if dig "listen" "admin" "" $settings -}}
{{- fail (printf "%s: listen.admin is where probes and Services look: it stays as it is in the chart" $name) -}}
{{- end -}}
{{- end -}}
{{- if dig "collector" "host" "" .Values.agent -}}
{{- fail "agent.collector: agents deliver to the collectors of this release; to others by agent.settings.agent.collectors" -}}
{{- end -}}
{{- if dig "buffer" "persistence" "enabled" false .Values.agent -}}
{{- fail "agent.buffer.persistence: agents are a DaemonSet, whose pods have no claims; agent.settings.agent.drain_timeout and agent.terminationGracePeriodSeconds are how long a pod that goes delivers what waits" -}}
{{- end -}}
{{- if dig "buffer" "persistence" "enabled" false .Values.collector -}}
{{- if $isOne -}}
{{- fail "collector.buffer.persistence: there are no collectors here, but one pod for all: set it to false, or mode to distributed" -}}
{{- end -}}
{{- if not .Values.collector.buffer.enabled -}}
{{- fail "collector.buffer.persistence: there is nothing to keep without a buffer: set collector.buffer.enabled to true" -}}
{{- end -}}
{{- $strategy := (include "trackway.values" (dict "root" . "component" "collector") | fromYaml).strategy | default dict -}}
{{- if or (not (has ($strategy.type | default "RollingUpdate") (list "RollingUpdate" "OnDelete"))) (hasKey ($strategy.rollingUpdate | default dict) "maxSurge") -}}
{{- fail "collector.strategy: with buffer.persistence collectors are a StatefulSet: its type is RollingUpdate (with partition or maxUnavailable) or OnDelete" -}}
{{- end -}}
{{- end -}}
{{- if and (not $isOne) .Values.allInOne.settings -}}
{{- fail "allInOne.settings: there is no such pod here; `settings` are those of all components, collector.settings and query.settings those of one" -}}
{{- end -}}
{{- with .Values.query.oAuthSidecar -}}{{- if .enabled -}}
{{- fail "query.oAuthSidecar: it is not made here, and without it everybody would be let in. Put the proxy into query.extraContainers and its port into query.service.targetPort, or have Trackway ask who comes (docs/security.md), and switch it off" -}}
{{- end -}}{{- end -}}
{{- range $name := list "collector" "query" -}}
{{- with (index $.Values $name).networkPolicy -}}
{{- if or .enabled .ingressRules .egressRules -}}
{{- fail (printf "%s.networkPolicy: say it by networkPolicy.senders, networkPolicy.askers and networkPolicy.extraEgress, which are peers and rules as Kubernetes has them" $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if include "trackway.has" (dict "root" . "component" "agent") -}}
{{- $tenants := dig "access" "tenants" dict (.Values.settings | default dict) -}}
{{- if and $tenants.header (not $tenants.fallback) (not (dig "agent" "headers" "" (.Values.agent.settings | default dict))) -}}
{{- fail "settings.access.tenants: an agent is of one tenant: name it by agent.settings.agent.headers (x-tenant=NAME), or give settings.access.tenants.fallback, or set agent.enabled to false" -}}
{{- end -}}
{{- end -}}
{{- if and (eq .Values.mode "distributed") (eq $store "embedded") -}}
{{- fail "mode: distributed needs a store that pods can share: set storage.type to elasticsearch, opensearch, cassandra or grpc, or leave mode empty" -}}
{{- end -}}
{{- if and (not .Values.storage.type) (not .Values.mode) (or .Values.userconfig .Values.config .Values.jaeger) -}}
{{- fail "storage.type: where are spans kept? The values are those of Jaeger's chart of version 2, whose userconfig says it. `trackway config import FILE` reads that; then name the store here: elasticsearch, opensearch, cassandra or grpc, or embedded for one in the pod" -}}
{{- end -}}
{{- if and .Release.IsUpgrade (not .Values.storage.type) -}}
{{- range $of := list "cassandra" "elasticsearch" -}}
{{- if lookup "apps/v1" "StatefulSet" $.Release.Namespace (printf "%s-%s" $.Release.Name $of) -}}
{{- fail (printf "storage.type: this release has a %s of its own, which Jaeger's chart brought: an upgrade would delete it, and its spans with it. Install Trackway as another release beside it (docs/migrate-from-jaeger.md), or say storage.type=embedded if they are not needed" $of) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $name, $on := .Values.provisionDataStore | default dict -}}
{{- if $on -}}
{{- fail (printf "provisionDataStore.%s: this chart brings no databases with it. Install %s by its own chart or operator, name it by storage.%s, and set provisionDataStore.%s to false. Where Jaeger's chart has installed one, keep it: its volumes go with that release" $name $name $name $name) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.ingester.enabled (eq (include "trackway.mode" .) "all-in-one") -}}
{{- fail (printf "ingester.enabled: Kafka stands between collectors and a store that pods share: %s" (ternary "set storage.type to elasticsearch, opensearch, cassandra or grpc" "set mode to distributed" (eq $store "embedded"))) -}}
{{- end -}}
{{- if and (eq $store "grpc") (not .Values.storage.grpc.host) (not (index .Values.storage.grpc.cmdlineParams "grpc-storage.server")) -}}
{{- fail "storage.grpc.host: where is the server of the storage API? Give host:port" -}}
{{- end -}}
{{- end -}}
