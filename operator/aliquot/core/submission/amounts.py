"""GPUs, CPU and memory of a pod: what is written, and what goes with it where nothing is.

Defaults (cluster-api.md 5.9): with GPUs a share for each; without, a tenth of the limit; else nothing. A default is
never more than the limit.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from aliquot.contracts.kinds.parameters import MAX_GPU_DEVICES
from aliquot.contracts.kinds.workloads import TrainingSpec
from aliquot.core.quantities import InvalidQuantityError, parse_bytes, parse_cpu_milli, parse_quantity
from aliquot.core.submission.problems import Problems
from aliquot.core.submission.spec import Defaults

MOST_CORES: Final = 100_000
MOST_MEMORY_BYTES: Final = 64 * 2**40
"""More than any machine has. Sums over all pods of a cluster stay far from the end of a 64-bit integer."""

GPUS_ALLOWED: Final = 'a whole number of GPUs, such as "0", "1" or "8"'
FRACTIONS_NOT_YET: Final = f"fractions of a GPU are not carried out yet: give {GPUS_ALLOWED}"
CPU_ALLOWED: Final = 'a number of CPU cores of at most 100000, such as "0.5" or "20"'
MEMORY_ALLOWED: Final = "an amount of memory of at most 64Ti, such as 500M or 80Gi"

_DECIMAL: Final = re.compile(r"\+?([0-9]+\.?[0-9]*|\.[0-9]+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Amounts:
    """What each pod asks for; the members are those of `ValidSpec`."""

    gpus: int
    cpu_milli: int
    cpu_limit_milli: int | None
    memory_bytes: int
    memory_limit_bytes: int | None


def read_amounts(spec: TrainingSpec, defaults: Defaults, problems: Problems) -> Amounts:
    """Read what each pod asks for. Where something is wrong, that is noted and the amount means nothing."""
    gpus = _gpus(spec.gpu.value, problems)
    cpu, cpu_limit = _CPU.read(
        spec.cpu.value, spec.cpu_limit.value, gpus * defaults.cpu_milli_per_gpu if gpus else None, problems
    )
    memory, memory_limit = _MEMORY.read(
        spec.memory.value, spec.memory_limit.value, gpus * defaults.memory_bytes_per_gpu if gpus else None, problems
    )
    return Amounts(gpus, cpu, cpu_limit, memory, memory_limit)


def _gpus(written: str | None, problems: Problems) -> int:
    if written is None:
        return 0
    number = Decimal(written) if _DECIMAL.fullmatch(written) else None
    if number is not None and 0 < number < 1:
        problems.add("spec.gpu.value", written, FRACTIONS_NOT_YET)
    elif number is None or number != int(number):
        problems.add("spec.gpu.value", written, GPUS_ALLOWED)
    elif number > MAX_GPU_DEVICES:
        problems.add("spec.gpu.value", written, f"{GPUS_ALLOWED}, at most {MAX_GPU_DEVICES}")
    else:
        return int(number)
    return 0


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
        self, request: str | None, limit: str | None, with_gpus: int | None, problems: Problems
    ) -> tuple[int, int | None]:
        """Return request and limit, in the unit; `with_gpus` is the request that goes with GPUs, if there are any."""
        asked = self._amount(f"spec.{self.name}.value", request, 0, problems)
        # A limit of nothing would mean "no limit" to Kubernetes: better to leave it out.
        most = self._amount(f"spec.{self.name}Limit.value", limit, 1, problems)
        if asked is None:
            asked = with_gpus if with_gpus is not None else -(-(most or 0) // 10)
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
