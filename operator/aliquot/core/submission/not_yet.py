"""What is read and rendered, and what nobody in the cluster would do: refused by name until somebody does.

A pod with a part of a GPU would find a node and no device.
"""

from collections.abc import Iterable
from typing import Final

from aliquot.contracts.kinds.parameters import PodParameters
from aliquot.contracts.kinds.workloads import Workload
from aliquot.core.submission.distributed import ValidDistributed
from aliquot.core.submission.extent import NOT_YET
from aliquot.core.submission.master import MASTER, master_of
from aliquot.core.submission.pod_values import ValidPod
from aliquot.core.submission.valid import Valid
from aliquot.errors import UserError

PARTS_NOT_YET: Final = f"{NOT_YET}, or give a whole number of GPUs; no node hands out parts of GPUs"


def not_done_yet(workload: Workload, valid: Valid) -> tuple[UserError, ...]:
    """Find what of a workload nobody would do.

    Args:
        workload: with everything that it takes from others, for what is written.
        valid: the same, read.
    """
    if not isinstance(valid, ValidDistributed):
        return tuple(_found("spec", workload.spec, valid.pod))
    found = tuple(_found("spec", workload.spec, valid.worker))
    master = master_of(workload)
    if master is None or valid.master is None:
        return found
    shared = {_beside_root(error) for error in found}
    return (*found, *(e for e in _found(MASTER, master, valid.master) if _beside_root(e) not in shared))


def _beside_root(error: UserError) -> tuple[str, object]:
    return error.field.partition(".")[2], error.value


def _found(part: str, spec: PodParameters, pod: ValidPod) -> Iterable[UserError]:
    gpus = pod.compute.gpus
    if gpus.fraction is not None:
        yield UserError(f"{part}.gpu.value", spec.gpu.value, PARTS_NOT_YET)
    if gpus.memory_mib is not None:
        yield UserError(f"{part}.gpuMemory.value", spec.gpu_memory.value, PARTS_NOT_YET)
