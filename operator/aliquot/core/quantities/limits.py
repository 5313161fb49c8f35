"""How far a pod with a part of a GPU may go beyond it while nobody else needs the memory (`runai-gpu-limit`)."""

from dataclasses import dataclass
from typing import Final

from aliquot.core.quantities.parse import InvalidQuantityError, parse_gpu_percent, parse_quantity
from aliquot.core.quantities.request import PERCENT_PER_DEVICE

_BYTES_PER_MIB: Final = 1 << 20
_MOST_MIB: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class GpuLimit:
    """A limit on one GPU: in hundredths of its memory, or in MiB, as the part is asked for; neither: there is none."""

    percent: int | None = None
    mib: int | None = None


NO_LIMIT: Final = GpuLimit()


def read_gpu_limit(written: str, *, of_memory: bool) -> GpuLimit:
    """Read a limit. What cannot be read, or can be on no GPU, is none: then the part is all that the pod may use.

    Args:
        written: the annotation, such as `0.8` or `8Gi`.
        of_memory: whether the part is an amount of memory, rather than a fraction.
    """
    try:
        if of_memory:
            amount = parse_quantity(written) / _BYTES_PER_MIB
            return GpuLimit(mib=int(amount)) if 0 < amount <= _MOST_MIB else NO_LIMIT
        percent = parse_gpu_percent(written)
        return GpuLimit(percent=percent) if 0 < percent <= PERCENT_PER_DEVICE else NO_LIMIT
    except InvalidQuantityError:
        return NO_LIMIT
