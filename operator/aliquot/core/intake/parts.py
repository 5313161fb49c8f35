"""Parts of GPUs that a pod asks for by annotation, and the devices that it has got (scheduling.md 1.3, 1.4).

What makes no sense is told, and asks for something that no node has.
"""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Final

from aliquot import names
from aliquot.contracts.kubernetes import Metadata, PodSpec
from aliquot.core.grants import recorded_gpus
from aliquot.core.intake.numbers import UnreadableError, whole_number
from aliquot.core.quantities import GpuPart, InvalidQuantityError, parse_quantity

MOST_DEVICES: Final = 128
"""More than any node has."""
_MOST_MIB: Final = 2**30
_FRACTION: Final = names.GPU_FRACTION_ANNOTATION
_MEMORY: Final = names.GPU_MEMORY_ANNOTATION
_DEVICES: Final = names.GPU_DEVICES_ANNOTATION
_CONTAINER: Final = names.GPU_CONTAINER_ANNOTATION
_LIMIT: Final = names.GPU_LIMIT_ANNOTATION
_MPS: Final = names.MPS_ANNOTATION
_MIB: Final = 2**20


def gpu_part(annotations: Mapping[str, str], *, whole: bool) -> GpuPart | None:
    """The part that the annotations ask for; None: they ask for none.

    Args:
        annotations: the pod's.
        whole: whether it asks for whole GPUs or MIG devices, too.

    Raises:
        UnreadableError: they make no sense.
    """
    fraction, memory, devices, limit = (annotations.get(key) for key in (_FRACTION, _MEMORY, _DEVICES, _LIMIT))
    service = annotations.get(_MPS)
    if service not in (None, "true", "false"):
        raise UnreadableError(f"{_MPS} is {service!r}: allowed are true and false")
    if fraction is None and memory is None:
        for key, written in ((_DEVICES, devices), (_LIMIT, limit), (_MPS, service)):
            if written is not None and written != "false":
                raise UnreadableError(f"{key} is {written!r}: allowed only with {_FRACTION} or {_MEMORY}")
        return None
    if fraction is not None and memory is not None:
        raise UnreadableError(f"{_FRACTION} is {fraction!r} and {_MEMORY} is {memory!r}: allowed is one of them")
    if whole:
        written = f"{_FRACTION} is {fraction!r}" if fraction is not None else f"{_MEMORY} is {memory!r}"
        raise UnreadableError(f"{written}: not allowed together with whole GPUs or MIG devices")
    count = 1 if devices is None else whole_number(_DEVICES, devices, MOST_DEVICES)
    if fraction is not None:
        part = GpuPart(percent=_percent(fraction), devices=count)
        least, most, allowed = Decimal(fraction), 1, f"a number from {_FRACTION}, which is {fraction}, to 1"
    else:
        part = GpuPart(memory_mib=whole_number(_MEMORY, memory or "", _MOST_MIB), devices=count)
        least, most = Decimal(part.memory_mib * _MIB), _MOST_MIB * _MIB
        allowed = f"an amount of memory of at least {_MEMORY}, which is {part.memory_mib}Mi, such as 8Gi"
    if limit is not None and not _is_between(least, limit, most):
        raise UnreadableError(f"{_LIMIT} is {limit!r}: allowed is {allowed}")
    return part


def check_container(annotations: Mapping[str, str], spec: PodSpec) -> None:
    """See that the container that is to get the part is there (scheduling.md 1.3).

    Raises:
        UnreadableError: it is not.
    """
    named, there = annotations.get(_CONTAINER), [each.name for each in (*spec.containers, *spec.init_containers)]
    if named is not None and named not in there:
        raise UnreadableError(
            f"{_CONTAINER} is {named!r}: allowed are the names of the pod's containers, {', '.join(there)}"
        )


def _is_between(least: Decimal, written: str, most: int) -> bool:
    """Whether a limit is no less than what is asked for; it makes no difference to who gets it (cluster-api.md 5.8)."""
    try:
        return least <= parse_quantity(written) <= most
    except InvalidQuantityError:
        return False


def _percent(written: str) -> int:
    """Rounded to hundredths; what is next to nothing counts 1, what is next to a whole device 99."""
    try:
        share = Decimal(written)
    except InvalidOperation:
        share = Decimal(0)
    if not (share.is_finite() and 0 < share < 1):
        raise UnreadableError(f"{_FRACTION} is {written!r}: allowed is a number between 0 and 1, such as 0.5")
    return min(99, max(1, int((share * 100).to_integral_value(rounding=ROUND_HALF_UP))))


def devices_of(metadata: Metadata) -> tuple[str, ...]:
    """The ids of the devices of which the pod has parts, sorted: as we wrote them, or as labels of others say it."""
    recorded = recorded_gpus(metadata.annotations)
    if recorded:
        return tuple(sorted(recorded))
    prefix = names.GPU_GROUP_LABEL + "/"
    found = {key.removeprefix(prefix) for key in metadata.labels if key.startswith(prefix)}
    found.add(metadata.labels.get(names.GPU_GROUP_LABEL, ""))
    return tuple(sorted(found - {""}))
