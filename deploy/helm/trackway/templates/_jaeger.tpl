{{/* Values of Jaeger's charts that mean nothing here, each with why. */}}
{{- define "trackway.notCarriedOver" -}}
{{- $why := dict
  "spark" "calls between services are counted as spans come"
  "hotrod" "sample applications are in examples/"
  "config" "`trackway config import FILE` makes `settings` of it"
  "serviceAccounts" "each component has a serviceAccount"
  "cassandra" "this chart brings no databases"
  "elasticsearch" "this chart brings no databases"
  "kafka" "this chart brings no databases"
  "schema" "storage-init makes Cassandra's tables, by storage.cassandra"
  "tag" "it is a version of Jaeger; image.tag is Trackway's"
  "userconfig" "`trackway config import FILE` makes `settings` of it" -}}
{{- range $name := keys $why | sortAlpha -}}
{{- $given := index $.Values $name -}}
{{- if and $given (not (and (kindIs "map" $given) (hasKey $given "enabled") (not $given.enabled))) }}
   {{ $name }}: {{ index $why $name }}
{{- end -}}
{{- end -}}
{{- range $component := list "allInOne" "collector" "query" "ingester" "agent" "jaeger" -}}
{{- $of := index $.Values $component | default dict -}}
{{- if $of.image }}
   {{ $component }}.image: it is an image of Jaeger; `image` is Trackway's
{{- end -}}
{{- if $of.args }}
   {{ $component }}.args: they are a Jaeger's; extraArgs are Trackway's
{{- end -}}
{{- if dig "serviceMonitor" "enabled" false $of }}
   {{ $component }}.serviceMonitor: monitoring.serviceMonitor is one for all
{{- end -}}
{{- end -}}
{{- range $job := list "esIndexCleaner" "esRollover" "esLookback" -}}
{{- $of := index $.Values $job | default dict -}}
{{- if and $of.enabled $of.image }}
   {{ $job }}.image: it is an image of Jaeger; `image` is Trackway's
{{- end -}}
{{- end -}}
{{- if and (.Values.esLookback | default dict).enabled (not .Values.esRollover.enabled) }}
   esLookback: esRollover's job does it, and there is none
{{- end -}}
{{- if .Values.storage.elasticsearch.tls.insecure }}
   storage.elasticsearch.tls.insecure: certificates are checked; tls.caConfigMap names the authority
{{- end -}}
{{- if (index .Values.query "agentSidecar") }}
   query.agentSidecar: nothing has to carry Trackway's own spans
{{- end -}}
{{- end -}}
