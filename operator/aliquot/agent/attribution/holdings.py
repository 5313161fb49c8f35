"""Who was given what, from the two who know: parts of GPUs stand on pods, whole devices in the kubelet's list."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from aliquot.agent.pod_resources import Assignment

WHOLE_PERCENT: Final = 100


@dataclass(frozen=True, slots=True, order=True)
class PodRef:
    """A pod; each field is empty where nobody has said it."""

    namespace: str
    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class Grant:
    """What a pod was given of one device.

    Attributes:
        device: UUID of a GPU or MIG device.
        percent: hundredths of a GPU; None: a MIG device, which is no part that could be counted so.
        memory_mib: memory, where it was asked for as such; None: in proportion.
        container: who has it, where one container does.
        burst_percent: hundredths of its memory that the pod may use while nobody else needs them; None: `percent`.
        burst_mib: the same in MiB, where memory was asked for as such; None: `memory_mib`.
    """

    device: str
    percent: int | None
    memory_mib: int | None = None
    container: str = ""
    burst_percent: int | None = None
    burst_mib: int | None = None


@dataclass(frozen=True, slots=True)
class PodOnNode:
    """A pod of this node, with the parts of GPUs that it was given."""

    ref: PodRef
    grants: tuple[Grant, ...] = ()


def holdings(
    pods: Iterable[PodOnNode], assignments: Iterable[Assignment], units: Mapping[str, int | None], reservations: str
) -> dict[PodRef, dict[str, Grant]]:
    """What each pod was given, by device.

    Args:
        pods: those that are known, with their parts.
        assignments: devices that the kubelet has given away.
        units: UUIDs of GPUs, each a hundred hundredths, and of MIG devices, with None. Other devices are left out.
        reservations: namespace of the pods that hold GPUs for sharers; they use nothing themselves.
    """
    found: dict[PodRef, dict[str, Grant]] = {}
    known: dict[tuple[str, str], PodRef] = {}
    for pod in pods:
        known[pod.ref.namespace, pod.ref.name] = pod.ref
        for grant in pod.grants:
            if grant.device in units:
                found.setdefault(pod.ref, {})[grant.device] = grant
    for each in assignments:
        ref = known.get((each.namespace, each.pod), PodRef(each.namespace, each.pod, ""))
        if each.namespace == reservations:
            continue
        for device_id in each.device_ids:
            # A device plugin that gives one GPU out several times adds a number to its UUID.
            device = device_id.partition("::")[0]
            if device in units:
                found.setdefault(ref, {})[device] = Grant(device, units[device], container=each.container)
    return found
