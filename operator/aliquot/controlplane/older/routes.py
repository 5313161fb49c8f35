"""All routes of the older surface."""

from typing import Final

from aliquot.controlplane.older import (
    applications,
    audit,
    clusters,
    departments,
    deployments,
    groups,
    jobs,
    logo,
    metrics,
    node_pools,
    node_types,
    projects,
    settings,
    storage_classes,
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
    jobs,
    deployments,
    storage_classes,
    users,
    groups,
    applications,
    settings,
    logo,
    audit,
)
