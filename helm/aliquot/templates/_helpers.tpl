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

{{/* Name of everything that belongs to the webhook. */}}
{{- define "aliquot.webhook" -}}
{{ include "aliquot.fullname" . }}-webhook
{{- end -}}

{{/* Secret with the webhook's certificate. cert-manager makes one of another type, so it has another name. */}}
{{- define "aliquot.webhookSecret" -}}
{{ include "aliquot.webhook" . }}{{ if .Values.webhook.certManager.enabled }}-tls{{ end }}
{{- end -}}

{{- define "aliquot.webhookAccount" -}}
{{ .Values.webhook.serviceAccountName | default (include "aliquot.webhook" .) }}
{{- end -}}

{{/* What the webhook is told of its place: name → text. */}}
{{- define "aliquot.webhookVariables" -}}
ALIQUOT_WEBHOOK__PORT: "9443"
ALIQUOT_WEBHOOK__HOST_NAME: {{ include "aliquot.webhookHost" . | quote }}
ALIQUOT_WEBHOOK__SECRET_NAME: {{ include "aliquot.webhookSecret" . }}
ALIQUOT_WEBHOOK__CONFIGURATION_NAME: {{ include "aliquot.webhook" . }}
ALIQUOT_WEBHOOK__MAKES_CERTIFICATES: {{ .Values.webhook.certManager.enabled | ternary "false" "true" | quote }}
{{- end -}}

{{/* Host by which the API server calls the webhook. */}}
{{- define "aliquot.webhookHost" -}}
{{- with .Values.webhook.url -}}
{{ regexReplaceAll ":[0-9]+$" (urlParse .).host "" }}
{{- else -}}
{{ include "aliquot.webhook" . }}.{{ .Release.Namespace }}.svc
{{- end -}}
{{- end -}}

{{/* Secret and ConfigMap of what the operator needs to speak to the control plane. */}}
{{- define "aliquot.controlPlane" -}}
{{ include "aliquot.fullname" . }}-control-plane
{{- end -}}

{{/* Port at which the control plane is reached; empty: there is none. */}}
{{- define "aliquot.controlPlanePort" -}}
{{- with .Values.controlPlane.url -}}
{{- $way := urlParse ($.Values.controlPlane.proxy | default .) -}}
{{ regexFind ":[0-9]+$" $way.host | trimPrefix ":" | default (eq $way.scheme "http" | ternary "80" "443") }}
{{- end -}}
{{- end -}}

{{/* What the operator is told of the control plane: name → text. */}}
{{- define "aliquot.controlPlaneVariables" -}}
{{- $plane := .Values.controlPlane -}}
{{- if $plane.url -}}
{{- if not .Values.cluster.uid }}{{ fail "cluster.uid: missing: with controlPlane.url it must be what the control plane calls this cluster" }}{{ end -}}
{{- if eq (empty $plane.clientSecret) (empty $plane.existingSecret) }}{{ fail "controlPlane.clientSecret: with controlPlane.url either it or controlPlane.existingSecret must be given" }}{{ end -}}
ALIQUOT_CONTROL_PLANE__URL: {{ $plane.url | quote }}
ALIQUOT_CONTROL_PLANE__CLUSTER_UUID: {{ .Values.cluster.uid | quote }}
ALIQUOT_CONTROL_PLANE__CLIENT_SECRET_FILE: /etc/aliquot/control-plane/clientSecret
{{- with .Values.cluster.url }}
ALIQUOT_CONTROL_PLANE__CLUSTER_URL: {{ . | quote }}
{{- end }}
{{- with trim $plane.caBundle }}
ALIQUOT_CONTROL_PLANE__CA_FILE: /etc/aliquot/control-plane/ca.pem
{{- end }}
{{- with $plane.proxy }}
ALIQUOT_CONTROL_PLANE__PROXY: {{ . | quote }}
{{- end }}
{{- end -}}
{{- end -}}

{{/* The volume with the cluster's secret, and whom to trust. */}}
{{- define "aliquot.controlPlaneSecrets" -}}
{{- $plane := .Values.controlPlane -}}
{{- if $plane.url -}}
mountPath: /etc/aliquot/control-plane
sources:
  - secret:
      name: {{ $plane.existingSecret | default (include "aliquot.controlPlane" .) }}
      items: [{key: clientSecret, path: clientSecret}]
  {{- if trim $plane.caBundle }}
  - configMap:
      name: {{ include "aliquot.controlPlane" . }}
      items: [{key: ca.pem, path: ca.pem}]
  {{- end }}
{{- end -}}
{{- end -}}

{{- define "aliquot.serviceAccount" -}}
{{ .Values.serviceAccount.name | default (include "aliquot.operator" .) }}
{{- end -}}

{{/* What a Deployment selects by: can never change. Of a component: (list $ "operator"). */}}
{{- define "aliquot.selector" -}}
{{- $root := first . -}}
app.kubernetes.io/name: {{ $root.Chart.Name }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ last . }}
{{- end -}}

{{- define "aliquot.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* Labels of what belongs to a component: (list $ "operator"). */}}
{{- define "aliquot.labelsOf" -}}
{{ include "aliquot.labels" (first .) }}
app.kubernetes.io/component: {{ last . }}
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
ignored altogether, also the one for nodes. Of a component: (list $ "operator").
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

{{/*
A Deployment of one of the processes, all of one image, with the same settings and without any rights on their nodes.
  root: the chart's context
  component: operator or webhook, also the command
  name, serviceAccount, resources
  variables: further environment, name → text
  ports: container ports, name → number
  drain: seconds to go on answering after the pod was taken out of its Service
  secrets: a projected volume, and where it is mounted: {mountPath: …, sources: […]}; left out: none
*/}}
{{- define "aliquot.deployment" -}}
{{- $root := .root -}}
{{- $component := list .root .component -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .name }}
  namespace: {{ $root.Release.Namespace }}
  labels: {{- include "aliquot.labelsOf" $component | nindent 4 }}
spec:
  replicas: {{ $root.Values.replicas }}
  selector:
    matchLabels: {{- include "aliquot.selector" $component | nindent 6 }}
  template:
    metadata:
      labels: {{- merge (include "aliquot.labelsOf" $component | fromYaml) $root.Values.podLabels | toYaml | nindent 8 }}
      annotations:
        kubectl.kubernetes.io/default-container: {{ .component }}
        {{- with $root.Values.podAnnotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      serviceAccountName: {{ .serviceAccount }}
      automountServiceAccountToken: true
      # Otherwise the kubelet adds variables that begin with ALIQUOT_, named after our own Services.
      enableServiceLinks: false
      terminationGracePeriodSeconds: 30
      {{- with $root.Values.priorityClassName }}
      priorityClassName: {{ . }}
      {{- end }}
      {{- with $root.Values.imagePullSecrets }}
      imagePullSecrets: {{- toYaml . | nindent 8 }}
      {{- end }}
      securityContext:
        runAsNonRoot: true
        {{- if not (kindIs "invalid" $root.Values.runAsUser) }}
        runAsUser: {{ int64 $root.Values.runAsUser }}
        runAsGroup: {{ int64 $root.Values.runAsUser }}
        {{- end }}
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: {{ .component }}
          image: {{ include "aliquot.image" $root | quote }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          command: [aliquot, {{ .component }}]
          env:
            - name: ALIQUOT_IDENTITY__NAME
              valueFrom:
                fieldRef: {fieldPath: metadata.name}
            - name: ALIQUOT_IDENTITY__NAMESPACE
              valueFrom:
                fieldRef: {fieldPath: metadata.namespace}
            - name: ALIQUOT_SERVER__PORT
              value: "8080"
            {{- range $name, $value := .variables }}
            - name: {{ $name }}
              value: {{ $value | quote }}
            {{- end }}
            {{- range $group, $settings := $root.Values.settings }}
            {{- range $name, $value := $settings }}
            - name: {{ printf "aliquot_%s__%s" (snakecase $group) (snakecase $name) | upper }}
              value: {{ include "aliquot.setting" $value }}
            {{- end }}
            {{- end }}
          ports:
            {{- range $name, $port := .ports }}
            - name: {{ $name }}
              containerPort: {{ $port }}
            {{- end }}
          livenessProbe:
            httpGet: {path: /healthz, port: http}
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 3
            # Long enough to read a large cluster before anybody asks.
            initialDelaySeconds: 20
          readinessProbe:
            httpGet: {path: /readyz, port: http}
            periodSeconds: 5
            timeoutSeconds: 5
            failureThreshold: 2
          {{- with .drain }}
          lifecycle:
            preStop:
              sleep: {seconds: {{ . }}}
          {{- end }}
          {{- with .resources }}
          resources: {{- toYaml . | nindent 12 }}
          {{- end }}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities:
              drop: [ALL]
          volumeMounts:
            - name: tmp
              mountPath: /tmp
            {{- with .secrets }}
            - name: secrets
              mountPath: {{ .mountPath }}
              readOnly: true
            {{- end }}
      volumes:
        - name: tmp
          emptyDir:
            sizeLimit: 16Mi
        {{- with .secrets }}
        - name: secrets
          projected:
            sources: {{- toYaml .sources | nindent 14 }}
        {{- end }}
      {{- with $root.Values.nodeSelector }}
      nodeSelector: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $root.Values.tolerations }}
      tolerations: {{- toYaml . | nindent 8 }}
      {{- end }}
      # A copy: merging changes the values, which the other Deployment reads, too.
      affinity: {{- merge (deepCopy $root.Values.affinity) (include "aliquot.apart" $component | fromYaml) | toYaml | nindent 8 }}
{{- end -}}

{{/*
What everybody sees who has a role in a project: its workloads, and what became of them.
*/}}
{{- define "aliquot.projectView" -}}
- apiGroups: [run.ai]
  resources:
    - distributedpolicies
    - distributedworkloads
    - externalworkloads
    - inferencepolicies
    - inferenceworkloads
    - interactivepolicies
    - interactiveworkloads
    - runaijobs
    - trainingpolicies
    - trainingworkloads
  verbs: [get, list, watch]
- apiGroups: [""]
  resources: [events, persistentvolumeclaims, pods, services]
  verbs: [get, list, watch]
- apiGroups: [""]
  resources: [pods/log]
  verbs: [get]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [get, list, watch]
- apiGroups: [networking.k8s.io]
  resources: [ingresses]
  verbs: [get, list, watch]
{{- end }}

{{/*
What those do with pods who submit workloads: a shell in them, and their ports.
*/}}
{{- define "aliquot.projectUse" -}}
- apiGroups: [""]
  resources: [pods/attach, pods/exec, pods/portforward]
  verbs: [get, create]
{{- end }}
