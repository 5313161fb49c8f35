"""How far somebody's rights go.

A rule on a scope reaches all that is below it, now and later (control-plane-api.md 2.2). For reading it reaches up as
well, along the path only: who has a role in a project sees the project's department and cluster and the tenant's users,
as far as the role allows reading such things at all; else roles such as "L1 researcher: cluster R" would mean nothing.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from aliquot.contracts.administrator_api.permissions import Action, ResourceType, Role, ScopeType


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is. Of the tenant itself, all are None; below a cluster, those above are given, too."""

    cluster_id: str | None = None
    department_id: int | None = None
    project_id: int | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """What an access rule says: a role in a place."""

    role: Role
    scope_type: ScopeType
    place: Place


@dataclass(frozen=True, slots=True)
class Reach:
    """Where somebody may do one thing.

    Attributes:
        everywhere: in the whole tenant.
        clusters: in all of these.
        departments: in all of these.
        projects: in these.
        above_clusters: they may read these clusters themselves, as they have something to do below.
        above_departments: the same for departments.
        above_all: they may read what belongs to the tenant itself.
    """

    everywhere: bool = False
    clusters: frozenset[str] = frozenset()
    departments: frozenset[int] = frozenset()
    projects: frozenset[int] = frozenset()
    above_clusters: frozenset[str] = frozenset()
    above_departments: frozenset[int] = frozenset()
    above_all: bool = False

    def __bool__(self) -> bool:
        """Whether there is any such place."""
        return self.everywhere or bool(self.clusters or self.departments or self.projects)

    def covers(self, place: Place) -> bool:
        """Whether the place is in it."""
        return (
            self.everywhere
            or place.cluster_id in self.clusters
            or place.department_id in self.departments
            or place.project_id in self.projects
        )

    def shows(self, place: Place) -> bool:
        """Whether the place is in it, or above it and may be read."""
        if self.covers(place):
            return True
        if place.project_id is not None:
            return False
        if place.department_id is not None:
            return place.department_id in self.above_departments
        return self.above_all if place.cluster_id is None else place.cluster_id in self.above_clusters


NOWHERE: Final = Reach()


def reach(grants: Collection[Grant], resource: ResourceType, action: Action) -> Reach:
    """Say where somebody with these grants may do this."""
    counting = [grant for grant in grants if grant.role.allows(resource, action)]
    if not counting:
        return NOWHERE
    reads = action == "read"
    places = [grant.place for grant in counting]
    return Reach(
        everywhere=any(grant.scope_type == "tenant" for grant in counting),
        clusters=frozenset(
            grant.place.cluster_id
            for grant in counting
            if grant.scope_type == "cluster" and grant.place.cluster_id is not None
        ),
        departments=frozenset(
            grant.place.department_id
            for grant in counting
            if grant.scope_type == "department" and grant.place.department_id is not None
        ),
        projects=frozenset(place.project_id for place in places if place.project_id is not None),
        above_clusters=frozenset(place.cluster_id for place in places if reads and place.cluster_id is not None),
        above_departments=frozenset(
            place.department_id for place in places if reads and place.department_id is not None
        ),
        above_all=reads,
    )
