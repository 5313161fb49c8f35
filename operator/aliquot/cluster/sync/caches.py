"""The caches of the custom resources that control planes manage, as one."""

from collections.abc import Mapping
from typing import cast

from aliquot.cluster.mirror.cache import Cache
from aliquot.cluster.mirror.mirror import Mirror
from aliquot.cluster.sync.manifests import Held
from aliquot.contracts.kinds.tenancy import AccessRule, Department, NodePool, Project

Caches = Mapping[type[Held], Cache[Held]]


def caches_of(mirror: Mirror, rules: Cache[AccessRule]) -> Caches:
    """The caches of all kinds, by kind; what is read as a kind is put into its cache only."""
    caches: dict[type[Held], object] = {
        NodePool: mirror.node_pools,
        Department: mirror.departments,
        Project: mirror.projects,
        AccessRule: rules,
    }
    return {model: cast("Cache[Held]", cache) for model, cache in caches.items()}
