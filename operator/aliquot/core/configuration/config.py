"""What a cluster's RunaiConfig says, as values that cannot be wrong."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from aliquot.core.scheduling.settings import Placement


@dataclass(frozen=True, slots=True)
class ClusterConfig:
    """What a cluster's RunaiConfig says. None: it does not say, and the settings of the operator count.

    Attributes:
        creates_namespaces: whether namespaces of projects are made and labelled; else administrators do so.
        creates_role_bindings: whether access rules become RoleBindings; else administrators make them.
        cpu_milli_per_gpu: thousandths of a CPU that are requested for each GPU.
        memory_bytes_per_gpu: bytes of main memory that are requested for each GPU.
        cpu_limit_milli_per_gpu: the limit that goes with each GPU, in thousandths of a CPU.
        memory_limit_bytes_per_gpu: the limit that goes with each GPU, in bytes.
        cpu_of_limit: part of a CPU limit that is requested without GPUs.
        memory_of_limit: part of a memory limit that is requested without GPUs.
        gpu_placement: how nodes and devices are filled in pools that do not say.
        cpu_placement: the same for pods without GPUs.
        stale_gang_grace_seconds: as the operator's setting of that name.
    """

    creates_namespaces: bool = True
    creates_role_bindings: bool = True
    cpu_milli_per_gpu: int | None = None
    memory_bytes_per_gpu: int | None = None
    cpu_limit_milli_per_gpu: int | None = None
    memory_limit_bytes_per_gpu: int | None = None
    cpu_of_limit: Decimal | None = None
    memory_of_limit: Decimal | None = None
    gpu_placement: Placement | None = None
    cpu_placement: Placement | None = None
    stale_gang_grace_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading a RunaiConfig gave.

    Attributes:
        config: what is followed.
        ignored: what is not, a sentence for each field, in the order of the fields.
    """

    config: ClusterConfig = ClusterConfig()
    ignored: tuple[str, ...] = ()


NO_CONFIG: Final = ClusterConfig()
"""What holds where there is no RunaiConfig."""
