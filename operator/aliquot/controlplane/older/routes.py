"""All routes of the older surface."""

from typing import Final

from aliquot.controlplane.older import (
    applications,
    audit,
    clusters,
    departments,
    groups,
    logo,
    node_pools,
    node_types,
    projects,
    settings,
    tokens,
    users,
)

OLDER: Final = (
    tokens,
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
