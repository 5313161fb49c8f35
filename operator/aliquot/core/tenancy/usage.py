"""What counts against a project or department: the part of the scheduler's answers that statuses are made of."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from aliquot.contracts.kinds.tenancy import QuotaUse
from aliquot.core.quantities import ZERO, Vector
from aliquot.core.tenancy.amounts import resource_amounts


class UsageLike(Protocol):
    """Anything with these three amounts, such as the scheduler's own `QueueUsage`."""

    @property
    def allocated(self) -> Vector:
        """Held now."""
        ...

    @property
    def allocated_non_preemptible(self) -> Vector:
        """The part of it that nobody can take back."""
        ...

    @property
    def requested(self) -> Vector:
        """Held and waited for."""
        ...


UsageByPool = Mapping[str, UsageLike]
"""One entry for every node pool that exists, also where nothing is used."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Amounts of one project or department in one node pool.

    Attributes:
        allocated: held now.
        allocated_non_preemptible: the part of it that nobody can take back.
        requested: held and waited for.
    """

    allocated: Vector = ZERO
    allocated_non_preemptible: Vector = ZERO
    requested: Vector = ZERO


def total(usages: Iterable[UsageLike]) -> Usage:
    """All of them together."""
    allocated = fixed = requested = ZERO
    for usage in usages:
        allocated += usage.allocated
        fixed += usage.allocated_non_preemptible
        requested += usage.requested
    return Usage(allocated, fixed, requested)


def quota_use(usage: UsageLike) -> QuotaUse:
    """The amounts as a status writes them."""
    return QuotaUse(
        allocated=resource_amounts(usage.allocated),
        allocated_non_preemptible=resource_amounts(usage.allocated_non_preemptible),
        requested=resource_amounts(usage.requested),
    )
