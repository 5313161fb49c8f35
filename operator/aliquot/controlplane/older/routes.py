"""All routes of the older surface."""

from typing import Final

from aliquot.controlplane.older import (
    applications,
    audit,
    clusters,
    departments,
    groups,
    logo,
    metrics,
    node_pools,
    node_types,
    projects,
    settings,
    tokens,
    users,
)

OLDER: Final = (
    tokens,
    metrics,
    clusters,
    node_pools,
    node_types,
    departments,
    projects,
    users,
    groups,
    applications,
    settings,
    logo,
    audit,
)
