"""Which GPU a reservation pod holds, for pods whose status does not say it (before Kubernetes 1.36)."""

from collections.abc import Iterable

from aliquot import names
from aliquot.agent.pod_resources import Assignment
from aliquot.contracts.kubernetes import Pod
from aliquot.core.grants import device_in_status, reserved_gpu

_ENDED = ("Succeeded", "Failed")


def waits_for_an_answer(pod: Pod) -> bool:
    """Whether the agent is asked.

    A kubelet that says it does so in the first status that it writes, so one with containers and no device never will.
    """
    return (
        bool(reserved_gpu(pod))
        and pod.metadata.deletion_timestamp is None
        and pod.status.phase not in _ENDED
        and bool(pod.status.container_statuses)
        and not device_in_status(pod)
    )


def held_device(pod: Pod, assignments: Iterable[Assignment]) -> str | None:
    """What the device plugin calls the GPU that the kubelet gave to the pod; None: it has given none."""
    devices = (
        device
        for each in assignments
        if (each.namespace, each.pod, each.resource) == (pod.metadata.namespace, pod.metadata.name, names.GPU_RESOURCE)
        for device in each.device_ids
    )
    return next(devices, None)
