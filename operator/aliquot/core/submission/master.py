"""The second part of a distributed workload: what its master or launcher has otherwise than its workers."""

from collections.abc import Mapping
from typing import Final, TypeVar

from aliquot.contracts.kinds.catalogue import Parameter, of_shape
from aliquot.contracts.kinds.parameters import MasterParameters
from aliquot.contracts.kinds.workloads import (
    DistributedSpec,
    DistributedWorkload,
    MasterSpec,
    TrainingSpec,
    Workload,
)
from aliquot.core.submission.layers import over
from aliquot.core.submission.problems import Problems

Spec = TypeVar("Spec", DistributedSpec, TrainingSpec)
MASTER: Final = "masterSpec"
"""What it is called in an object."""
PARAMETERS: Final[Mapping[str, Parameter]] = of_shape(MasterParameters)
"""The parameters that it may have otherwise."""
GPUS: Final = ("gpu", "gpu_devices", "gpu_limit", "gpu_memory", "gpu_memory_limit", "mig_profile")
"""Those that say how many GPUs there are, and how much of each, as the model calls them."""


def master_of(workload: Workload) -> MasterSpec | None:
    """What a workload says of its master; None: nothing, or it is of a kind that has none."""
    return workload.master_spec if isinstance(workload, DistributedWorkload) else None


def asks_for_gpus(master: MasterSpec) -> bool:
    """Whether it says itself how many GPUs it has."""
    return any(getattr(master, name).value is not None for name in GPUS)


def over_workers(master: MasterSpec, workers: DistributedSpec) -> MasterSpec:
    """Lay what a master has otherwise upon what the workers have.

    What says in different words how many GPUs there are is taken all together, so that the two cannot disagree. A
    launcher only starts the processes: it has no GPUs unless its own part says so (cluster-api.md 11).
    """
    if workers.job_type == "MPIJob" or asks_for_gpus(master):
        workers = without_gpus(workers)
    return over(PARAMETERS, master, workers)


def without_gpus(workers: Spec) -> Spec:
    """Return what workers have, but for GPUs."""
    empty = type(workers)()
    return workers.model_copy(update={name: getattr(empty, name) for name in GPUS})


def blame_once(below: Problems, problems: Problems, part: str = "spec") -> None:
    """Note what is wrong with a master, but for what it shares with the workers.

    Args:
        below: what is wrong with it, as if it were the workers.
        problems: what is wrong with these; takes the rest.
        part: of the workload that says what the master is like.
    """
    known = problems.errors
    for error in below.errors:
        if error not in known:
            problems.add(error.field.replace("spec.", f"{part}.", 1), error.value, error.allowed)
