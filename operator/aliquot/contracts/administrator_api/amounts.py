"""How much a project or department may have in a node pool, and what it has (control-plane-api.md 4.2, 4.4)."""

from typing import Literal

from aliquot.contracts.administrator_api.shapes import (
    Amount,
    AmountOrUnlimited,
    AmountShown,
    Answer,
    Body,
    Id,
    Name,
    TolerantBody,
)


class PoolReference(TolerantBody):
    """A node pool."""

    id: Id
    """Its id."""
    name: Name | None = None
    """Its name; where it is given, it has to be that of the pool with this id."""


class GpuAmounts(Body):
    """GPUs, in devices; parts of one such as 2.5 are fine."""

    deserved: Amount
    """What can be counted on at any time."""
    limit: AmountOrUnlimited | None = None
    """Never more than this; -1 or null: no limit. Equal to `deserved`: nothing beyond the quota."""
    over_quota_weight: Amount | None = None
    """Part of what is idle, against the weights of the others; 0: none."""


class CpuAmounts(Body):
    """CPU, in thousandths of a core."""

    deserved: AmountOrUnlimited | None = None
    """What can be counted on at any time; -1 or null: unlimited."""
    limit: AmountOrUnlimited | None = None
    """Never more than this; -1 or null: no limit."""
    over_quota_weight: Amount | None = None
    """Part of what is idle, against the weights of the others; 0: none."""


class MemoryAmounts(CpuAmounts):
    """Memory of nodes."""

    units: Literal["Mib", "MB", "GB"] | None = None
    """Unit of the amounts; left out: MiB."""


class Resources(TolerantBody):
    """Amounts in one node pool."""

    node_pool: PoolReference | None = None
    """The pool; null: the cluster's default pool."""
    gpu: GpuAmounts
    """GPUs."""
    cpu: CpuAmounts | None = None
    """CPU; null: unlimited."""
    memory: MemoryAmounts | None = None
    """Memory; null: unlimited."""


class GpuChange(GpuAmounts):
    """GPUs, in devices: what is left out stays."""

    deserved: Amount = 0
    """What can be counted on at any time."""


class ResourcesChange(TolerantBody):
    """Amounts in one node pool, of which those that are left out stay as they are."""

    node_pool: PoolReference | None = None
    """The pool; null: the cluster's default pool."""
    gpu: GpuChange | None = None
    """GPUs."""
    cpu: CpuAmounts | None = None
    """CPU; null: unlimited."""
    memory: MemoryAmounts | None = None
    """Memory; null: unlimited."""


class PoolShown(Answer):
    """A node pool."""

    id: str
    """Its id."""
    name: str
    """Its name."""


class GpuShown(Answer):
    """GPUs, in devices."""

    deserved: AmountShown
    """What can be counted on at any time."""
    limit: AmountShown | None = None
    """Never more than this; -1 or null: no limit."""
    over_quota_weight: AmountShown | None = None
    """Part of what is idle, against the weights of the others."""


class CpuShown(Answer):
    """CPU, in thousandths of a core."""

    deserved: AmountShown | None = None
    """What can be counted on at any time; -1 or null: unlimited."""
    limit: AmountShown | None = None
    """Never more than this; -1 or null: no limit."""
    over_quota_weight: AmountShown | None = None
    """Part of what is idle, against the weights of the others."""


class MemoryShown(CpuShown):
    """Memory of nodes."""

    units: Literal["Mib", "MB", "GB"]
    """Unit of the amounts."""


class ResourcesShown(Answer):
    """Amounts in one node pool, as they were written."""

    node_pool: PoolShown
    """The pool."""
    gpu: GpuShown
    """GPUs."""
    cpu: CpuShown | None
    """CPU; null: unlimited."""
    memory: MemoryShown | None
    """Memory; null: unlimited."""


class AmountsShown(Answer):
    """Amounts of everything."""

    gpu: AmountShown = 0
    """GPUs, in devices."""
    cpu: AmountShown = 0
    """CPU, in thousandths of a core."""
    memory: AmountShown = 0
    """Memory of nodes, in MiB."""


class QuotaStatus(Answer):
    """What a project or department has and wants."""

    allocated: AmountsShown = AmountsShown()
    """What it has."""
    allocated_non_preemptible: AmountsShown = AmountsShown()
    """What of that cannot be taken back."""
    requested: AmountsShown = AmountsShown()
    """What it has, and what it waits for."""


class PoolQuotaStatus(QuotaStatus):
    """What it has and wants in a node pool."""

    node_pool_name: str
    """The pool."""
    node_pool_id: str | None
    """Its id; null: there is no such pool here."""
