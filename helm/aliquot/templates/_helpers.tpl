{{/* The release's name, with "aliquot" in it. */}}
{{- define "aliquot.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Name of everything that belongs to the operator. */}}
{{- define "aliquot.operator" -}}
{{ include "aliquot.fullname" . }}-operator
{{- end -}}

{{- define "aliquot.serviceAccount" -}}
{{ .Values.serviceAccount.name | default (include "aliquot.operator" .) }}
{{- end -}}

{{/* What a Deployment selects by: can never change. */}}
{{- define "aliquot.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end -}}

{{- define "aliquot.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "aliquot.operatorLabels" -}}
{{ include "aliquot.labels" . }}
app.kubernetes.io/component: operator
{{- end -}}

{{- define "aliquot.image" -}}
{{- $image := .Values.image -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{- if eq $image.tag "latest" }}{{ fail "image.tag: \"latest\" means another program tomorrow, perhaps on one replica only; name a version, or set image.digest" }}{{ end -}}
{{ $image.repository }}:{{ $image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{/* Name of the lease, as the operator will use it: the rights to it are bound to its name. */}}
{{- define "aliquot.lease" -}}
{{ (.Values.settings.leadership | default dict).leaseName | default "aliquot-operator" }}
{{- end -}}

{{/* A setting as the text of an environment variable; without toJson 1000000 would be written 1e+06. */}}
{{- define "aliquot.setting" -}}
{{ kindIs "string" . | ternary . (toJson .) | quote }}
{{- end -}}

{{/*
Replicas keep apart, if they can. Not by topologySpreadConstraints: where nodes have no label for the zone, these are
ignored altogether, also the one for nodes.
*/}}
{{- define "aliquot.apart" -}}
podAntiAffinity:
  preferredDuringSchedulingIgnoredDuringExecution:
    {{- range $key, $weight := dict "kubernetes.io/hostname" 100 "topology.kubernetes.io/zone" 50 }}
    - weight: {{ $weight }}
      podAffinityTerm:
        topologyKey: {{ $key }}
        labelSelector:
          matchLabels: {{- include "aliquot.selector" $ | nindent 12 }}
    {{- end }}
{{- end -}}
