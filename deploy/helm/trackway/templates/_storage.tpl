{{/* How a component reaches the store of others: Jaeger's variables, Secrets and authorities as files. */}}

{{/* Values of the store; nothing for the embedded one. */}}
{{- define "trackway.storeSection" -}}
{{- index (dict "elasticsearch" "elasticsearch" "opensearch" "elasticsearch" "cassandra" "cassandra" "grpc" "grpc") (include "trackway.store" .) -}}
{{- end -}}

{{/* Whether Kafka stands between collectors and the store: "yes" or nothing. */}}
{{- define "trackway.kafka" -}}
{{- if and .Values.ingester.enabled (eq (include "trackway.mode" .) "distributed") -}}yes{{- end -}}
{{- end -}}

{{/* dict root, section → name of the Secret with the password; nothing where there is none */}}
{{- define "trackway.passwordSecret" -}}
{{- $of := index .root.Values.storage .section -}}
{{- if eq .section "kafka" -}}
{{- $of.existingSecret -}}
{{- else if and (has .section (list "elasticsearch" "cassandra")) $of.usePassword (not $of.anonymous) -}}
{{- $of.existingSecret | default (printf "%s-%s" (include "trackway.fullname" .root) .section) -}}
{{- end -}}
{{- end -}}

{{/* The key of the authority's certificate: Jaeger's chart has ca-cert.pem in a Secret. */}}
{{- define "trackway.caKey" -}}
{{- .caKey | default .subPath | default (ternary "ca.crt" "ca-cert.pem" (not (empty .caConfigMap))) -}}
{{- end -}}

{{/* The value of a flag; a flag alone means true. */}}
{{- define "trackway.flag" -}}
{{- if kindIs "invalid" . -}}true{{- else -}}{{- include "trackway.text" . | default "true" -}}{{- end -}}
{{- end -}}

{{/* A flag of Jaeger's → the variable of the same name. */}}
{{- define "trackway.variable" -}}
{{- . | upper | replace "." "_" | replace "-" "_" -}}
{{- end -}}

{{/* Values of a part of the store → who the program is there, as {value} or {valueFrom}. */}}
{{- define "trackway.user" -}}
{{- if .existingSecretUserKey -}}
{valueFrom: {secretKeyRef: {name: {{ .existingSecret | quote }}, key: {{ .existingSecretUserKey | quote }}}}}
{{- else -}}
{value: {{ .user | quote }}}
{{- end -}}
{{- end -}}

{{/* dict root, section → the file with the password */}}
{{- define "trackway.passwordFile" -}}
{{- $of := index .root.Values.storage .section -}}
/etc/trackway/{{ .section }}/credentials/{{ ternary $of.existingSecretKey "password" (not (empty $of.existingSecret)) }}
{{- end -}}

{{/* dict root, section, prefix → the variables with the files of TLS */}}
{{- define "trackway.tlsVariables" -}}
{{- $tls := (index .root.Values.storage .section).tls -}}
{{- if include "trackway.caSource" . }}
{{ .prefix }}_TLS_CA: {value: /etc/trackway/{{ .section }}/ca/{{ include "trackway.caKey" $tls }}}
{{- end }}
{{- if $tls.clientSecret }}
{{ .prefix }}_TLS_CERT: {value: /etc/trackway/{{ .section }}/client/tls.crt}
{{ .prefix }}_TLS_KEY: {value: /etc/trackway/{{ .section }}/client/tls.key}
{{- else if include "trackway.isJaegersSecret" . }}
{{ .prefix }}_TLS_CERT: {value: /etc/trackway/{{ .section }}/ca/client-cert.pem}
{{ .prefix }}_TLS_KEY: {value: /etc/trackway/{{ .section }}/ca/client-key.pem}
{{- end }}
{{- end -}}

{{/* dict root, section → whether the Secret with Cassandra's authority is one of Jaeger's chart, in which the client's own
     certificate and the servers' name stand, too: "yes" or nothing. */}}
{{- define "trackway.isJaegersSecret" -}}
{{- $tls := (index .root.Values.storage .section).tls -}}
{{- if and (eq .section "cassandra") $tls.enabled $tls.secretName (not (or $tls.caConfigMap $tls.caKey $tls.subPath $tls.clientSecret)) -}}yes{{- end -}}
{{- end -}}

{{/* dict root, section → the variables that reach this part of the store, NAME: {value} or {valueFrom} */}}
{{- define "trackway.variablesOf" -}}
{{- $of := index .root.Values.storage .section -}}
{{- $tls := $of.tls -}}
{{- if eq .section "elasticsearch" }}
SPAN_STORAGE_TYPE: {value: {{ include "trackway.store" .root }}}
{{- $whole := $of.url | default (ternary $of.host "" (contains "://" $of.host)) }}
ES_SERVER_URLS: {value: {{ $whole | default (printf "%s://%s:%v" $of.scheme $of.host $of.port) | quote }}}
{{- if and $of.usePassword (not $of.anonymous) }}
ES_USERNAME: {{ include "trackway.user" $of }}
ES_PASSWORD_FILE: {value: {{ include "trackway.passwordFile" . }}}
{{- end }}
{{- with $of.indexPrefix }}
ES_INDEX_PREFIX: {value: {{ quote . }}}
{{- end }}
{{- if .root.Values.esRollover.enabled }}
ES_USE_ALIASES: {value: "true"}
{{- end }}
{{- include "trackway.tlsVariables" (merge (dict "prefix" "ES") .) }}
{{- with $tls.serverName }}
ES_TLS_SERVER_NAME: {value: {{ quote . }}}
{{- end }}
{{- if $tls.insecureSkipVerify }}
ES_TLS_SKIP_HOST_VERIFY: {value: "true"}
{{- end }}
{{- else if eq .section "cassandra" }}
SPAN_STORAGE_TYPE: {value: cassandra}
CASSANDRA_SERVERS: {value: {{ $of.host | quote }}}
CASSANDRA_PORT: {value: {{ $of.port | quote }}}
CASSANDRA_KEYSPACE: {value: {{ $of.keyspace | quote }}}
{{- with $of.localDatacenter }}
CASSANDRA_LOCAL_DC: {value: {{ quote . }}}
{{- end }}
{{- if $of.usePassword }}
CASSANDRA_USERNAME: {{ include "trackway.user" $of }}
TRACKWAY_BACKEND__CASSANDRA__PASSWORD_FILE: {value: {{ include "trackway.passwordFile" . }}}
{{- end }}
{{- if $tls.enabled }}
CASSANDRA_TLS_ENABLED: {value: "true"}
{{- include "trackway.tlsVariables" (merge (dict "prefix" "CASSANDRA") .) }}
{{- if $tls.serverName }}
CASSANDRA_TLS_SERVER_NAME: {value: {{ quote $tls.serverName }}}
{{- else if include "trackway.isJaegersSecret" . }}
CASSANDRA_TLS_SERVER_NAME: {valueFrom: {secretKeyRef: {name: {{ $tls.secretName | quote }}, key: commonName, optional: true}}}
{{- end }}
{{- end }}
{{- if $tls.insecureSkipVerify }}
CASSANDRA_TLS_SKIP_HOST_VERIFY: {value: "true"}
{{- end }}
{{- else if eq .section "grpc" }}
SPAN_STORAGE_TYPE: {value: grpc}
{{- with $of.host }}
GRPC_STORAGE_SERVER: {value: {{ quote . }}}
{{- end }}
{{- if $tls.enabled }}
GRPC_STORAGE_TLS_ENABLED: {value: "true"}
{{- include "trackway.tlsVariables" (merge (dict "prefix" "GRPC_STORAGE") .) }}
{{- end }}
{{- end }}
{{- range $flag, $text := $of.cmdlineParams }}
{{ include "trackway.variable" $flag }}: {value: {{ include "trackway.flag" $text | quote }}}
{{- end }}
{{- end -}}

{{/* dict root, prefix (KAFKA_PRODUCER or KAFKA_CONSUMER) → the variables that reach Kafka */}}
{{- define "trackway.kafkaVariables" -}}
{{- $of := .root.Values.storage.kafka -}}
{{ .prefix }}_BROKERS: {value: {{ join "," $of.brokers | quote }}}
{{ .prefix }}_TOPIC: {value: {{ $of.topic | quote }}}
{{ .prefix }}_ENCODING: {value: {{ index (dict "protobuf" "jaeger_proto" "json" "jaeger_json") $of.encoding | default $of.encoding | quote }}}
{{ .prefix }}_AUTHENTICATION: {value: {{ $of.authentication | quote }}}
{{- if eq $of.authentication "plaintext" }}
{{ .prefix }}_PLAINTEXT_USERNAME: {value: {{ $of.user | quote }}}
{{ .prefix }}_PLAINTEXT_MECHANISM: {value: {{ $of.mechanism | quote }}}
{{- end }}
{{- if $of.existingSecret }}
TRACKWAY_BACKEND__KAFKA__PASSWORD_FILE: {value: {{ include "trackway.passwordFile" (dict "root" .root "section" "kafka") }}}
{{- end }}
{{- if $of.tls.enabled }}
{{ .prefix }}_TLS_ENABLED: {value: "true"}
{{- include "trackway.tlsVariables" (merge (dict "section" "kafka") .) }}
{{- if $of.tls.insecureSkipVerify }}
{{ .prefix }}_TLS_SKIP_HOST_VERIFY: {value: "true"}
{{- end }}
{{- end }}
{{- end -}}

{{/* dict root, section → the ports at which this part of the store is reached, as a list */}}
{{- define "trackway.outsidePorts" -}}
{{- $of := index .root.Values.storage .section -}}
{{- $hosts := "" -}}
{{- if eq .section "kafka" -}}{{- $hosts = join "," $of.brokers -}}
{{- else if eq .section "grpc" -}}{{- $hosts = $of.host | default (index $of.cmdlineParams "grpc-storage.server") -}}
{{- else -}}{{- $hosts = $of.url | default $of.host -}}
{{- end -}}
{{- range splitList "," $hosts -}}
{{- $authority := regexReplaceAll "^[a-z]+://|/.*$" (trim .) "" -}}
{{- $port := regexFind ":[0-9]+$" $authority | trimPrefix ":" -}}
{{- if and (not $port) (hasPrefix "https://" (trim .)) -}}{{- $port = "443" -}}{{- end }}
- {{ $port | default $of.port | int }}
{{- end -}}
{{- end -}}

{{/* dict root, component → the parts of the store that the component reaches, one a word */}}
{{- define "trackway.sections" -}}
{{- $all := list -}}
{{- $section := include "trackway.storeSection" .root -}}
{{- if and $section (has .component (list "allInOne" "query" "ingester")) -}}{{- $all = append $all $section -}}{{- end -}}
{{- if eq .component "collector" -}}
{{- $all = append $all (ternary "kafka" $section (eq (include "trackway.kafka" .root) "yes")) -}}
{{- else if eq .component "ingester" -}}
{{- $all = append $all "kafka" -}}
{{- end -}}
{{- join " " (compact $all) -}}
{{- end -}}

{{/* dict root, component → variables that reach the store, as YAML */}}
{{- define "trackway.storeVariables" -}}
{{- $all := dict -}}
{{- $sections := compact (splitList " " (include "trackway.sections" .)) -}}
{{- range $section := without $sections "kafka" -}}
{{- $all = merge $all (include "trackway.variablesOf" (dict "root" $.root "section" $section) | fromYaml) -}}
{{- end -}}
{{- if has "kafka" $sections -}}
{{- $prefix := ternary "KAFKA_PRODUCER" "KAFKA_CONSUMER" (eq .component "collector") -}}
{{- $all = merge $all (include "trackway.kafkaVariables" (dict "root" .root "prefix" $prefix) | fromYaml) -}}
{{- if eq .component "collector" -}}{{- $_ := set $all "SPAN_STORAGE_TYPE" (dict "value" "kafka") -}}{{- end -}}
{{- end -}}
{{- if $all }}{{ toYaml $all }}{{ end -}}
{{- end -}}

{{/* dict root, component → variables that users gave for the parts of the store, as a list */}}
{{- define "trackway.storeExtraEnv" -}}
{{- $all := list -}}
{{- range compact (splitList " " (include "trackway.sections" .)) -}}
{{- $all = concat $all ((index $.root.Values.storage .).extraEnv | default list) -}}
{{- end -}}
{{- if and (eq .component "allInOne") (eq (include "trackway.store" .root) "embedded") -}}
{{- $all = concat $all (.root.Values.storage.badger.extraEnv | default list) -}}
{{- end -}}
{{- if $all }}{{ toYaml $all }}{{ end -}}
{{- end -}}

{{/* dict root, section → how its authority is mounted: {configMap} or {secret}; nothing where there is none */}}
{{- define "trackway.caSource" -}}
{{- $tls := (index .root.Values.storage .section).tls | default dict -}}
{{- if and $tls.enabled $tls.caConfigMap }}
configMap: {name: {{ $tls.caConfigMap | quote }}}
{{- else if and $tls.enabled $tls.secretName }}
secret: {secretName: {{ $tls.secretName | quote }}}
{{- end }}
{{- end -}}

{{/* dict root, component → volumes of the store's credentials and authorities, as a list. Whole Secrets and ConfigMaps
     are mounted, no keys of them: a key that is missing is then told by the program, with those that are there, and the
     pod does not hang before it. */}}
{{- define "trackway.storeVolumes" -}}
{{- range $section := compact (splitList " " (include "trackway.sections" .)) }}
{{- with include "trackway.passwordSecret" (dict "root" $.root "section" $section) }}
- {name: {{ $section }}-credentials, secret: {secretName: {{ . | quote }}}}
{{- end }}
{{- with include "trackway.caSource" (dict "root" $.root "section" $section) | fromYaml }}
- {{ merge (dict "name" (printf "%s-ca" $section)) . | toYaml | nindent 2 | trim }}
{{- end }}
{{- with ((index $.root.Values.storage $section).tls | default dict).clientSecret }}
- {name: {{ $section }}-client, secret: {secretName: {{ . | quote }}}}
{{- end }}
{{- end }}
{{- end -}}

{{- define "trackway.storeMounts" -}}
{{- range $section := compact (splitList " " (include "trackway.sections" .)) }}
{{- if include "trackway.passwordSecret" (dict "root" $.root "section" $section) }}
- {name: {{ $section }}-credentials, mountPath: /etc/trackway/{{ $section }}/credentials, readOnly: true}
{{- end }}
{{- if include "trackway.caSource" (dict "root" $.root "section" $section) }}
- {name: {{ $section }}-ca, mountPath: /etc/trackway/{{ $section }}/ca, readOnly: true}
{{- end }}
{{- if ((index $.root.Values.storage $section).tls | default dict).clientSecret }}
- {name: {{ $section }}-client, mountPath: /etc/trackway/{{ $section }}/client, readOnly: true}
{{- end }}
{{- end }}
{{- end -}}
