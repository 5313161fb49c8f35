"""The pod of a training workload, made by the operator itself, without a Job in between."""

from aliquot import names, naming
from aliquot.core.rendering.context import Context, Manifest, Owner
from aliquot.core.rendering.template import pod_annotations, pod_labels, pod_spec
from aliquot.core.submission import ValidPod, ValidSpec


def training_pod(
    spec: ValidSpec,
    owner: Owner,
    project: str,
    job_name: str,
    index: int,
    attempt: int,
    failed_attempts: int,
    *,
    node_types: tuple[str, ...] = (),
    restricted: bool = False,
) -> Manifest:
    """Make the manifest of one pod, complete except for what the API server fills in.

    Args:
        spec: what the workload asks for.
        owner: the workload; the pod goes when it goes.
        project: whose quota the pod uses.
        job_name: the workload's visible name, given or generated.
        index: which completion the pod works on, from 0.
        attempt: how many pods the index had before, from 0.
        failed_attempts: how many of these failed by themselves.
        node_types: types of nodes that the project may use for training workloads; empty: all.
        restricted: whether the namespace takes only pods of the Pod Security level `restricted`.
    """
    context = Context(owner, project, job_name, node_types, restricted)
    return workload_pod(spec.pod, context, index, attempt, failed_attempts)


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
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": naming.pod_name(context.job_name, index, attempt),
            "namespace": context.owner.namespace,
            "labels": pod_labels(pod, context, counted),
            "annotations": pod_annotations(pod, {names.FAILED_ATTEMPTS_ANNOTATION: str(failed_attempts)}),
            "ownerReferences": [context.owner.reference()],
        },
        "spec": pod_spec(pod, context, index, restart_policy),
    }
