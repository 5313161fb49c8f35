"""The pod that holds a GPU for those who have parts of it: what it looks like, and what its kubelet says of it.

It names its node itself, so no scheduler sees it: the kubelet and its device plugin give it a device, or refuse it for
good (`UnexpectedAdmissionError`). Which device it has got stands in its own status (Kubernetes 1.36 and newer), or is
written on it by the agent of its node.
"""

from typing import Final

from aliquot import names, naming
from aliquot.contracts.kubernetes import Metadata, Pod
from aliquot.core.grants.cards import Hold, Reservation
from aliquot.core.grants.record import gpu_labels, recorded_gpus

_GRACE_SECONDS: Final = 1
"""Without any a pod is removed while its process may still run, and its device is given to others meanwhile."""
_NOBODY: Final = 65535
"""User of the process, as in the usual image."""
_ENDED: Final = ("Succeeded", "Failed")


def reservation_pod(node: Metadata, gpu: str, image: str) -> dict[str, object]:
    """Make the manifest of the pod that holds a GPU.

    Its node controls it, as it does static pods: it goes with the node, and drains do not stop at it.

    Args:
        node: the node's name and uid.
        gpu: the scheduler's id of the GPU.
        image: of a process that waits until it is ended.
    """
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": naming.reservation_name(gpu),
            "namespace": names.RESERVATION_NAMESPACE,
            "labels": {names.MANAGED_BY_LABEL: names.MANAGED_BY, **gpu_labels((gpu,))},
            "annotations": {names.SHARED_GPUS_ANNOTATION: gpu},
            "ownerReferences": [
                {"apiVersion": "v1", "kind": "Node", "name": node.name, "uid": node.uid, "controller": True}
            ],
        },
        "spec": {
            "nodeName": node.name,
            "restartPolicy": "Always",
            "terminationGracePeriodSeconds": _GRACE_SECONDS,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            # A node that is drained or short of something keeps its sharers, and so their GPU.
            "tolerations": [{"operator": "Exists"}],
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": _NOBODY,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": "reservation",
                    "image": image,
                    "resources": {"requests": {names.GPU_RESOURCE: "1"}, "limits": {names.GPU_RESOURCE: "1"}},
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "readOnlyRootFilesystem": True,
                        "capabilities": {"drop": ["ALL"]},
                    },
                }
            ],
        },
    }


def reserved_gpu(pod: Pod) -> str:
    """The scheduler's id of the GPU that the pod holds for others; empty: it is no reservation."""
    metadata = pod.metadata
    if metadata.namespace != names.RESERVATION_NAMESPACE:
        return ""
    gpus = recorded_gpus(metadata.annotations)
    return gpus[0] if len(gpus) == 1 and metadata.name == naming.reservation_name(gpus[0]) else ""


def reservation_of(pod: Pod, *, overdue: bool) -> Reservation:
    """Read how a reservation is doing.

    Args:
        pod: it.
        overdue: whether it has been there for so long that its device should be known.
    """
    if pod.metadata.deletion_timestamp is not None:
        return Reservation(Hold.ENDING)
    if pod.status.phase in _ENDED:
        return Reservation(Hold.REFUSED)
    device = device_in_status(pod) or pod.metadata.annotations.get(names.RESERVED_GPU_ANNOTATION, "")
    if device:
        return Reservation(Hold.HELD, device)
    return Reservation(Hold.REFUSED if overdue else Hold.ASKED)


def device_in_status(pod: Pod) -> str:
    """What the device plugin calls the GPU by the pod's status; empty: the status does not say."""
    said = (
        device.resource_id
        for container in pod.status.container_statuses
        for resource in container.allocated_resources_status
        if resource.name == names.GPU_RESOURCE
        for device in resource.resources
    )
    return next(said, "")
