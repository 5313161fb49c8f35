"""What is read and rendered, and what nobody in the cluster would do: refused by name until somebody does.

A pod with a part of a GPU would find a node and no device.
"""

from collections.abc import Iterable
from typing import Final

from aliquot.contracts.kinds.workloads import TrainingSpec
from aliquot.core.submission.extent import NOT_YET
from aliquot.core.submission.spec import ValidSpec
from aliquot.errors import UserError

PARTS_NOT_YET: Final = f"{NOT_YET}, or give a whole number of GPUs; no node hands out parts of GPUs"


def not_done_yet(spec: TrainingSpec, valid: ValidSpec) -> tuple[UserError, ...]:
    """Find what of a right spec nobody would do.

    Args:
        spec: the effective one, for what is written.
        valid: the same, read.
    """
    return tuple(_found(spec, valid))


def _found(spec: TrainingSpec, valid: ValidSpec) -> Iterable[UserError]:
    gpus = valid.pod.compute.gpus
    if gpus.fraction is not None:
        yield UserError("spec.gpu.value", spec.gpu.value, PARTS_NOT_YET)
    if gpus.memory_mib is not None:
        yield UserError("spec.gpuMemory.value", spec.gpu_memory.value, PARTS_NOT_YET)
