{{/* The file with the configuration of a component: what follows from other values, then `settings`, then the component's. */}}

{{/* dict root, component, values → the configuration, as YAML */}}
{{- define "trackway.config" -}}
{{- $root := .root -}}
{{- $isAsked := has .component (list "allInOne" "query") -}}
{{- $isSentTo := has .component (list "allInOne" "collector") -}}
{{- $all := dict "listen" (dict "host" ($root.Values.listenHost | default "0.0.0.0")) -}}
{{- if has .component (list "allInOne" "agent") -}}
{{- $_ := set $all.listen "zipkin_compact" 5775 -}}
{{- end -}}
{{- if eq .component "allInOne" -}}
{{- $_ := set $all "store" (dict "dir" "/data/trackway") -}}
{{- end -}}
{{- if and (eq .component "collector") .values.buffer.enabled -}}
{{- $_ := set $all "backend" (dict "buffer" (dict "dir" "/buffer/trackway" "bytes_max" (include "trackway.bufferBytes" .values.buffer.size))) -}}
{{- end -}}
{{- if eq .component "agent" -}}
{{- $collectors := printf "%s:4317" (include "trackway.collectors" $root) -}}
{{- $buffer := dict "dir" "/buffer/trackway" "bytes_max" (include "trackway.bufferBytes" .values.buffer.size) -}}
{{- $_ := set $all "agent" (dict "collectors" $collectors "buffer" $buffer) -}}
{{- end -}}
{{- if and $isSentTo (include "trackway.strategies" $root) -}}
{{- $_ := set $all "sampling" (dict "strategies_file" "/etc/trackway/files/strategies.json") -}}
{{- end -}}
{{- if $isAsked -}}
{{- $ui := dict "base_path" (include "trackway.basePath" $root) -}}
{{- if include "trackway.uiConfig" $root -}}{{- $_ := set $ui "config_file" "/etc/trackway/files/ui-config.json" -}}{{- end -}}
{{- $_ := set $all "ui" $ui -}}
{{- end -}}
{{- $shared := deepCopy ($root.Values.settings | default dict) -}}
{{- if eq .component "agent" -}}
{{- /* An agent is of one tenant, judges no traces, and leaves what is done to spans to collectors. */ -}}
{{- $shared = omit $shared "tail_sampling" "process" -}}
{{- if $shared.access -}}{{- $_ := set $shared "access" (omit $shared.access "tenants" "query") -}}{{- end -}}
{{- $all = mergeOverwrite $all (include "trackway.agentTls" $root | fromYaml) -}}
{{- end -}}
{{- mergeOverwrite $all $shared (deepCopy (.values.settings | default dict)) | toYaml -}}
{{- end -}}

{{/* The path below which the app and all of the API are served: query.basePath, or what the settings, or a Jaeger's flag
     or variable, say of the component that is asked, which the program goes by. */}}
{{- define "trackway.basePath" -}}
{{- $asked := ternary "allInOne" "query" (eq (include "trackway.mode" .) "all-in-one") -}}
{{- $values := include "trackway.values" (dict "root" . "component" $asked) | fromYaml -}}
{{- $path := .Values.query.basePath | default "/" -}}
{{- range $settings := list (.Values.settings | default dict) ($values.settings | default dict) -}}{{- $path = dig "ui" "base_path" $path $settings -}}{{- end -}}
{{- $path = index ($values.cmdlineParams | default dict) "query.base-path" | default $path -}}
{{- $path = index ($values.env | default dict) "QUERY_BASE_PATH" | default $path -}}
{{- range $values.extraEnv -}}{{- if eq .name "QUERY_BASE_PATH" -}}{{- $path = .value | default $path -}}{{- end -}}{{- end -}}
{{- $path -}}
{{- end -}}

{{/* How agents speak to collectors that ask for TLS or for a token. */}}
{{- define "trackway.agentTls" -}}
{{- $component := ternary "allInOne" "collector" (eq (include "trackway.mode" .) "all-in-one") -}}
{{- if include "trackway.has" (dict "root" . "component" $component) -}}
{{- $values := include "trackway.values" (dict "root" . "component" $component) | fromYaml -}}
{{- $receive := dig "access" "receive" dict (include "trackway.config" (dict "root" . "component" $component "values" $values) | fromYaml) -}}
{{- $own := dig "agent" dict (.Values.agent.settings | default dict) -}}
{{- if and (or $receive.tokens_file $receive.users_file) (not $own.token_file) (not $own.headers) -}}
{{- fail "agent: collectors ask who sends (access.receive): give agents a token by agent.settings.agent.token_file and agent.extraSecretMounts, or set agent.enabled to false" -}}
{{- end -}}
{{- if not (empty (dig "tls" "cert_file" "" $receive)) -}}
{{- if not (dig "tls" "ca_file" "" $own) -}}
{{- fail "agent: collectors speak TLS (access.receive.tls): give agents the authority by agent.settings.agent.tls.ca_file and agent.extraConfigmapMounts, or set agent.enabled to false" -}}
{{- end }}
agent:
  tls: {enabled: "on", server_name: {{ include "trackway.fullname" . }}-collector}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Where agents deliver: every collector by its own address. */}}
{{- define "trackway.collectors" -}}
{{- printf "%s-%s" (include "trackway.fullname" .) (ternary "all-in-one" "collector-headless" (eq (include "trackway.mode" .) "all-in-one")) -}}
{{- end -}}

{{/* The size of a volume in Kubernetes' words → what a buffer on it may take: seven eighths, as whole mebibytes. */}}
{{- define "trackway.bufferBytes" -}}
{{- $number := int64 (regexFind "^[0-9]+" .) -}}
{{- $unit := regexFind "[A-Za-z]*$" . -}}
{{- $mebibytes := index (dict "Mi" 1 "Gi" 1024 "Ti" 1048576) $unit -}}
{{- if not (and $number $mebibytes) -}}{{- fail (printf "buffer.size: %q: give whole Mi, Gi or Ti, such as 1Gi" .) -}}{{- end -}}
{{- printf "%dMiB" (div (mul $number $mebibytes 7) 8) -}}
{{- end -}}

{{/* Strategies of sampling, as JSON; nothing where there are none. */}}
{{- define "trackway.strategies" -}}
{{- $given := .Values.collector.samplingConfig | default .Values.allInOne.samplingConfig -}}
{{- if kindIs "string" $given -}}{{- $given -}}{{- else if $given -}}{{- toPrettyJson $given -}}{{- end -}}
{{- end -}}

{{/* Jaeger's configuration of the web app: query.config, or uiconfig of its chart of version 2. */}}
{{- define "trackway.uiConfig" -}}
{{- with .Values.query.config | default .Values.uiconfig -}}
{{- if kindIs "string" . -}}{{- . -}}{{- else -}}{{- toPrettyJson . -}}{{- end -}}
{{- end -}}
{{- end -}}
