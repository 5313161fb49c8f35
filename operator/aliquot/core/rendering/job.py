"""The pods of RunaiJobs: their template, and what makes each of them a pod of its job (cluster-api.md 1.7)."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, cast

from aliquot import names, naming
from aliquot.core.rendering.context import Manifest, Owner
from aliquot.core.submission import ValidJob

_CONTAINERS = ("initContainers", "containers")


def job_pod(job: ValidJob, owner: Owner, index: int, attempt: int, failed_attempts: int) -> Manifest:
    """Make the manifest of one pod.

    What the template says holds, but for its name and the labels by which the job knows its pods again. What it leaves
    out is ours: the scheduler, the priority class, and that a container that ends is not started again.

    Args:
        job: what is asked for.
        owner: the job; the pod goes with it.
        index: which completion the pod works on, from 0.
        attempt: how many pods the index had before, from 0.
        failed_attempts: how many of these failed by themselves.
    """
    metadata, spec = (cast("dict[str, Any]", deepcopy(job.template.get(part)) or {}) for part in ("metadata", "spec"))
    labels: dict[str, Any] = {
        names.RELEASE_LABEL: naming.label_value(owner.name),
        **(metadata.get("labels") or {}),
        names.POD_INDEX_LABEL: str(index),
        names.ATTEMPT_LABEL: str(attempt),
    }
    annotations: dict[str, Any] = {
        **(metadata.get("annotations") or {}),
        names.FAILED_ATTEMPTS_ANNOTATION: str(failed_attempts),
    }
    told = {names.ENV_JOB_NAME: owner.name, names.ENV_JOB_UUID: owner.uid, names.ENV_POD_INDEX: str(index)}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": naming.pod_name(owner.name, index, attempt),
            "namespace": owner.namespace,
            "labels": labels,
            "annotations": annotations,
            "ownerReferences": [owner.reference()],
        },
        "spec": {
            "schedulerName": names.SCHEDULER_NAME,
            "restartPolicy": "Never",
            "priorityClassName": job.priority_class,
            **spec,
            **{part: [_told(each, told) for each in spec[part]] for part in _CONTAINERS if spec.get(part)},
        },
    }


def _told(container: Mapping[str, Any], told: Mapping[str, str]) -> Manifest:
    """Return the container with these variables before its own, which win."""
    theirs = cast("list[dict[str, Any]]", container.get("env") or [])
    own = {variable.get("name") for variable in theirs}
    ours = [{"name": name, "value": value} for name, value in told.items() if name not in own]
    return {**container, "env": [*ours, *theirs]}
