"""What a node's labels say of its GPUs where GPU feature discovery does not: count, memory, product, MIG strategy.

Values are as that program writes them. Nothing is written beside it, and no label is touched that somebody else wrote.
One of ours is kept right for as long as the agent runs, and stays when it goes: the scheduler reckons with it.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from aliquot import names
from aliquot.agent.nvml import Device, MigInstance, Snapshot
from aliquot.core.quantities import MIG_PREFIX

_BYTES_PER_MIB: Final = 1 << 20
_LONGEST_VALUE: Final = 63


def node_labels(
    snapshot: Snapshot, labels: Mapping[str, str], owned: Iterable[str], capacity: Mapping[str, str | int | float]
) -> dict[str, str | None]:
    """What labels are to say; None: not to be there. Empty: others label the node, or not every GPU can be read.

    Args:
        snapshot: the GPUs.
        labels: of the node.
        owned: those of them that the agent wrote.
        capacity: resources of the node, by name.
    """
    told = all(device.is_told and device.memory is not None for device in snapshot.devices)
    if names.GPU_DISCOVERY_LABEL in labels or not snapshot.devices or not told:
        return {}
    ours = {key for key in owned if key in labels}
    said = _said(snapshot.devices, capacity)
    return {key: value for key, value in said.items() if key in ours or (key not in labels and value is not None)}


def _said(devices: Iterable[Device], capacity: Mapping[str, str | int | float]) -> dict[str, str | None]:
    gpus = list(devices)
    instances = [instance for device in gpus for instance in device.mig or ()]
    strategy = _strategy(instances, capacity)
    if strategy == "single":
        products = {f"{device.name}-MIG-{each.profile}" for device in gpus for each in device.mig or ()}
        memories = [each.memory.total_bytes for each in instances if each.memory is not None]
    else:
        products = {device.name for device in gpus}
        memories = [device.memory.total_bytes for device in gpus if device.memory is not None]
    return {
        names.GPU_COUNT_LABEL: str(len(instances) if strategy == "single" else len(gpus)),
        # Where GPUs differ parts are reckoned by the smallest: none is promised more than there is.
        names.GPU_MEMORY_LABEL: str(min(memories) // _BYTES_PER_MIB) if memories else None,
        names.GPU_PRODUCT_LABEL: _value(products.pop()) if len(products) == 1 else None,
        names.MIG_STRATEGY_LABEL: strategy,
    }


def _strategy(instances: Iterable[MigInstance], capacity: Mapping[str, str | int | float]) -> str | None:
    """How the device plugin offers MIG devices, by what the node has of them; None: it has none, or it is not clear."""
    count = len(list(instances))
    if not count:
        return None
    if any(name.startswith(MIG_PREFIX) for name in capacity):
        return "mixed"
    return "single" if str(capacity.get(names.GPU_RESOURCE, "")) == str(count) else None


def _value(product: str) -> str | None:
    """A product's name as a label can have it: NVIDIA-H100-80GB-HBM3."""
    text = re.sub(r"[^0-9A-Za-z._-]+", "-", product, flags=re.ASCII)[:_LONGEST_VALUE].strip("-._")
    return text or None
