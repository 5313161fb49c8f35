"""The pods that the operator makes itself, without a Job in between."""

from aliquot import names, naming
from aliquot.core.rendering.context import Context, Manifest
from aliquot.core.rendering.gang import gang_pod
from aliquot.core.rendering.template import main_container, pod_annotations, pod_labels, pod_spec
from aliquot.core.submission import Valid, ValidDistributed, ValidInteractive, ValidPod, ValidSpec


def pod_of(spec: Valid, context: Context, index: int, attempt: int, failed_attempts: int) -> Manifest:
    """Make the manifest of one pod, complete except for what the API server fills in.

    Args:
        spec: what the workload asks for.
        context: where it runs; the pod goes when its owner goes.
        index: which completion the pod works on, from 0.
        attempt: how many pods the index had before, from 0.
        failed_attempts: how many of these failed by themselves.
    """
    match spec:
        case ValidSpec():
            return workload_pod(spec.pod, context, index, attempt, failed_attempts)
        case ValidInteractive():  # what ends is started again by its node
            return workload_pod(spec.pod, context, index, attempt, failed_attempts, "Always")
        case ValidDistributed() if spec.job_type != "MPIJob":
            return gang_pod(spec, context, index, attempt, failed_attempts)
        case _:
            raise AssertionError(f"nobody makes pods of {type(spec).__name__}")


def workload_pod(
    pod: ValidPod, context: Context, index: int, attempt: int, failed_attempts: int, restart_policy: str = "Never"
) -> Manifest:
    """Make the manifest of one pod of a workload whose pods the operator makes itself.

    Args:
        pod: what the workload asks for.
        context: where it runs; the pod goes when its owner goes.
        index: which completion the pod works on, from 0.
        attempt: how many pods the index had before, from 0.
        failed_attempts: how many of these failed by themselves.
        restart_policy: what its node does when the container ends.
    """
    counted = {names.POD_INDEX_LABEL: str(index), names.ATTEMPT_LABEL: str(attempt)}
    told = {names.FAILED_ATTEMPTS_ANNOTATION: str(failed_attempts)}
    if pod.tensorboard is not None:
        told[names.MAIN_CONTAINER_ANNOTATION] = main_container(context)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": naming.pod_name(context.job_name, index, attempt),
            "namespace": context.owner.namespace,
            "labels": pod_labels(pod, context, counted),
            "annotations": pod_annotations(pod, told),
            "ownerReferences": [context.owner.reference()],
        },
        "spec": pod_spec(pod, context, index, restart_policy),
    }
