"""The kubelet's device plugin API v1beta1, generated; `python -m tools.kubelet_apis` does it again.

`deviceplugin.proto` is `pkg/apis/deviceplugin/v1beta1/api.proto` of the Go module k8s.io/kubelet v0.37.2 (Kubernetes,
Apache License 2.0). It has a name of its own because protobuf knows files by their paths, and every API of the kubelet
is called `api.proto`: two of them in one process collide.
"""
