"""Quotas of departments and projects out of the database, for the older surface."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aliquot.controlplane.auth.permit import Permit, QuotaRow
from aliquot.controlplane.database.tables import Department, Project
from aliquot.controlplane.node_pools.rules import DEFAULT_POOL
from aliquot.controlplane.older.amounts import Held, MemoryUnit, resources, totals
from aliquot.controlplane.quotas.changes import blocks_of, pools_of
from aliquot.controlplane.quotas.rules import UNTOUCHED, Blocks, Pool


def held(permit: Permit, cluster_id: str, owner: Department | Project | None) -> Held:
    """What a department or project has.

    Args:
        permit: of the caller.
        cluster_id: its cluster.
        owner: it, with its quotas; None: it is new.
    """
    pools = [Pool(row.id, row.name) for row in pools_of(permit, cluster_id)]
    own = blocks_of(owner) if owner else {}
    return Held(
        pools=pools,
        default=next(pool for pool in pools if pool.name == DEFAULT_POOL),
        blocks={pool.id: own.get(pool.id, UNTOUCHED) for pool in pools},
        quotas={quota.id: quota.node_pool_id for quota in owner.quotas} if owner else {},
    )


def by_owner(rows: Iterable[QuotaRow]) -> Mapping[int, list[QuotaRow]]:
    """Quotas of many, by whose they are."""
    found: dict[int, list[QuotaRow]] = defaultdict(list)
    for row in rows:
        found[row.owner_id].append(row)
    return found


def document(rows: Sequence[QuotaRow], unit: MemoryUnit) -> dict[str, Any]:
    """The quotas of one department or project, as `OlderQuotasShown` is written."""
    held_in = blocks(rows)
    default = next(each for row, each in zip(rows, held_in, strict=True) if row.pool_name == DEFAULT_POOL)
    total = totals(held_in, default, unit)
    return {
        "nodePoolsResources": [
            {"id": row.id, "nodePool": {"id": row.pool_id, "name": row.pool_name}, **resources(each, unit)}
            for row, each in zip(rows, held_in, strict=True)
        ],
        "resources": total,
        "deservedGpus": total["gpu"]["deserved"],
        "maxAllowedGpus": total["gpu"]["maxAllowed"],
    }


def blocks(rows: Sequence[QuotaRow]) -> list[Blocks]:
    """The amounts of quotas, in their order."""
    return [Blocks(row.gpu, row.cpu, row.memory) for row in rows]
