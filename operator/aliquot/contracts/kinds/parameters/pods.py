"""The parameters that all workload kinds share, and a distributed workload's master too (rows TIFDM)."""

from aliquot.contracts.kinds.parameters.compute import ComputeParameters
from aliquot.contracts.kinds.parameters.container import ContainerParameters
from aliquot.contracts.kinds.parameters.identity import IdentityParameters
from aliquot.contracts.kinds.parameters.network import NetworkParameters
from aliquot.contracts.kinds.parameters.placement import PlacementParameters
from aliquot.contracts.kinds.parameters.security import SecurityParameters
from aliquot.contracts.kinds.parameters.sources import SourceParameters
from aliquot.contracts.kinds.parameters.storage import StorageParameters
from aliquot.contracts.kinds.wrappers import CountValue


class PodParameters(
    IdentityParameters,
    ContainerParameters,
    ComputeParameters,
    PlacementParameters,
    StorageParameters,
    SourceParameters,
    NetworkParameters,
    SecurityParameters,
):
    """What a workload's pods are like."""

    auto_deletion_time_after_completion_seconds: CountValue = CountValue()
    """Seconds after its end at which a workload is deleted with all that belongs to it; 0: at once. Left out, it
    stays."""
    preemption_limit: CountValue = CountValue()
    """How many times the workload may lose its GPUs to others before it is given up."""
