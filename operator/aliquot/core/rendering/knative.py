"""Inference with Knative: a Service of its, which makes revisions, pods and addresses by itself (cluster-api.md 2.1).

Knative takes no whole pod. What it refuses, or takes only with a feature flag that an administrator has to set, is left
out or said in another place:

    restartPolicy, stdin, tty     left out: all pods of a service start again, and none has a terminal
    priorityClassName             left out; the scheduler reads the label of that name
    securityContext of the pod    said of the container, but for supplementalGroups
    ports                         the one on which the model answers
    variables from fields         left out: POD_UUID and NODE_NAME; those that say which GPUs it has parts of stay

`schedulerName`, affinity, node selector, tolerations and parts of GPUs need the flags that docs/inference.md names.
"""

from typing import Final, cast

from aliquot import names
from aliquot.core.rendering.context import Context, Manifest
from aliquot.core.rendering.template import pod_annotations, pod_labels, pod_spec
from aliquot.core.submission import ValidInference

KNATIVE_GROUP: Final = "serving.knative.dev"
KNATIVE_VERSION: Final = "v1"
KNATIVE_KIND: Final = "Service"
_METRICS: Final = {"concurrency": "concurrency", "throughput": "rps"}
"""The metrics of workloads, as Knative calls them."""
_ONLY_OF_PODS: Final = "supplementalGroups"


def knative_service(spec: ValidInference, context: Context) -> Manifest:
    """Make the manifest of the Knative Service that carries an inference workload out."""
    private = {names.KNATIVE_VISIBILITY_LABEL: names.KNATIVE_CLUSTER_LOCAL} if spec.private else {}
    return {
        "apiVersion": f"{KNATIVE_GROUP}/{KNATIVE_VERSION}",
        "kind": KNATIVE_KIND,
        "metadata": {
            "name": context.object_name(),
            "namespace": context.owner.namespace,
            "labels": {**context.mark(), **private},
            "ownerReferences": [context.owner.reference()],
        },
        "spec": {
            "template": {
                "metadata": {
                    "labels": pod_labels(spec.pod, context, {}),
                    "annotations": pod_annotations(spec.pod, {**_scaling(spec), **context.whose()}),
                },
                "spec": _revision(spec, context),
            }
        },
    }


def _scaling(spec: ValidInference) -> dict[str, str]:
    found = {
        names.KNATIVE_METRIC_ANNOTATION: _METRICS[spec.metric],
        names.KNATIVE_MIN_SCALE_ANNOTATION: str(spec.min_scale),
    }
    if spec.max_scale is not None:
        found[names.KNATIVE_MAX_SCALE_ANNOTATION] = str(spec.max_scale)
    if spec.target is not None:
        found[names.KNATIVE_TARGET_ANNOTATION] = str(spec.target)
    if spec.autoscaler is not None:
        found[names.KNATIVE_CLASS_ANNOTATION] = spec.autoscaler
    return found


def _revision(spec: ValidInference, context: Context) -> Manifest:
    whole = pod_spec(spec.pod, context, None, "Always")
    of_pod = cast("Manifest", whole.pop("securityContext"))
    del whole["restartPolicy"], whole["priorityClassName"]
    groups = {name: value for name, value in of_pod.items() if name == _ONLY_OF_PODS}
    of_container = {name: value for name, value in of_pod.items() if name != _ONLY_OF_PODS}
    [container] = cast("list[Manifest]", whole["containers"])
    own = cast("Manifest", container.get("securityContext", {}))
    main = {name: part for name, part in container.items() if name not in ("stdin", "tty")}
    variables = cast("list[Manifest]", main["env"])
    main["env"] = [each for each in variables if each["name"] not in (names.ENV_POD_UUID, names.ENV_NODE_NAME)]
    main |= {"ports": [{"containerPort": spec.port}], "securityContext": {**of_container, **own}}
    return {**({"securityContext": groups} if groups else {}), **whole, "containers": [main]}
