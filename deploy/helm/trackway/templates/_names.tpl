{{/* What things are called, and the labels by which they find each other. */}}

{{/* The name before the component. Cut so that every name with what stands behind it is one that Kubernetes takes. */}}
{{- define "trackway.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 41 | trimSuffix "-" -}}
{{- else if or (contains (include "trackway.name" .) .Release.Name) (contains "trackway" .Release.Name) -}}
{{- .Release.Name | trunc 41 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "trackway.name" .) | trunc 41 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "trackway.name" -}}
{{- default "jaeger" .Values.nameOverride | trunc 41 | trimSuffix "-" -}}
{{- end -}}

{{/* The last part of a component's name: `all-in-one` for allInOne, else the component's own. */}}
{{- define "trackway.suffix" -}}
{{- if eq . "allInOne" -}}all-in-one{{- else -}}{{- . -}}{{- end -}}
{{- end -}}

{{/* dict root, component → name of the component's workload */}}
{{- define "trackway.componentName" -}}
{{- printf "%s-%s" (include "trackway.fullname" .root) (include "trackway.suffix" .component) -}}
{{- end -}}

{{/* dict root, component → labels that never change, by which pods are selected */}}
{{- define "trackway.selector" -}}
app.kubernetes.io/name: {{ include "trackway.name" .root | quote }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/component: {{ include "trackway.suffix" .component }}
{{- end -}}

{{/* dict root, component → labels of an object */}}
{{- define "trackway.labels" -}}
{{ include "trackway.selector" . }}
app.kubernetes.io/version: {{ include "trackway.tag" .root | trunc 63 | trimSuffix "-" | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/part-of: trackway
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- with .root.Values.commonLabels }}
{{ include "trackway.texts" . }}
{{- end }}
{{- end -}}

{{/* A map whose values are texts, whatever was written: Kubernetes takes nothing else for labels and annotations. */}}
{{- define "trackway.texts" -}}
{{- $all := dict -}}
{{- range $key, $value := . -}}
{{- if not (kindIs "invalid" $value) -}}{{- $_ := set $all $key (include "trackway.text" $value) -}}{{- end -}}
{{- end -}}
{{- range $key, $value := $all }}
{{ $key | quote }}: {{ $value | quote }}
{{- end -}}
{{- end -}}

{{/* A value as a text: whole numbers without an exponent. */}}
{{- define "trackway.text" -}}
{{- if kindIs "float64" . -}}
{{- if eq (float64 (int64 .)) . -}}{{- int64 . -}}{{- else -}}{{- . -}}{{- end -}}
{{- else -}}{{- toString . -}}{{- end -}}
{{- end -}}

{{/* dict root, component, name, annotations (maybe) → the metadata of an object */}}
{{- define "trackway.metadata" -}}
name: {{ .name | quote }}
namespace: {{ .root.Release.Namespace | quote }}
labels:
  {{- include "trackway.labels" . | nindent 2 }}
  {{- with .labels }}
  {{- include "trackway.texts" . | nindent 2 }}
  {{- end }}
{{- with merge (dict) (.annotations | default dict) (.root.Values.commonAnnotations | default dict) }}
annotations:
  {{- include "trackway.texts" . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "trackway.tag" -}}
{{- .Values.image.tag | default .Chart.AppVersion -}}
{{- end -}}

{{- define "trackway.image" -}}
{{- $registry := .Values.global.imageRegistry | default .Values.image.registry -}}
{{- if $registry }}{{ trimSuffix "/" $registry }}/{{ end -}}
{{- .Values.image.repository -}}
{{- if .Values.image.digest }}@{{ .Values.image.digest }}{{ else }}:{{ include "trackway.tag" . }}{{ end -}}
{{- end -}}

{{/* Secrets for pulling, as a list of {name}. */}}
{{- define "trackway.pullSecrets" -}}
{{- $all := list -}}
{{- range concat (.Values.global.imagePullSecrets | default list) (.Values.image.pullSecrets | default list) -}}
{{- if kindIs "string" . -}}{{- $all = append $all (dict "name" .) -}}{{- else -}}{{- $all = append $all . -}}{{- end -}}
{{- end -}}
{{- if $all }}{{ toYaml $all }}{{ end -}}
{{- end -}}

{{/* dict root, component, values → name of the service account */}}
{{- define "trackway.serviceAccount" -}}
{{- $own := ternary (include "trackway.componentName" .) "default" .values.serviceAccount.create -}}
{{- .values.serviceAccount.name | default $own -}}
{{- end -}}
