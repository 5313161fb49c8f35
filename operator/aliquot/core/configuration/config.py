"""What a cluster's RunaiConfig says, as values that cannot be wrong."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from aliquot.core.intake import NodeScope
from aliquot.core.scheduling.facts import NodeTerm
from aliquot.core.scheduling.settings import Placement
from aliquot.errors import UserError


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
        restricts_scheduling: whether only nodes with a role are used; None and False: all.
        managed_nodes: terms of which a node must meet one to be used; None: all are.
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
    restricts_scheduling: bool | None = None
    managed_nodes: tuple[NodeTerm, ...] | None = None

    @property
    def node_scope(self) -> NodeScope:
        """Which nodes are ours to use."""
        return NodeScope(bool(self.restricts_scheduling), self.managed_nodes or ())


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading a RunaiConfig gave.

    Attributes:
        config: what is followed.
        ignored: what is not, a sentence for each field, in the order of the fields.
        wrong: those of it that say what they never may, in the order of the fields.
    """

    config: ClusterConfig = ClusterConfig()
    ignored: tuple[str, ...] = ()
    wrong: tuple[UserError, ...] = ()


NO_CONFIG: Final = ClusterConfig()
"""What holds where there is no RunaiConfig."""
