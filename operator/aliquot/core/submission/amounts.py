"""What a pod computes with: GPUs, CPU, memory, other devices; what is written, and what goes with it where nothing is.

Defaults (cluster-api.md 5.9): with GPUs a share for each, for a part of one in proportion; without, a part of the
limit, a tenth unless the cluster says otherwise; else nothing. A limit goes with GPUs only where the cluster says so. A
request that nobody wrote is never more than the limit, and a limit that nobody wrote never less than the request.
Memory on a GPU counts as a whole one here, as nobody knows the GPU yet.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from aliquot.contracts.kinds.parameters.compute import ComputeParameters
from aliquot.contracts.kinds.wrappers import given
from aliquot.core.quantities import InvalidQuantityError, parse_bytes, parse_cpu_milli, parse_quantity
from aliquot.core.submission.gpus import read_gpus
from aliquot.core.submission.keys import is_resource_name
from aliquot.core.submission.pod_values import Compute, Gpus
from aliquot.core.submission.problems import Problems
from aliquot.core.submission.spec import Defaults

MOST_CORES: Final = 100_000
MOST_MEMORY_BYTES: Final = 64 * 2**40
"""More than any machine has. Sums over all pods of a cluster stay far from the end of a 64-bit integer."""

CPU_ALLOWED: Final = 'a number of CPU cores of at most 100000, such as "0.5" or "20"'
MEMORY_ALLOWED: Final = "an amount of memory of at most 64Ti, such as 500M or 80Gi"

MOST_EXTENDED: Final = 1_000_000
COUNT_ALLOWED: Final = f'a whole number from "1" to "{MOST_EXTENDED}", in quotes'
RESOURCE_ALLOWED: Final = "the name of a resource that nodes advertise, with its domain, such as rdma/hca"
_OURS: Final = {
    "nvidia.com/": "another resource: GPUs are asked for by spec.gpu, spec.gpuMemory or spec.migProfile",
    "aliquot.dev/": "another resource: these names are Aliquot's own",
    "kubernetes.io/": "another resource: these names are Kubernetes' own",
}
"""Beginnings of names that are not for users, and what to do instead."""


def read_compute(spec: ComputeParameters, defaults: Defaults, problems: Problems) -> Compute:
    """Read what each pod computes with. Where something is wrong, that is noted and the amount means nothing."""
    gpus = read_gpus(spec, problems)
    cpu_unsaid = _Unsaid(
        _share(gpus, defaults.cpu_milli_per_gpu), _share(gpus, defaults.cpu_limit_milli_per_gpu), defaults.cpu_of_limit
    )
    memory_unsaid = _Unsaid(
        _share(gpus, defaults.memory_bytes_per_gpu),
        _share(gpus, defaults.memory_limit_bytes_per_gpu),
        defaults.memory_of_limit,
    )
    cpu, cpu_limit = _CPU.read(spec.cpu.value, spec.cpu_limit.value, cpu_unsaid, problems)
    memory, memory_limit = _MEMORY.read(spec.memory.value, spec.memory_limit.value, memory_unsaid, problems)
    return Compute(
        gpus=gpus,
        cpu_milli=cpu,
        cpu_limit_milli=cpu_limit,
        memory_bytes=memory,
        memory_limit_bytes=memory_limit,
        extended=_extended(spec, problems),
        large_shm=bool(spec.large_shm.value),
    )


def _share(gpus: Gpus, per_gpu: int | None) -> int | None:
    """What goes with the GPUs; None: there are none, or nothing does."""
    if gpus.devices <= 0 or per_gpu is None:
        return None
    each = Decimal(1) if gpus.each is None else gpus.each
    return math.ceil(per_gpu * gpus.devices * each)


def _extended(spec: ComputeParameters, problems: Problems) -> dict[str, int]:
    counts: dict[str, int] = {}
    for label, item in sorted(given(spec.extended_resources.items).items()):
        field, name, quantity = f"spec.extendedResources.items[{label}].value", item.name, item.quantity
        ours = next((allowed for beginning, allowed in _OURS.items() if name.startswith(beginning)), None)
        if ours is not None or ".kubernetes.io/" in name or not is_resource_name(name):
            problems.add(f"{field}.name", name, ours or RESOURCE_ALLOWED)
        elif name in counts:
            problems.add(f"{field}.name", name, "a resource that no other item asks for")
        elif not (quantity.isascii() and quantity.isdigit() and 1 <= int(quantity[:8]) <= MOST_EXTENDED) or (
            len(quantity) > len(str(MOST_EXTENDED))
        ):
            problems.add(f"{field}.quantity", quantity, COUNT_ALLOWED)
        else:
            counts[name] = int(quantity)
    return dict(sorted(counts.items()))


@dataclass(frozen=True, slots=True)
class _Unsaid:
    """What holds where nothing is written, in the unit.

    Attributes:
        request: goes with the GPUs; None: there are none.
        limit: goes with the GPUs; None: nothing does.
        of_limit: part of the limit that is requested without GPUs.
    """

    request: int | None
    limit: int | None
    of_limit: Decimal


@dataclass(frozen=True, slots=True)
class _Axis:
    """A resource with a request and a limit.

    Attributes:
        name: of the parameter that requests it; the limit's adds "Limit".
        parse: from text to the unit.
        most: largest amount accepted, in cores or bytes.
        allowed: what may be written.
    """

    name: str
    parse: Callable[[str], int]
    most: int
    allowed: str

    def read(
        self, request: str | None, limit: str | None, unsaid: _Unsaid, problems: Problems
    ) -> tuple[int, int | None]:
        """Return request and limit, in the unit."""
        asked = self._amount(f"spec.{self.name}.value", request, 0, problems)
        # A limit of nothing would mean "no limit" to Kubernetes: better to leave it out.
        most = self._amount(f"spec.{self.name}Limit.value", limit, 1, problems)
        if most is None and unsaid.limit is not None:
            most = max(unsaid.limit, asked or 0)
        if asked is None:
            asked = unsaid.request if unsaid.request is not None else math.ceil((most or 0) * unsaid.of_limit)
            return (min(asked, most) if most is not None else asked), most
        if most is not None and asked > most:
            problems.add(f"spec.{self.name}Limit.value", limit, f"no less than spec.{self.name}, which is {request}")
        return asked, most

    def _amount(self, field: str, written: str | None, least: int, problems: Problems) -> int | None:
        if written is None:
            return None
        try:
            within = 0 <= parse_quantity(written) <= self.most
        except InvalidQuantityError:
            within = False
        if within and (amount := self.parse(written)) >= least:
            return amount
        problems.add(field, written, f"{self.allowed}{'; leave it out for no limit' if least else ''}")
        return None


_CPU: Final = _Axis("cpu", parse_cpu_milli, MOST_CORES, CPU_ALLOWED)
_MEMORY: Final = _Axis("memory", parse_bytes, MOST_MEMORY_BYTES, MEMORY_ALLOWED)
