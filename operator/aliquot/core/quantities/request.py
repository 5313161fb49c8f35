"""What one task asks for, and what that means in GPUs: `quantify` is the one answer for all who count.

A task asks for whole devices, or for a part of one or several devices (a share, or an amount of memory on each), or for
MIG devices, which node and task name as extended resources (`nvidia.com/mig-1g.10gb`).
"""

import re
from dataclasses import dataclass, field
from typing import Final

from aliquot.core.quantities.vector import ZERO, Vector

PERCENT_PER_DEVICE: Final = 100
"""The unit of GPU amounts is the hundredth of a device."""
MIG_PREFIX: Final = "nvidia.com/mig-"
"""Begins the names of MIG devices as extended resources; the profile follows."""
_MIG_PROFILE: Final = re.compile(r"(?P<slices>[1-7])g\.\d+gb([+.]me(\.all)?)?", re.ASCII)
_SLICES_PER_DEVICE: Final = 7


@dataclass(frozen=True, slots=True)
class GpuPart:
    """A part of each of some devices. Either `percent` or `memory_mib` is positive, the other 0.

    Attributes:
        percent: hundredths of each device, 1 to 99; 100 where a device is held for those who will have parts of it.
        memory_mib: memory of each device, in MiB.
        devices: how many devices.
    """

    percent: int = 0
    memory_mib: int = 0
    devices: int = 1

    def need(self, device_units: int) -> int:
        """What it takes of one device, in the device's units (MiB, or hundredths where its memory is not known).

        More than the device has where it can never fit: an amount of memory on a device whose memory is not known.
        """
        if self.percent:
            return self.percent * device_units // PERCENT_PER_DEVICE
        return self.memory_mib if device_units > PERCENT_PER_DEVICE else device_units + 1


@dataclass(frozen=True, slots=True)
class Request:
    """What a task asks for.

    Attributes:
        base: CPU, memory, pods, and whole GPU devices (hundredths, so multiples of 100).
        part: a part of devices; then `base` has no GPU.
        extended: other resources by name, sorted, such as MIG devices; amounts positive.
    """

    base: Vector = ZERO
    part: GpuPart | None = None
    extended: tuple[tuple[str, int], ...] = ()
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Requests are looked up for every task that comes, goes or may be stopped: they are hashed once."""
        object.__setattr__(self, "_hash", hash((self.base, self.part, self.extended)))

    def __hash__(self) -> int:
        """As of all that it asks for."""
        return self._hash

    @property
    def wants_gpu(self) -> bool:
        """Whether it asks for GPUs in any form."""
        return bool(self.base.gpu_percent or self.part or self.mig)

    @property
    def mig(self) -> tuple[tuple[str, int], ...]:
        """The MIG devices among its extended resources."""
        return tuple(pair for pair in self.extended if is_mig(pair[0]))


PORT_PREFIX: Final = "hostport/"
"""Begins the names of ports of nodes, as resources that every node has: `hostport/TCP/80` at every address at once, and
`hostport/TCP/80/10.0.0.1` at one of them."""
WHOLE_PORT: Final = 1 << 16
"""How much every node has of a port at all addresses. Who uses it at one takes 1 of this, and all of that address."""


def on_every_node(resource: str) -> int:
    """How much every node has of a resource that no node names; 0: it has to name it.

    Names of resources in Kubernetes have one slash at most, so none can be taken for a port.
    """
    if not resource.startswith(PORT_PREFIX):
        return 0
    return {2: WHOLE_PORT, 3: 1}.get(resource.count("/"), 0)


def is_mig(resource: str) -> bool:
    """Whether a resource is a MIG device."""
    return resource.startswith(MIG_PREFIX)


def mig_percent(resource: str) -> int:
    """What one MIG device counts, in hundredths of a GPU: its part of the compute slices, rounded down.

    Rounded down so that what a card is cut into never counts more than the card (docs/decisions/0004). A name that is
    no profile counts a whole device.
    """
    found = _MIG_PROFILE.fullmatch(resource.removeprefix(MIG_PREFIX))
    return int(found["slices"]) * PERCENT_PER_DEVICE // _SLICES_PER_DEVICE if found else PERCENT_PER_DEVICE


def quantify(request: Request, device_memory_mib: int) -> Vector:
    """What a request counts, for quotas, fair shares, statuses and metrics alike.

    Args:
        request: what is asked for.
        device_memory_mib: memory of one device of its node; before it has one, of the smallest device that it may get.
            0: not known, an amount of memory then counts whole devices.

    Returns:
        The request with all kinds of GPU in hundredths of a device; memory rounds up (scheduling.md 1.5).
    """
    gpu = request.base.gpu_percent + sum(mig_percent(name) * count for name, count in request.mig)
    part = request.part
    if part is not None:
        percent = part.percent
        if part.memory_mib:
            percent = -(-part.memory_mib * PERCENT_PER_DEVICE // device_memory_mib) if device_memory_mib else 100
        gpu += percent * part.devices
    base = request.base
    return base if gpu == base.gpu_percent else Vector(gpu, base.cpu_milli, base.memory_bytes, base.pods)
