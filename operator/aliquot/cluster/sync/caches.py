"""The caches of the custom resources that control planes manage, as one."""

from collections.abc import Iterator

from aliquot.cluster.mirror.cache import Cache, Key
from aliquot.cluster.mirror.mirror import Mirror
from aliquot.cluster.sync.manifests import POLICIES, Held, Place
from aliquot.contracts.kinds.policies import Policy
from aliquot.contracts.kinds.tenancy import AccessRule, Department, NodePool, Project


class Caches:
    """Puts what is read as a kind into its cache only; policies of all kinds are in one.

    Args:
        mirror: has all of them, but for the rules.
        rules: the access rules.
    """

    def __init__(self, mirror: Mirror, rules: Cache[AccessRule]) -> None:
        self._mirror = mirror
        self._rules = rules

    def of(self, model: type[Held]) -> Iterator[Held]:
        """The objects of a kind."""
        held: Iterator[Held] = iter(self._cache(model))
        return (each for each in held if type(each) is model) if model in POLICIES else held

    def get(self, place: Place) -> Held | None:
        """An object; None: there is none."""
        return self._cache(place.model).get(_key(place))

    def put(self, held: Held) -> None:
        """Learn of an object."""
        match held:
            case NodePool():
                self._mirror.node_pools.put(held)
            case Department():
                self._mirror.departments.put(held)
            case Project():
                self._mirror.projects.put(held)
            case AccessRule():
                self._rules.put(held)
            case _:
                self._mirror.policies.put(held)

    def drop(self, place: Place, uid: str) -> None:
        """Learn that an object is gone."""
        self._cache(place.model).drop(_key(place), uid)

    def _cache(
        self, model: type[Held]
    ) -> Cache[NodePool] | Cache[Department] | Cache[Project] | Cache[AccessRule] | Cache[Policy]:
        if model is NodePool:
            return self._mirror.node_pools
        if model is Department:
            return self._mirror.departments
        if model is Project:
            return self._mirror.projects
        return self._rules if model is AccessRule else self._mirror.policies


def _key(place: Place) -> Key:
    return Key(place.namespace, place.name, place.model.__name__ if place.model in POLICIES else "")
