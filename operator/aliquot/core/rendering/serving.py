"""Inference without Knative: a Deployment, its Service, and a HorizontalPodAutoscaler where there is a metric for it.

An update replaces pods one after another, and none is begun before another has ended: two versions side by side would
need twice the GPUs, to which the project may have no right.
"""

from collections.abc import Collection
from typing import Final

from aliquot import names
from aliquot.core.rendering.context import Context, Manifest
from aliquot.core.rendering.template import pod_annotations, pod_labels, pod_spec
from aliquot.core.submission import ValidInference

REQUEST_METRICS: Final = {
    "concurrency": "inference_requests_in_flight",
    "throughput": "inference_requests_per_second",
}
"""Names of the metrics of pods, in the API custom.metrics.k8s.io, that the number of pods can follow."""
DEFAULT_TARGETS: Final = {"concurrency": 100, "throughput": 200}
"""What each pod should have where the workload does not say: what Knative's autoscaler takes then."""
MOST_REPLICAS: Final = 1000
"""Pods of a service that gives no maximum: the autoscaler needs one, and the project's quota is there besides."""
_PORT: Final = 80
_SERVING: Final = "-serving"
_WORKLOAD_LABELS: Final = (names.WORKLOAD_NAME_LABEL, names.WORKLOAD_KIND_LABEL)


def serving_objects(spec: ValidInference, context: Context, metrics: Collection[str]) -> list[Manifest]:
    """Make the manifests that carry an inference workload out, in the order in which to create them.

    Args:
        spec: what the workload asks for.
        context: where it runs.
        metrics: names of the metrics of pods that the cluster has; without one of `REQUEST_METRICS` the number of pods
            stays as it is.
    """
    scaled = can_scale(spec, metrics)
    return [
        _service(spec, context),
        _deployment(spec, context, scaled=scaled),
        *([_autoscaler(spec, context)] if scaled else []),
    ]


def can_scale(spec: ValidInference, metrics: Collection[str]) -> bool:
    """Whether the number of pods follows the load: it may change, and there is a metric that it can follow."""
    return may_scale(spec) and REQUEST_METRICS[spec.metric] in metrics


def may_scale(spec: ValidInference) -> bool:
    """Whether the number of pods may change at all."""
    return spec.max_scale != least_replicas(spec)


def answers_at(url: str) -> str:
    """Say where requests from inside the cluster go."""
    return f"it answers at {url}"


def serving_notes(spec: ValidInference, context: Context, metrics: Collection[str]) -> tuple[str, ...]:
    """Say where the model answers and what is not possible, a sentence each; `metrics` as of `serving_objects`."""
    notes = [answers_at(f"http://{serving_name(spec, context)}.{context.owner.namespace}.svc")]
    if spec.min_scale < least_replicas(spec):
        notes.append("one pod stays when there are no requests: scaling to zero needs Knative")
    if may_scale(spec) and not can_scale(spec, metrics):
        metric = REQUEST_METRICS[spec.metric]
        notes.append(f"the number of pods does not follow the load: the cluster has no metric {metric} of pods")
    return tuple(notes)


def least_replicas(spec: ValidInference) -> int:
    """Return the pods that there are at least: without Knative nobody would hold requests back until there is one."""
    return max(1, spec.min_scale)


def serving_name(spec: ValidInference, context: Context) -> str:
    """Return the name of the Service: the job's, unless a port that is exposed has a Service of that name."""
    exposed = any(port.service_type is not None for port in spec.pod.network.ports)
    return context.object_name(_SERVING if exposed else "")


def _metadata(context: Context, name: str) -> Manifest:
    return {
        "name": name,
        "namespace": context.owner.namespace,
        "labels": context.mark(),
        "ownerReferences": [context.owner.reference()],
    }


def _selector(context: Context) -> dict[str, str]:
    mark = context.mark()
    return {label: mark[label] for label in _WORKLOAD_LABELS}


def _service(spec: ValidInference, context: Context) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(context, serving_name(spec, context)),
        "spec": {
            "type": "ClusterIP",
            "selector": _selector(context),
            "ports": [{"name": "http", "protocol": "TCP", "port": _PORT, "targetPort": spec.port}],
        },
    }


def _deployment(spec: ValidInference, context: Context, *, scaled: bool) -> Manifest:
    pod = spec.pod
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(context, context.object_name()),
        "spec": {
            # Whoever scales it says how many; to say so here, too, would undo that again and again.
            **({} if scaled else {"replicas": least_replicas(spec)}),
            "selector": {"matchLabels": _selector(context)},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}},
            "template": {
                "metadata": {
                    "labels": pod_labels(pod, context, {}),
                    "annotations": pod_annotations(pod, context.whose()),
                },
                "spec": pod_spec(pod, context, None, "Always"),
            },
        },
    }


def _autoscaler(spec: ValidInference, context: Context) -> Manifest:
    least = least_replicas(spec)
    target = spec.target or DEFAULT_TARGETS[spec.metric]
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": _metadata(context, context.object_name()),
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": context.object_name()},
            "minReplicas": least,
            "maxReplicas": spec.max_scale or MOST_REPLICAS,
            "metrics": [
                {
                    "type": "Pods",
                    "pods": {
                        "metric": {"name": REQUEST_METRICS[spec.metric]},
                        "target": {"type": "AverageValue", "averageValue": str(target)},
                    },
                }
            ],
        },
    }
