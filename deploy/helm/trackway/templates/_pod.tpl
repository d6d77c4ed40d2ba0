{{/* The pods of a component. */}}

{{/* dict root, component, values → the variables of its container, as a list */}}
{{- define "trackway.env" -}}
{{- $extra := concat (include "trackway.storeExtraEnv" . | fromYamlArray) (.values.extraEnv | default list) -}}
{{- /* Jaeger's first charts had variables as a map. */ -}}
{{- range $name, $value := .values.env -}}
{{- if not (kindIs "invalid" $value) -}}{{- $extra = append $extra (dict "name" $name "value" (include "trackway.text" $value)) -}}{{- end -}}
{{- end -}}
{{- $all := dict -}}
{{- if ne .component "agent" -}}{{- $all = include "trackway.storeVariables" . | fromYaml -}}{{- end -}}
{{- range $flag, $text := .values.cmdlineParams -}}
{{- $_ := set $all (include "trackway.variable" $flag) (dict "value" (include "trackway.flag" $text)) -}}
{{- end -}}
{{- $given := keys $all -}}
{{- if and (eq .component "allInOne") (or $extra .values.cmdlineParams) (not (hasKey $all "SPAN_STORAGE_TYPE")) -}}
{{- /* A Jaeger's variables mean something where this one says that there is a Jaeger to take the place of. */ -}}
{{- $_ := set $all "SPAN_STORAGE_TYPE" (dict "value" (ternary "memory" "badger" (eq .root.Values.storage.type "memory"))) -}}
{{- end -}}
{{- range $extra -}}{{- $given = append $given .name -}}{{- $all = unset $all .name -}}{{- end -}}
{{- range $own, $others := dict
  "ES_PASSWORD_FILE" (list "ES_PASSWORD" "ES_API_KEY_FILE" "ES_TOKEN_FILE")
  "TRACKWAY_BACKEND__CASSANDRA__PASSWORD_FILE" (list "CASSANDRA_PASSWORD")
  "TRACKWAY_BACKEND__KAFKA__PASSWORD_FILE" (list "KAFKA_PRODUCER_PLAINTEXT_PASSWORD" "KAFKA_CONSUMER_PLAINTEXT_PASSWORD") -}}
{{- range $others -}}{{- if has . $given -}}{{- $all = unset $all $own -}}{{- end -}}{{- end -}}
{{- end -}}
{{- $fields := dict "POD_NAME" "metadata.name" "POD_NAMESPACE" "metadata.namespace" "POD_UID" "metadata.uid" "NODE_NAME" "spec.nodeName" -}}
{{- if eq .component "agent" -}}{{- range $name, $path := $fields }}
- {name: {{ $name }}, valueFrom: {fieldRef: {fieldPath: {{ $path }}}}}
{{- end -}}{{- end -}}
{{- range $name, $source := $all }}
- {{ merge (dict "name" $name) $source | toYaml | nindent 2 | trim }}
{{- end -}}
{{- range $extra }}
- {{ toYaml . | nindent 2 | trim }}
{{- end -}}
{{- end -}}

{{/* dict root, component, values → its volumes, as a list; the one of the data of allInOne is the StatefulSet's */}}
{{- define "trackway.volumes" -}}
- name: config
  configMap: {name: {{ include "trackway.componentName" . | quote }}}
{{- if include "trackway.hasFiles" . }}
- name: files
  configMap: {name: "{{ include "trackway.fullname" .root }}-files"}
{{- end }}
- name: tmp
  emptyDir: {}
{{- include "trackway.storeVolumes" . }}
{{- if .isJob }}
- name: data
  emptyDir: {}
{{- else if and (eq .component "allInOne") (include "trackway.claim" .root) }}
- name: data
  persistentVolumeClaim: {claimName: {{ include "trackway.claim" .root | quote }}}
{{- else if and (eq .component "allInOne") (not (include "trackway.isPersistent" .root)) }}
- name: data
  # Its size is what the store goes by, and not the node's disk.
  emptyDir: {sizeLimit: {{ .root.Values.allInOne.persistence.size }}}
{{- end }}
{{- if and (include "trackway.hasBuffer" .) (or .isJob (not (include "trackway.isBufferKept" .))) }}
- name: buffer
  emptyDir: {sizeLimit: {{ .values.buffer.size }}}
{{- end }}
{{- range .values.extraSecretMounts }}
- name: {{ .name | quote }}
  secret: {secretName: {{ .secretName | quote }}}
{{- end }}
{{- range .values.extraConfigmapMounts }}
- name: {{ .name | quote }}
  configMap: {name: {{ .configMap | quote }}}
{{- end }}
{{- with .values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "trackway.mounts" -}}
- {name: config, mountPath: /etc/trackway/config, readOnly: true}
{{- if include "trackway.hasFiles" . }}
- {name: files, mountPath: /etc/trackway/files, readOnly: true}
{{- end }}
- {name: tmp, mountPath: /tmp}
{{- include "trackway.storeMounts" . }}
{{- if eq .component "allInOne" }}
- {name: data, mountPath: /data}
{{- end }}
{{- if include "trackway.hasBuffer" . }}
- {name: buffer, mountPath: /buffer}
{{- end }}
{{- range concat (.values.extraSecretMounts | default list) (.values.extraConfigmapMounts | default list) }}
- name: {{ .name | quote }}
  mountPath: {{ .mountPath | quote }}
  {{- with .subPath }}
  subPath: {{ . | quote }}
  {{- end }}
  readOnly: {{ ternary .readOnly true (hasKey . "readOnly") }}
{{- end }}
{{- with .values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Whether the component reads files of the chart besides its configuration: "yes" or nothing. */}}
{{- define "trackway.hasFiles" -}}
{{- $isAsked := has .component (list "allInOne" "query") -}}
{{- $isSentTo := has .component (list "allInOne" "collector") -}}
{{- if or (and $isSentTo (include "trackway.strategies" .root)) (and $isAsked (include "trackway.uiConfig" .root)) -}}yes{{- end -}}
{{- end -}}

{{/* dict component, values → whether spans wait on a disk of its pods: "yes" or nothing. */}}
{{- define "trackway.hasBuffer" -}}
{{- if or (eq .component "agent") (and (eq .component "collector") .values.buffer.enabled) -}}yes{{- end -}}
{{- end -}}

{{/* dict component, values → whether that disk outlives the pods: "yes" or nothing. */}}
{{- define "trackway.isBufferKept" -}}
{{- if and (eq .component "collector") .values.buffer.enabled (dig "buffer" "persistence" "enabled" false .values) -}}yes{{- end -}}
{{- end -}}

{{/* dict component, values → the kind of its workload */}}
{{- define "trackway.workload" -}}
{{- if or (eq .component "allInOne") (include "trackway.isBufferKept" .) -}}StatefulSet
{{- else if eq .component "agent" -}}DaemonSet
{{- else -}}Deployment
{{- end -}}
{{- end -}}

{{/* dict root, component, name, size, volume → the claims of a StatefulSet, each pod's own */}}
{{- define "trackway.claims" -}}
persistentVolumeClaimRetentionPolicy: {whenDeleted: {{ .volume.whenDeleted }}, whenScaled: Retain}
volumeClaimTemplates:
  - metadata:
      name: {{ .name }}
      labels:
        {{- include "trackway.selector" . | nindent 8 }}
      {{- with .volume.annotations }}
      annotations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      accessModes: {{ toJson .volume.accessModes }}
      {{- if eq .volume.storageClass "-" }}
      storageClassName: ""
      {{- else if .volume.storageClass }}
      storageClassName: {{ .volume.storageClass | quote }}
      {{- end }}
      resources: {requests: {storage: {{ .size }}}}
{{- end -}}

{{/* Whether spans of allInOne are kept on a volume: "yes" or nothing. */}}
{{- define "trackway.isPersistent" -}}
{{- if and .Values.allInOne.persistence.enabled (eq (include "trackway.store" .) "embedded") (ne .Values.storage.type "memory") -}}yes{{- end -}}
{{- end -}}

{{/* The claim that is there already. */}}
{{- define "trackway.claim" -}}
{{- if include "trackway.isPersistent" . -}}
{{- .Values.allInOne.persistence.existingClaim | default .Values.storage.badger.persistence.useExistingPvcName -}}
{{- end -}}
{{- end -}}

{{/* dict root, component, values, args, resources → a container of the image that reads the component's configuration */}}
{{- define "trackway.container" -}}
image: {{ include "trackway.image" .root }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
args: {{ toJson .args }}
{{- with include "trackway.env" . | trim }}
env:
  {{- . | nindent 2 }}
{{- end }}
{{- with concat (.values.envFrom | default list) (.values.extraEnvFrom | default list) }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- toYaml .values.securityContext | nindent 2 }}
# What the program says last before it ends is what `kubectl describe` shows.
terminationMessagePolicy: FallbackToLogsOnError
volumeMounts:
  {{- include "trackway.mounts" . | nindent 2 }}
{{- with .resources }}
resources:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* dict root, component, values → metadata and spec of its pods */}}
{{- define "trackway.pod" -}}
{{- $root := .root -}}
{{- $command := without (list .component) "allInOne" -}}
{{- $config := list "--config" "/etc/trackway/config/trackway.yaml" -}}
metadata:
  labels:
    {{- include "trackway.labels" . | nindent 4 }}
    {{- with .values.podLabels }}
    {{- include "trackway.texts" . | nindent 4 }}
    {{- end }}
  annotations:
    # Pods are replaced when what they read at their start changes.
    checksum/config: {{ include "trackway.checksum" . }}
    {{- with mergeOverwrite (deepCopy ($root.Values.commonAnnotations | default dict)) (.values.podAnnotations | default dict) }}
    {{- include "trackway.texts" . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "trackway.serviceAccount" . | quote }}
  automountServiceAccountToken: {{ .values.serviceAccount.automountServiceAccountToken }}
  # Variables of Services would be taken for those of a Jaeger: CASSANDRA_PORT, for one.
  enableServiceLinks: false
  {{- with include "trackway.pullSecrets" $root }}
  imagePullSecrets:
    {{- . | nindent 4 }}
  {{- end }}
  securityContext:
    {{- toYaml .values.podSecurityContext | nindent 4 }}
  terminationGracePeriodSeconds: {{ .values.terminationGracePeriodSeconds }}
  {{- if eq .component "agent" }}
  {{- with .values.useHostNetwork }}
  hostNetwork: {{ . }}
  {{- end }}
  {{- end }}
  {{- with .values.dnsPolicy | default (ternary "ClusterFirstWithHostNet" "" (and (eq .component "agent") (eq (toString .values.useHostNetwork) "true"))) }}
  dnsPolicy: {{ . }}
  {{- end }}
  {{- with .values.nodeSelector }}
  nodeSelector:
    {{- include "trackway.texts" . | nindent 4 }}
  {{- end }}
  {{- range $name := list "priorityClassName" "hostAliases" "dnsConfig" "tolerations" "affinity" }}
  {{- with index $.values $name }}
  {{ $name }}:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
  {{- if ne .component "agent" }}
  topologySpreadConstraints:
    {{- if .values.topologySpreadConstraints }}
    {{- toYaml .values.topologySpreadConstraints | nindent 4 }}
    {{- else }}
    {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
    - maxSkew: 1
      topologyKey: {{ . }}
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "trackway.selector" $ | nindent 10 }}
    {{- end }}
    {{- end }}
  {{- end }}
  {{- $doctor := dict "root" $root "component" .component "values" .values "args" (concat (list "doctor" "--role" (include "trackway.suffix" .component) "--never-fail") $config) "resources" .values.resources }}
  {{- if or $root.Values.doctor.enabled .values.initContainers }}
  initContainers:
    {{- if $root.Values.doctor.enabled }}
    - name: doctor
      {{- include "trackway.container" $doctor | nindent 6 }}
    {{- end }}
    {{- with .values.initContainers }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- end }}
  containers:
    - name: {{ include "trackway.suffix" .component }}
      {{- $args := concat $command $config (.values.extraArgs | default list) }}
      {{- include "trackway.container" (dict "root" $root "component" .component "values" .values "args" $args "resources" .values.resources) | nindent 6 }}
      ports:
        {{- range include "trackway.ports" .component | fromYamlArray }}
        - name: {{ .name }}
          containerPort: {{ .port }}
          {{- if .protocol }}
          protocol: {{ .protocol }}
          {{- end }}
          {{- if and (eq $.component "agent") (ne .name "admin") ($.values.daemonset | default dict).useHostPort (not $.values.useHostNetwork) }}
          hostPort: {{ .port }}
          {{- end }}
        {{- end }}
      {{- range $probe, $path := dict "startupProbe" "/started" "livenessProbe" "/live" "readinessProbe" "/ready" }}
      {{- with index $.values $probe }}
      {{ $probe }}:
        {{- if not (or .httpGet .exec .tcpSocket .grpc) }}
        httpGet: {path: {{ $path }}, port: admin{{ if include "trackway.adminTls" $ }}, scheme: HTTPS{{ end }}}
        {{- end }}
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- end }}
      {{- if and .values.preStopSeconds (semverCompare ">=1.30-0" $root.Capabilities.KubeVersion.Version) (not .values.lifecycle) }}
      lifecycle:
        # New requests go elsewhere before the program stops taking them.
        preStop: {sleep: {seconds: {{ .values.preStopSeconds }}}}
      {{- else if .values.lifecycle }}
      lifecycle:
        {{- toYaml .values.lifecycle | nindent 8 }}
      {{- end }}
    {{- with concat (.values.extraContainers | default list) (.values.sidecars | default list) }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  volumes:
    {{- include "trackway.volumes" . | nindent 4 }}
{{- end -}}

{{/* Whether the admin port speaks TLS: "yes" or nothing. */}}
{{- define "trackway.adminTls" -}}
{{- $admin := dig "access" "admin" "tls" "cert_file" "" (include "trackway.config" . | fromYaml) -}}
{{- if not (has (toString $admin) (list "" "off" "false")) -}}yes{{- end -}}
{{- end -}}

{{/* dict root, component, values → what changes when the program must be started anew */}}
{{- define "trackway.checksum" -}}
{{- $own := dict "elasticsearch" .root.Values.storage.elasticsearch.password "cassandra" .root.Values.storage.cassandra.password -}}
{{- printf "%s%s%s%s" (include "trackway.config" .) (include "trackway.strategies" .root) (include "trackway.uiConfig" .root) (toJson $own) | sha256sum -}}
{{- end -}}
