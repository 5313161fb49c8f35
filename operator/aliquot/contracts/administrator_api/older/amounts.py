"""Quotas of the older surface (control-plane-api.md 1.4.2, 1.4.3, 4.2): `maxAllowed` is the newer `limit`."""

from typing import Annotated

from pydantic import Field

from aliquot.contracts.administrator_api.shapes import Amount, AmountOrUnlimited, AmountShown, Answer, TolerantBody

LARGEST_ID = 2**63 - 1

Number = Annotated[int, Field(ge=1, le=LARGEST_ID)]
"""Id of something that is counted."""


class OlderGpuAmounts(TolerantBody):
    """GPUs, in devices."""

    deserved: Amount = 0
    """What can be counted on at any time."""
    max_allowed: AmountOrUnlimited = -1
    """Never more than this; -1: no limit. Equal to `deserved`: nothing beyond the quota."""
    over_quota_weight: Amount | None = None
    """Part of what is idle, against the weights of the others; left out: medium."""


class OlderAmounts(TolerantBody):
    """CPU in thousandths of a core, or memory in MiB."""

    deserved: AmountOrUnlimited | None = None
    """What can be counted on at any time; -1 or null: unlimited."""
    max_allowed: AmountOrUnlimited | None = None
    """Never more than this; -1 or null: no limit."""
    over_quota_weight: Amount | None = None
    """Part of what is idle, against the weights of the others; left out: medium."""


class OlderResources(TolerantBody):
    """Amounts of everything."""

    gpu: OlderGpuAmounts | None = None
    """GPUs; left out or null: they stay."""
    cpu: OlderAmounts | None = None
    """CPU; left out or null: it stays."""
    memory: OlderAmounts | None = None
    """Memory; left out or null: it stays."""


class OlderPoolReference(TolerantBody):
    """A node pool, by its id or its name."""

    id: Number | None = None
    """Its id."""
    name: str | None = None
    """Its name."""


class OlderPoolResources(OlderResources):
    """Amounts in one node pool."""

    id: Number | None = None
    """Id of the quota, as it was shown; instead of it the pool may be named."""
    node_pool: OlderPoolReference | None = None
    """The pool."""


class OlderQuotas(TolerantBody):
    """What a department or project may have; the first of these that is there counts."""

    node_pools_resources: Annotated[list[OlderPoolResources], Field(max_length=200)] | None = None
    """By node pool; pools that are left out stay as they are."""
    resources: OlderResources | None = None
    """In all node pools together; only where there is one."""
    deserved_gpus: Amount | None = None
    """GPUs that can be counted on, in all node pools together."""
    max_allowed_gpus: AmountOrUnlimited | None = None
    """Never more GPUs than this; -1: no limit."""


class OlderAmountsShown(Answer):
    """Amounts of one kind."""

    deserved: AmountShown
    """What can be counted on at any time; -1: unlimited."""
    max_allowed: AmountShown
    """Never more than this; -1: no limit."""
    over_quota_weight: AmountShown
    """Part of what is idle, against the weights of the others."""


class OlderResourcesShown(Answer):
    """Amounts of everything."""

    gpu: OlderAmountsShown
    """GPUs, in devices."""
    cpu: OlderAmountsShown
    """CPU, in thousandths of a core."""
    memory: OlderAmountsShown
    """Memory, in MiB, or MB where that was asked for."""


class OlderPoolShown(Answer):
    """A node pool."""

    id: int
    """Its id."""
    name: str
    """Its name."""


class OlderPoolResourcesShown(OlderResourcesShown):
    """Amounts in one node pool."""

    id: int
    """Id of the quota."""
    node_pool: OlderPoolShown
    """The pool."""


class OlderQuotasShown(Answer):
    """What a department or project may have."""

    node_pools_resources: list[OlderPoolResourcesShown]
    """By node pool."""
    resources: OlderResourcesShown
    """In all node pools together; weights are those of the default pool."""
    deserved_gpus: AmountShown
    """GPUs that can be counted on, in all node pools together."""
    max_allowed_gpus: AmountShown
    """Never more GPUs than this, in all node pools together; -1: no limit."""
