"""The pod of a training workload (cluster-api.md 11), made by the operator itself, without a Job in between.

Security: a pod passes the Pod Security level `baseline`. Its seccomp profile is the container runtime's default, which
is also what `docker run` has, so that images that were tried there run here. The level `restricted` would in addition
refuse root and `sudo`, which many training images use; that is the choice of the user, not ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from aliquot import names, naming
from aliquot.core.rendering.environment import environment, expanded
from aliquot.core.rendering.resources import resources
from aliquot.core.submission import ValidSpec


def _no_labels() -> dict[str, str]:
    return {}


@dataclass(frozen=True, slots=True)
class Owner:
    """The workload that a pod belongs to.

    Attributes:
        labels: the workload's own. They stay there: tools that find their objects by label would take the pods for
            objects of theirs. Labels for pods are a parameter.
    """

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str
    labels: Mapping[str, str] = field(default_factory=_no_labels)


def training_pod(
    spec: ValidSpec, owner: Owner, project: str, job_name: str, index: int, attempt: int, failed_attempts: int
) -> dict[str, object]:
    """Make the manifest of one pod, complete except for what the API server fills in.

    Args:
        spec: what the workload asks for.
        owner: the workload; the pod goes when it goes.
        project: whose quota the pod uses.
        job_name: the workload's visible name, given or generated.
        index: which completion the pod works on, from 0.
        attempt: how many pods the index had before, from 0.
        failed_attempts: how many of these failed by themselves.
    """
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": naming.pod_name(job_name, index, attempt),
            "namespace": owner.namespace,
            "labels": _labels(spec, owner, project, job_name, index, attempt),
            "annotations": _annotations(spec, failed_attempts),
            "ownerReferences": [
                {
                    "apiVersion": owner.api_version,
                    "kind": owner.kind,
                    "name": owner.name,
                    "uid": owner.uid,
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
        },
        "spec": {
            "schedulerName": names.SCHEDULER_NAME,
            "restartPolicy": "Never",
            "priorityClassName": spec.priority_class,
            **({"nodeSelector": {names.NODE_TYPE_LABEL: spec.node_type}} if spec.node_type is not None else {}),
            "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [_container(spec, owner, project, job_name, index)],
        },
    }


def _labels(spec: ValidSpec, owner: Owner, project: str, job_name: str, index: int, attempt: int) -> dict[str, str]:
    ours = {
        names.MANAGED_BY_LABEL: names.MANAGED_BY,
        names.QUEUE_LABEL: project,
        names.PROJECT_LABEL: project,
        names.RELEASE_LABEL: naming.label_value(job_name),
        names.WORKLOAD_NAME_LABEL: naming.label_value(owner.name),
        names.WORKLOAD_KIND_LABEL: owner.kind,
        names.PRIORITY_CLASS_LABEL: spec.priority_class,
        names.POD_INDEX_LABEL: str(index),
        names.ATTEMPT_LABEL: str(attempt),
    }
    if len(spec.node_pools) == 1:
        ours[names.NODE_POOL_LABEL] = spec.node_pools[0]
    return _joined(spec.labels, ours)


def _annotations(spec: ValidSpec, failed_attempts: int) -> dict[str, str]:
    ours = {names.FAILED_ATTEMPTS_ANNOTATION: str(failed_attempts)}
    if spec.user is not None:
        ours[names.USER_ANNOTATION] = spec.user
    if spec.node_pools:
        ours[names.NODE_POOLS_ANNOTATION] = ",".join(spec.node_pools)
    return _joined(spec.annotations, ours)


def _joined(theirs: Mapping[str, str], ours: Mapping[str, str]) -> dict[str, str]:
    assert not theirs.keys() & ours.keys(), "submission refuses names that are ours"
    return {**theirs, **ours}


def _container(spec: ValidSpec, owner: Owner, project: str, job_name: str, index: int) -> dict[str, object]:
    container: dict[str, object] = {"name": naming.dns_label(job_name), "image": spec.image}
    if spec.image_pull_policy is not None:
        container["imagePullPolicy"] = spec.image_pull_policy
    if spec.command:
        container["command"] = expanded(spec.command, project, job_name)
    if spec.arguments:
        container["args"] = expanded(spec.arguments, project, job_name)
    if spec.working_dir is not None:
        container["workingDir"] = spec.working_dir
    container["env"] = environment(spec, owner.uid, project, job_name, index)
    wishes = resources(spec)
    if wishes:
        container["resources"] = wishes
    return container
