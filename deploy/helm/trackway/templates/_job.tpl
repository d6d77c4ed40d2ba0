{{/* The pods of jobs: they reach the store as a query node does, or whichever component there is. */}}

{{/* dict root, name (label), args, resources, extraEnv → the template of a job's pods */}}
{{- define "trackway.jobPod" -}}
{{- $there := splitList " " (include "trackway.components" .root) -}}
{{- $component := "" -}}
{{- range list "allInOne" "query" "ingester" "collector" "agent" -}}
{{- if and (not $component) (has . $there) -}}{{- $component = . -}}{{- end -}}
{{- end -}}
{{- $values := include "trackway.values" (dict "root" .root "component" $component) | fromYaml -}}
{{- $values = mergeOverwrite $values (dict "extraEnv" (concat ($values.extraEnv | default list) (.extraEnv | default list))) -}}
{{- $it := dict "root" .root "component" $component "values" $values "args" .args "isJob" true -}}
metadata:
  labels:
    {{- include "trackway.labels" (dict "root" .root "component" .name) | nindent 4 }}
spec:
  restartPolicy: {{ .restartPolicy | default "OnFailure" }}
  automountServiceAccountToken: false
  serviceAccountName: {{ include "trackway.serviceAccount" $it | quote }}
  enableServiceLinks: false
  {{- with include "trackway.pullSecrets" .root }}
  imagePullSecrets:
    {{- . | nindent 4 }}
  {{- end }}
  securityContext:
    {{- toYaml $values.podSecurityContext | nindent 4 }}
  {{- with $values.nodeSelector }}
  nodeSelector:
    {{- include "trackway.texts" . | nindent 4 }}
  {{- end }}
  {{- range $name := list "priorityClassName" "hostAliases" "dnsPolicy" "dnsConfig" "tolerations" "affinity" }}
  {{- with index $values $name }}
  {{ $name }}:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
  containers:
    - name: {{ .name }}
      {{- include "trackway.container" $it | nindent 6 }}
      {{- with .resources }}
      resources:
        {{- toYaml . | nindent 8 }}
      {{- end }}
  volumes:
    {{- include "trackway.volumes" $it | nindent 4 }}
{{- end -}}
