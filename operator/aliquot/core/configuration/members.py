"""The members of a RunaiConfig's spec that are known, and how each is read (cluster-api.md 3.5, 5.9)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from types import MappingProxyType
from typing import Final

from aliquot.core.configuration.terms import read_terms
from aliquot.core.quantities import InvalidQuantityError, parse_bytes, parse_cpu_milli, parse_quantity
from aliquot.core.scheduling.facts import NodeTerm
from aliquot.core.scheduling.settings import Placement
from aliquot.core.submission.amounts import CPU_ALLOWED, MEMORY_ALLOWED, MOST_CORES, MOST_MEMORY_BYTES
from aliquot.core.submission.durations import parse_duration

Path = tuple[str, ...]
_FLAG: Final = "true or false"
_PLACEMENTS: Final[Mapping[str, Placement]] = MappingProxyType(
    {"binpack": "binpack", "binpacking": "binpack", "spread": "spread", "spreading": "spread"}
)
_PART_ALLOWED: Final = "a number from 0 to 1, such as 0.1"
_GRACE_ALLOWED: Final = 'a length of time such as "60s" or "5m", "0s" for at once, or "-1" for never'
_NEVER: Final = re.compile("-[1-9][0-9]*(s|m|h)?", re.ASCII)
_TERMS_ALLOWED: Final = (
    "a list of terms as in the node affinity of a pod, at least one, such as "
    '[{"matchExpressions": [{"key": "team", "operator": "In", "values": ["ai"]}]}]'
)
_NO_LIMIT: Final = "; leave it out for no limit"


class WrongValue(Exception):  # noqa: N818 - it says what is wrong, like the refusals in kube.problems
    """A value that is not allowed; the argument says what is."""


@dataclass(frozen=True, slots=True)
class Member:
    """How a member of the spec becomes one of `ClusterConfig`.

    Attributes:
        into: names of the members.
        read: from what is written; raises WrongValue.
    """

    into: tuple[str, ...]
    read: Callable[[object], object]


def _flag(written: object) -> bool:
    if isinstance(written, bool):
        return written
    raise WrongValue(_FLAG)


def _cpu(least: int) -> Callable[[object], int]:
    return partial(_amount, parse_cpu_milli, MOST_CORES, f"{CPU_ALLOWED}{_NO_LIMIT if least else ''}", least)


def _memory(least: int) -> Callable[[object], int]:
    return partial(_amount, parse_bytes, MOST_MEMORY_BYTES, f"{MEMORY_ALLOWED}{_NO_LIMIT if least else ''}", least)


def _amount(parse: Callable[[str], int], most: int, allowed: str, least: int, written: object) -> int:
    number = _number(written, allowed)
    if 0 <= number <= most and (amount := parse(str(written))) >= least:
        return amount
    raise WrongValue(allowed)


def _part(written: object) -> Decimal:
    number = _number(written, _PART_ALLOWED)
    if not 0 <= number <= 1:
        raise WrongValue(_PART_ALLOWED)
    return number


def _number(written: object, allowed: str) -> Decimal:
    if isinstance(written, bool) or not isinstance(written, str | int | float):
        raise WrongValue(allowed)
    try:
        return parse_quantity(str(written))
    except InvalidQuantityError:
        raise WrongValue(allowed) from None


def _placement(written: object) -> Placement:
    plain = re.sub(r"[^a-z]+", "", written.lower()) if isinstance(written, str) else ""
    if plain not in _PLACEMENTS:
        raise WrongValue("binpack or spread")
    return _PLACEMENTS[plain]


def _grace(written: object) -> float:
    if isinstance(written, bool) or not isinstance(written, str | int):
        raise WrongValue(_GRACE_ALLOWED)
    text = str(written)
    if _NEVER.fullmatch(text):
        return -1.0
    seconds = parse_duration(text)
    if seconds is None:
        raise WrongValue(_GRACE_ALLOWED)
    return float(seconds)


def _terms(written: object) -> tuple[NodeTerm, ...]:
    terms = read_terms(written)
    if terms is None:
        raise WrongValue(_TERMS_ALLOWED)
    return terms


SCHEDULER: Final = "runai-scheduler"
MANAGED_NODES: Final = ("global", "managedNodes", "inclusionCriteria", "nodeSelectorTerms")
FOLLOWED: Final[Mapping[Path, Member]] = MappingProxyType(
    {
        ("project-controller", "createNamespaces"): Member(("creates_namespaces",), _flag),
        ("project-controller", "CreateRoleBindings"): Member(("creates_role_bindings",), _flag),
        ("project-controller", "createRoleBindings"): Member(("creates_role_bindings",), _flag),
        ("limitRange", "cpuDefaultRequestGpuFactor"): Member(("cpu_milli_per_gpu",), _cpu(0)),
        ("limitRange", "memoryDefaultRequestGpuFactor"): Member(("memory_bytes_per_gpu",), _memory(0)),
        ("limitRange", "cpuDefaultLimitGpuFactor"): Member(("cpu_limit_milli_per_gpu",), _cpu(1)),
        ("limitRange", "memoryDefaultLimitGpuFactor"): Member(("memory_limit_bytes_per_gpu",), _memory(1)),
        ("limitRange", "cpuDefaultRequestCpuLimitFactorNoGpu"): Member(("cpu_of_limit",), _part),
        ("limitRange", "memoryDefaultRequestMemoryLimitFactorNoGpu"): Member(("memory_of_limit",), _part),
        (SCHEDULER, "placementStrategy"): Member(("gpu_placement", "cpu_placement"), _placement),
        (SCHEDULER, "gpuPlacementStrategy"): Member(("gpu_placement",), _placement),
        (SCHEDULER, "cpuPlacementStrategy"): Member(("cpu_placement",), _placement),
        (SCHEDULER, "args", "defaultStalenessGracePeriod"): Member(("stale_gang_grace_seconds",), _grace),
        ("global", "nodeAffinity", "restrictScheduling"): Member(("restricts_scheduling",), _flag),
        MANAGED_NODES: Member(("managed_nodes",), _terms),
    }
)
"""What is followed, by path below `spec`."""
HOLDS: Final[Mapping[Path, object]] = MappingProxyType(
    {
        ("project-controller", "clusterWideSecret"): False,
        ("mps-server", "enabled"): False,
        ("runai-container-toolkit", "enabled"): True,
        ("global", "subdomainSupport"): False,
        ("global", "core", "dynamicFraction", "enabled"): False,
        ("global", "core", "dynamicFractions", "enabled"): False,
        ("global", "core", "timeSlicing", "mode"): "timesharing",
        ("global", "core", "swap", "enabled"): False,
        ("global", "core", "nodeScheduler", "enabled"): False,
        (SCHEDULER, "fullHierarchyFairness"): True,
    }
)
"""Documented members that Aliquot knows one value of, which holds whether it is written or not."""
DESCENDED: Final = frozenset(path[:depth] for path in (*FOLLOWED, *HOLDS) for depth in range(len(path)))
