"""GPUs that cannot be used, as the agents of nodes tell: what they take from a node, who has them, and in words.

Two tell of the same GPU: the node's agent, by name, and its device plugin, which offers one GPU less and names none. So
what both may mean counts once:

    usable  = the lesser of what the plugin offers and of all that there are but those that the agent names
    counted = usable + those that the agent names and pods still hold

A pod that holds such a GPU is counted on its node like any other: without the second term a healthy GPU that comes free
beside it would be given to nobody.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from aliquot import names
from aliquot.contracts import kubernetes
from aliquot.contracts.agent_reports import DeviceTrouble, Overuse, TroubleReason, read_health, read_overuse
from aliquot.core.grants import recorded_devices, reserved_gpu
from aliquot.core.intake.requests import TOO_MUCH, amount_there
from aliquot.core.intake.times import in_rfc_3339
from aliquot.core.quantities import PERCENT_PER_DEVICE, is_mig

_WORDS: Final[Mapping[TroubleReason, str]] = MappingProxyType(
    {"lost": "lost", "reset_required": "needs a reset", "failed": "failed"}
)
_MIG_PREFIX: Final = "MIG-"


@dataclass(frozen=True, slots=True)
class InTrouble:
    """What pods have of the GPUs of a node that cannot be used.

    Attributes:
        held: the device plugin's names of those that pods hold.
        closed: the scheduler's ids of those of which pods have parts, or that a reservation holds.
        believed: whether what the agent tells is followed at all.
    """

    held: frozenset[str] = frozenset()
    closed: frozenset[str] = frozenset()
    believed: bool = True


ALL_WELL: Final = InTrouble()
NOT_BELIEVED: Final = InTrouble(believed=False)


def troubles_of(node: kubernetes.Node) -> Mapping[str, DeviceTrouble]:
    """Which GPUs of the node cannot be used, by the device plugin's names."""
    return read_health(node.metadata.annotations.get(names.GPU_HEALTH_ANNOTATION))


def gpus_held(pod: kubernetes.Pod) -> Mapping[str, str]:
    """The GPUs that the pod holds: by the device plugin's names, the scheduler's ids; empty for whole ones and MIG.

    Of whole ones and MIG devices the kubelet tells the names, in the pod's status (Kubernetes 1.36 and newer).
    """
    shared = {device: gpu for gpu, device in recorded_devices(pod.metadata.annotations).items()}
    gpu = reserved_gpu(pod)
    told = (
        device.resource_id
        for container in (*pod.status.container_statuses, *pod.status.init_container_statuses)
        for resource in container.allocated_resources_status
        if resource.name == names.GPU_RESOURCE or is_mig(resource.name)
        for device in resource.resources
    )
    found = dict.fromkeys(told, gpu) | shared
    if gpu and not found and (device := pod.metadata.annotations.get(names.RESERVED_GPU_ANNOTATION)):
        found[device] = gpu
    return found


def gpus_counted(node: kubernetes.Node, in_trouble: InTrouble = ALL_WELL) -> tuple[int, int]:
    """GPUs of the node as they are counted, in hundredths (see above), and how many whole ones cannot be used."""
    offered = amount_there(node.status.allocatable).gpu_percent
    named = _of_the_resource(node, troubles_of(node)) if in_trouble.believed else set[str]()
    if not named:
        return offered, 0
    usable = min(offered, max(0, _there(node) - PERCENT_PER_DEVICE * len(named)))
    counted = usable + PERCENT_PER_DEVICE * len(named.intersection(in_trouble.held))
    return min(TOO_MUCH, counted), len(named)


def still_offered(node: kubernetes.Node) -> bool:
    """Whether the device plugin still gives pods GPUs of which the agent says that they cannot be used."""
    named = _of_the_resource(node, troubles_of(node))
    offered = amount_there(node.status.allocatable).gpu_percent
    return bool(named) and offered > _there(node) - PERCENT_PER_DEVICE * len(named)


def _there(node: kubernetes.Node) -> int:
    """All GPUs of the node, in hundredths, whether they can be used or not."""
    there = (amount_there(written).gpu_percent for written in (node.status.capacity, node.status.allocatable))
    return max(there)


def _of_the_resource(node: kubernetes.Node, devices: Iterable[str]) -> set[str]:
    """Those that are counted as `nvidia.com/gpu`: MIG devices are only where all are (strategy `single`)."""
    single = node.metadata.labels.get(names.MIG_STRATEGY_LABEL) == "single"
    return {device for device in devices if device.startswith(_MIG_PREFIX) == single}


# In words


def health_problem(node: kubernetes.Node) -> str:
    """How many GPUs of the node cannot be used, and why; empty: none that anybody tells of."""
    troubles = troubles_of(node)
    if not troubles:
        return ""
    counts = Counter(_WORDS[trouble.reason] for trouble in troubles.values())
    why = ", ".join(sorted(counts) if len(counts) == 1 else (f"{counts[word]} {word}" for word in sorted(counts)))
    there = max(_there(node) // PERCENT_PER_DEVICE, len(troubles))
    return f"{len(troubles)} of {there} GPUs cannot be used ({why})"


def trouble_in_words(node: str, troubles: Mapping[str, DeviceTrouble]) -> str:
    """Which GPUs of a node a pod has that cannot be used, why, and since when."""
    each = (
        f"{device} ({_WORDS[trouble.reason]}, since {in_rfc_3339(trouble.since)})"
        for device, trouble in sorted(troubles.items())
    )
    return f"it has GPUs of node {node} that cannot be used: {', '.join(each)}"


def overuse_of(pod: kubernetes.Pod) -> Mapping[str, Overuse]:
    """On which GPUs the pod uses too much memory, of those that it has parts of, by the device plugin's names."""
    had = set(recorded_devices(pod.metadata.annotations).values())
    told = read_overuse(pod.metadata.annotations.get(names.GPU_OVERUSE_ANNOTATION)) if had else {}
    return {device: use for device, use in told.items() if device in had and use.used_mib > use.limit_mib}


def only_lent(uses: Mapping[str, Overuse]) -> bool:
    """Whether the pod uses no more than it may while nobody else needs it: others do now, and it is not to blame."""
    return all(use.used_mib <= use.burst_mib for use in uses.values())


def overuse_in_words(uses: Mapping[str, Overuse]) -> str:
    """How much too much memory a pod uses, of which GPUs, and since when."""
    each = (
        f"{use.used_mib} MiB of {device}, where it may use {_allowed(use)} (since {in_rfc_3339(use.since)})"
        for device, use in sorted(uses.items())
    )
    return f"it uses {', and '.join(each)}"


def _allowed(use: Overuse) -> str:
    if not use.burst_mib:
        return f"{use.limit_mib} MiB"
    return f"{use.limit_mib} MiB, or {use.burst_mib} MiB while nobody else needs them"
