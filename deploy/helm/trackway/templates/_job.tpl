{{/* The pods of jobs: they reach the store as a query node does, or whichever component there is. */}}

{{/* dict root, name (label), args, resources, extraEnv, account (its service account, where it has one), of (values of
     its own, before those of the component) → the template of a job's pods */}}
{{- define "trackway.jobPod" -}}
{{- $component := include "trackway.speaker" .root -}}
{{- $values := include "trackway.values" (dict "root" .root "component" $component) | fromYaml -}}
{{- $values = mergeOverwrite $values (dict "extraEnv" (concat ($values.extraEnv | default list) (.extraEnv | default list))) -}}
{{- $of := .of | default dict -}}
{{- range $name := list "nodeSelector" "tolerations" "affinity" -}}
{{- with index $of $name -}}{{- $_ := set $values $name . -}}{{- end -}}
{{- end -}}
{{- /* What a job says of who it is goes over what keeps its pods within the restricted standard. */ -}}
{{- range $name := list "podSecurityContext" "securityContext" -}}
{{- $_ := set $values $name (mergeOverwrite (index $values $name | default dict) (deepCopy (index $of $name | default dict))) -}}
{{- end -}}
{{- $_ := set $values "envFrom" (concat ($values.envFrom | default list) ($of.envFrom | default list)) -}}
{{- $mounted := list -}}
{{- range concat ($of.extraSecretMounts | default list) ($of.extraConfigmapMounts | default list) -}}{{- $mounted = append $mounted .name -}}{{- end -}}
{{- range $name := list "extraSecretMounts" "extraConfigmapMounts" -}}
{{- $all := index $of $name | default list -}}
{{- range index $values $name | default list -}}{{- if not (has .name $mounted) -}}{{- $all = append $all . -}}{{- end -}}{{- end -}}
{{- $_ := set $values $name $all -}}
{{- end -}}
{{- $_ := set $values "cmdlineParams" (mergeOverwrite ($values.cmdlineParams | default dict) (deepCopy ($of.cmdlineParams | default dict))) -}}
{{- $account := .account | default (include "trackway.serviceAccount" (dict "root" .root "component" $component "values" $values)) -}}
{{- $it := dict "root" .root "component" $component "values" $values "args" .args "resources" .resources "isJob" true -}}
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
  volumes:
    {{- include "trackway.volumes" $it | nindent 4 }}
{{- end -}}
