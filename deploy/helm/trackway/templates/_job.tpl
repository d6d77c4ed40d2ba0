{{/* The pods of jobs: they reach the store as a query node does, or whichever component there is. */}}

{{/* dict root, name (label), args, resources, extraEnv, of (values of its own, before those of the component) → the
     template of a job's pods */}}
{{- define "trackway.jobPod" -}}
{{- $component := include "trackway.speaker" .root -}}
{{- $values := include "trackway.values" (dict "root" .root "component" $component) | fromYaml -}}
{{- $values = mergeOverwrite $values (dict "extraEnv" (concat ($values.extraEnv | default list) (.extraEnv | default list))) -}}
{{- $of := .of | default dict -}}
{{- range $name := list "nodeSelector" "tolerations" "affinity" "podSecurityContext" "securityContext" -}}
{{- with index $of $name -}}{{- $_ := set $values $name . -}}{{- end -}}
{{- end -}}
{{- range $name := list "envFrom" "extraSecretMounts" "extraConfigmapMounts" -}}
{{- $known := list -}}
{{- range index $values $name | default list -}}{{- $known = append $known (.name | default "") -}}{{- end -}}
{{- range index $of $name | default list -}}
{{- if not (and .name (has .name $known)) -}}{{- $_ := set $values $name (append (index $values $name | default list) .) -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- $_ := set $values "cmdlineParams" (mergeOverwrite ($values.cmdlineParams | default dict) (deepCopy ($of.cmdlineParams | default dict))) -}}
{{- $account := dig "serviceAccount" "name" "" $of | default (include "trackway.serviceAccount" (dict "root" .root "component" $component "values" $values)) -}}
{{- $it := dict "root" .root "component" $component "values" $values "args" .args "isJob" true -}}
metadata:
  labels:
    {{- include "trackway.labels" (dict "root" .root "component" .name) | nindent 4 }}
    {{- with $of.podLabels }}
    {{- include "trackway.texts" . | nindent 4 }}
    {{- end }}
  {{- with $of.podAnnotations }}
  annotations:
    {{- include "trackway.texts" . | nindent 4 }}
  {{- end }}
spec:
  restartPolicy: {{ .restartPolicy | default "OnFailure" }}
  automountServiceAccountToken: false
  serviceAccountName: {{ $account | quote }}
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
