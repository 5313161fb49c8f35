"""What a device plugin says of a node: which devices of which resource, and what a container gets with some."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from demo.fake_gpus import state
from demo.fake_gpus.model import NodeState

GPU_RESOURCE = "nvidia.com/gpu"
VISIBLE_DEVICES = "NVIDIA_VISIBLE_DEVICES"
_IN_CONTAINER = Path("/usr/local/fake-nvml")


@dataclass(frozen=True)
class Offered:
    """A device as the kubelet is told of it; `numa` None: without a NUMA node."""

    uuid: str
    healthy: bool
    numa: int | None


def offers(node: NodeState) -> dict[str, tuple[Offered, ...]]:
    """The devices of each resource, in the order of the file.

    A GPU in MIG mode is offered only by its instances, as `nvidia.com/mig-PROFILE`; they are as healthy as it is.
    """
    found: dict[str, list[Offered]] = {}
    for gpu in node.gpus:
        if not gpu.mig:
            found.setdefault(GPU_RESOURCE, []).append(Offered(gpu.uuid, gpu.healthy, gpu.numa))
        for instance in gpu.instances:
            resource = f"nvidia.com/mig-{instance.profile.replace('+', '.')}"
            healthy = gpu.healthy and instance.healthy
            found.setdefault(resource, []).append(Offered(instance.uuid, healthy, gpu.numa))
    return {resource: tuple(devices) for resource, devices in found.items()}


def preferred(
    devices: Sequence[Offered], *, available: Collection[str], required: Collection[str], size: int
) -> list[str]:
    """The devices that a container should be given: those it must have, then the first in the order of the file."""
    order = [device.uuid for device in devices]
    must = [uuid for uuid in order if uuid in required]
    others = [uuid for uuid in order if uuid in available and uuid not in required]
    return (must + others)[:size]


@dataclass(frozen=True)
class FakeNvml:
    """Where the fake library and the state are on the node, for containers to use.

    Attributes:
        library: the `libnvidia-ml.so.1`.
        state: the file. Its folder is mounted, as a mount of the file itself would go on showing the old one.
    """

    library: Path
    state: Path

    def environment(self) -> Mapping[str, str]:
        """What lets a process in the container find both."""
        return {
            "LD_LIBRARY_PATH": str(_IN_CONTAINER / "lib"),
            state.VARIABLE: str(_IN_CONTAINER / "run" / self.state.name),
        }

    def mounts(self) -> Sequence[tuple[Path, Path]]:
        """Pairs of a path on the node and one in the container."""
        return (
            (self.library, _IN_CONTAINER / "lib" / self.library.name),
            (self.state.parent, _IN_CONTAINER / "run"),
        )
