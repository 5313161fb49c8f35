"""The pods of this node, and what the operator gave them: from the API server, by one watch of this node's pods.

The operator writes parts of GPUs on pods when it binds them (`core.grants`); this is where the agent reads them.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from aliquot import names
from aliquot.agent.attribution import Grant, PodOnNode, PodRef
from aliquot.contracts.kubernetes import Pod
from aliquot.core.quantities import PERCENT_PER_DEVICE, InvalidQuantityError, parse_gpu_percent, read_gpu_limit

_MIB: Final = re.compile(r"[0-9]{1,10}", re.ASCII)
_ENDED: Final = ("Succeeded", "Failed")


def pod_on_node(pod: Pod) -> PodOnNode:
    """What is known of a pod; one that has ended holds nothing any more."""
    ref = PodRef(pod.metadata.namespace, pod.metadata.name, pod.metadata.uid)
    return PodOnNode(ref, () if pod.status.phase in _ENDED else tuple(grants(pod)))


def grants(pod: Pod) -> Iterator[Grant]:
    """The parts of GPUs that a pod was given. A record that cannot be read gives none: its processes are strays."""
    annotations = pod.metadata.annotations
    try:
        percent = parse_gpu_percent(annotations.get(names.GPU_PORTION_ANNOTATION, ""))
    except InvalidQuantityError:
        return
    if not 0 < percent <= PERCENT_PER_DEVICE:
        return
    memory = annotations.get(names.GPU_MEMORY_ANNOTATION, "")
    memory_mib = int(memory) if _MIB.fullmatch(memory) else None
    limit = read_gpu_limit(annotations.get(names.GPU_LIMIT_ANNOTATION, ""), of_memory=memory_mib is not None)
    for device in annotations.get(names.GPU_IDS_ANNOTATION, "").split(","):
        if device:
            container = annotations.get(names.GPU_CONTAINER_ANNOTATION, "")
            yield Grant(device, percent, memory_mib, container, limit.percent, limit.mib)


def idle_since(pod: Pod) -> float | None:
    """Since when, by its annotation, a pod's GPUs have had no work, in Unix seconds; None: it does not say."""
    return time_in(pod, names.GPU_IDLE_SINCE_ANNOTATION)


def time_in(pod: Pod, annotation: str) -> float | None:
    """The time that an annotation says, in Unix seconds; None: it says none."""
    try:
        written = datetime.fromisoformat(pod.metadata.annotations.get(annotation, ""))
        return written.timestamp() if written.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None
