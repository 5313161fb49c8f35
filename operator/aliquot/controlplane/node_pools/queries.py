"""Node pools in the database, and as they are shown."""

from collections.abc import Sequence
from typing import Final

from aliquot.contracts.administrator_api.node_pools import (
    NodePool,
    NodePoolUpdate,
    PlacementStrategy,
    PlacementStrategyShown,
)
from aliquot.contracts.administrator_api.shapes import from_milliseconds
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.database import tables
from aliquot.controlplane.database.revisions import NEVER_SENT
from aliquot.controlplane.listing import Field
from aliquot.controlplane.node_pools.rules import DEFAULT_POOL
from aliquot.controlplane.statuses.rules import Told, pool_phase
from aliquot.controlplane.statuses.told import told_of

FIELDS: Final = {
    "name": Field(tables.NodePool.name),
    "clusterId": Field(tables.NodePool.cluster_id),
    "createdAt": Field(tables.NodePool.created_ms, "time"),
}


def new_row(permit: Permit, cluster_id: str, name: str, given: NodePoolUpdate | None) -> tables.NodePool:
    """A pool that is not kept yet; without a label it is the default pool."""
    placement = given.placement_strategy if given else PlacementStrategy()
    return tables.NodePool(
        **permit.origin(),
        cluster_id=cluster_id,
        name=name,
        version=1,
        revision=NEVER_SENT,
        updated_by=permit.holder.name,
        label_key=given.label_key if given else None,
        label_value=given.label_value if given else None,
        over_provisioning_ratio=given.over_provisioning_ratio if given else 1,
        cpu_placement=placement.cpu,
        gpu_placement=placement.gpu,
    )


def shown(permit: Permit, row: tables.NodePool) -> NodePool:
    """A pool as the API has it."""
    return shown_all(permit, [row])[0]


def shown_all(permit: Permit, rows: Sequence[tables.NodePool]) -> list[NodePool]:
    """Pools as the API has them."""
    told = told_of(permit, "nodePool", rows)
    return [_shown(row, told[row.id]) for row in rows]


def _shown(row: tables.NodePool, told: Told) -> NodePool:
    phase, message = pool_phase(told)
    return NodePool(
        id=str(row.id),
        cluster_id=row.cluster_id,
        name=row.name,
        is_default=row.name == DEFAULT_POOL,
        label_key=row.label_key,
        label_value=row.label_value,
        over_provisioning_ratio=row.over_provisioning_ratio,
        placement_strategy=PlacementStrategyShown.model_validate({"cpu": row.cpu_placement, "gpu": row.gpu_placement}),
        phase=phase,
        phase_message=message,
        nodes=[] if told.document is None else told.document["nodes"],
        created_at=from_milliseconds(row.created_ms),
        updated_at=from_milliseconds(row.updated_ms),
        created_by=row.created_by,
        updated_by=row.updated_by,
    )
