"""The GPUs of a pod: whole ones, a fraction of each, memory on each, or MIG slices (cluster-api.md 5.7).

What is written becomes what the scheduler reads from a pod (`core.intake.parts`): whole devices and slices as
resources, the other two as annotations.

Memory is counted in MiB by the scheduler and by nodes. `5G` is 5000 there, as the field has it, which is a little more
than was asked for; `40Gi` is 40960 (docs/decisions/0009).
"""

import math
import re
from decimal import Decimal
from typing import Final

from aliquot.contracts.kinds.parameters import MAX_GPU_DEVICES
from aliquot.contracts.kinds.parameters.compute import ComputeParameters
from aliquot.core.quantities import InvalidQuantityError, parse_quantity
from aliquot.core.submission.pod_values import Gpus
from aliquot.core.submission.problems import Problems

MOST_SHARED_DEVICES: Final = 128
"""Devices of which one pod may have a part: more than any node has."""
LEAST_MEMORY_MIB: Final = 100
MOST_MEMORY_MIB: Final = 16 * 2**20

GPUS_ALLOWED: Final = 'a whole number of GPUs, such as "0", "1" or "8"'
FRACTIONS_ALLOWED: Final = f'{GPUS_ALLOWED}, or a part of one, such as "0.25"'
MEMORY_ALLOWED: Final = "an amount of GPU memory from 100M to 16Ti, such as 4G or 40Gi"
PROFILE_ALLOWED: Final = "a MIG profile, such as 1g.10gb or 3g.40gb"

_DECIMAL: Final = re.compile(r"\+?([0-9]+\.?[0-9]*|\.[0-9]+)", re.ASCII)
_PROFILE: Final = re.compile(r"[1-7]g\.[1-9][0-9]*gb(\+me(\.all)?)?", re.ASCII)
_NONE: Final = Gpus()


def read_gpus(spec: ComputeParameters, problems: Problems) -> Gpus:
    """Read which GPUs each pod gets. Where something is wrong, that is noted and the answer means nothing."""
    gpu, memory, profile = spec.gpu.value, spec.gpu_memory.value, spec.mig_profile.value
    given = [
        name for name, value in (("gpu", gpu), ("gpuMemory", memory), ("migProfile", profile)) if value is not None
    ]
    for name in given[1:]:
        value = memory if name == "gpuMemory" else profile
        problems.add(f"spec.{name}.value", value, f"left out, because spec.{given[0]} says which GPUs are wanted")
    count = spec.gpu_devices.value
    _no_stray_limit("gpuLimit", spec.gpu_limit.value, "a fraction, spec.gpu", gpu, problems)
    _no_stray_limit("gpuMemoryLimit", spec.gpu_memory_limit.value, "spec.gpuMemory", memory, problems)
    if gpu is not None:
        return _number(gpu, spec.gpu_limit.value, count, problems)
    if memory is not None:
        return _memory(memory, spec.gpu_memory_limit.value, count, problems)
    if profile is not None:
        if not _PROFILE.fullmatch(profile):
            problems.add("spec.migProfile.value", profile, PROFILE_ALLOWED)
            return _NONE
        return Gpus(devices=_count(count, MAX_GPU_DEVICES, "spec.migProfile", problems), mig_profile=profile)
    if count is not None and not 0 <= count <= MAX_GPU_DEVICES:
        problems.add("spec.gpuDevices.value", count, f"a whole number from 0 to {MAX_GPU_DEVICES}")
        return _NONE
    return Gpus(devices=count or 0)


def _no_stray_limit(name: str, limit: str | None, of: str, request: str | None, problems: Problems) -> None:
    if limit is not None and request is None:
        problems.add(f"spec.{name}.value", limit, f"left out: it is the limit of {of}, which is not given")


def _number(written: str, limit: str | None, count: int | None, problems: Problems) -> Gpus:
    number = Decimal(written) if _DECIMAL.fullmatch(written) else None
    if number is not None and 0 < number < 1:
        fraction = number.normalize()
        return Gpus(
            devices=_count(count, MOST_SHARED_DEVICES, "a fraction", problems),
            fraction=fraction,
            fraction_limit=_fraction_limit(limit, fraction, problems),
        )
    if limit is not None:
        problems.add("spec.gpuLimit.value", limit, f"left out: spec.gpu is {written}, and only a fraction has a limit")
    if number is None or number != int(number):
        problems.add("spec.gpu.value", written, FRACTIONS_ALLOWED)
        return _NONE
    if number > MAX_GPU_DEVICES:
        problems.add("spec.gpu.value", written, f"{GPUS_ALLOWED}, at most {MAX_GPU_DEVICES}")
        return _NONE
    if count is not None and count != number:
        allowed = f"left out, or {int(number)}: spec.gpu says how many whole GPUs there are"
        problems.add("spec.gpuDevices.value", count, allowed)
    return Gpus(devices=int(number))


def _fraction_limit(written: str | None, fraction: Decimal, problems: Problems) -> Decimal | None:
    if written is None:
        return None
    limit = Decimal(written) if _DECIMAL.fullmatch(written) else None
    if limit is None or not fraction <= limit <= 1:
        allowed = f"a part of one GPU's memory from {fraction:f}, which spec.gpu asks for, to 1"
        problems.add("spec.gpuLimit.value", written, allowed)
        return None
    return limit.normalize()


def _memory(written: str, limit: str | None, count: int | None, problems: Problems) -> Gpus:
    devices = _count(count, MOST_SHARED_DEVICES, "spec.gpuMemory", problems)
    mib = _mib("gpuMemory", written, problems)
    most = None if limit is None else _mib("gpuMemoryLimit", limit, problems)
    if limit is not None and mib is not None and most is not None and most < mib:
        allowed = f"an amount of GPU memory of at least spec.gpuMemory, which is {written}"
        problems.add("spec.gpuMemoryLimit.value", limit, allowed)
    return Gpus(devices=devices, memory_mib=mib, memory_limit_mib=most)


def _count(count: int | None, most: int, of: str, problems: Problems) -> int:
    if count is None:
        return 1
    if not 1 <= count <= most:
        problems.add(
            "spec.gpuDevices.value", count, f"a whole number from 1 to {most}: with {of} it says on how many GPUs"
        )
    return count


def _mib(name: str, written: str, problems: Problems) -> int | None:
    unit = 2**20 if written.endswith("i") else 10**6
    try:
        amount = parse_quantity(written) / unit
        # A huge exponent must not be turned into an integer.
        mib = math.ceil(amount) if LEAST_MEMORY_MIB <= amount <= MOST_MEMORY_MIB else 0
    except InvalidQuantityError:
        mib = 0
    if mib == 0:
        problems.add(f"spec.{name}.value", written, MEMORY_ALLOWED)
        return None
    return mib
