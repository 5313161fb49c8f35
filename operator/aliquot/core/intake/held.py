"""Devices of which pods say that they hold more than there is: somebody else has given them away."""

from collections.abc import Iterable

from aliquot.contracts import kubernetes
from aliquot.core.intake.nodes import device_memory_mib
from aliquot.core.intake.numbers import UnreadableError
from aliquot.core.intake.parts import devices_of, gpu_part
from aliquot.core.quantities import PERCENT_PER_DEVICE

_MOST_NAMED = 10


def device_problems(node: kubernetes.Node, pods: Iterable[kubernetes.Pod]) -> tuple[str, ...]:
    """What of the node's shared devices cannot be, a sentence for each device.

    Args:
        node: the node.
        pods: those on it that name devices of which they have parts, and have not ended.
    """
    units = device_memory_mib(node.metadata.labels) or PERCENT_PER_DEVICE
    held: dict[str, dict[str, int]] = {}
    for pod in pods:
        try:
            part = gpu_part(pod.metadata.annotations, whole=False)
        except UnreadableError:
            continue
        if part is not None and (part.percent or units > PERCENT_PER_DEVICE):
            for device in devices_of(pod.metadata):
                held.setdefault(device, {})[f"{pod.metadata.namespace}/{pod.metadata.name}"] = part.need(units)
    return tuple(
        f"GPU {device} is held to {100 * sum(parts.values()) / units:.4g} %, by pods "
        f"{', '.join(sorted(parts)[:_MOST_NAMED])}: allowed is 100 %"
        for device, parts in sorted(held.items())
        if sum(parts.values()) > units
    )
