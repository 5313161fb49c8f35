"""Who may do what: the fixed roles, and the matrix of what each may do to which kind of resource.

Both are as in a tenant of 2.18 (control-plane-api.md 2.3, 2.4); scripts hard-code ids such as 5 and 8. In the matrix
`A` is create, read, update and delete, `R` is read, `·` nothing.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

Action = Literal["create", "read", "update", "delete"]
ResourceType = Literal[
    "department", "events-history", "policies", "project", "settings", "tenant", "cluster", "cluster-config",
    "nodepools", "nodes", "access_rules", "apps", "groups", "roles", "users", "dashboards-analytics",
    "dashboards-consumption", "dashboards-overview", "inferences", "jobs", "trainings", "workloads", "workspaces",
    "compute-resources", "credentials", "datavolumes", "datavolumes/sharedscopes", "environments", "pvc-assets",
    "git-assets", "host-path-assets", "nfs-assets", "s3-assets", "cm-volume-assets", "secret-volume-assets",
    "templates",
]  # fmt: skip
Group = Literal["organization", "physical-resource", "iam", "dashboard", "workload", "workload-asset"]
ScopeType = Literal["system", "tenant", "cluster", "department", "project"]
SubjectType = Literal["user", "app", "group"]

ACTIONS: Final[tuple[Action, ...]] = get_args(Action)
RESOURCE_TYPES: Final[tuple[ResourceType, ...]] = get_args(ResourceType)
SYSTEM_ADMINISTRATOR: Final = 1
"""The role that may do everything."""

_NAMES: Final = {
    1: "System administrator", 1710: "Department administrator", 3: "Editor", 4: "Research manager",
    5: "L1 researcher", 8: "L2 researcher", 6: "ML engineer", 7: "Viewer", 13: "Department viewer",
    9: "Environment administrator", 10: "Data source administrator", 11: "Compute resource administrator",
    12: "Template administrator", 373: "Credentials administrator", 2256: "Data volume administrator",
    1708: "Application administrator", 1709: "Cloud support", 1711: "Cloud operator",
}  # fmt: skip

_MATRIX: Final = """
                           1 1710 3 4 5 8 6 7 13 9 10 11 12 373 2256 1708 1709 1711
department                 A R A R · · R R R R R R R R R A R ·
events-history             R · · · · · · · · · · · · · · R R R
policies                   A A A R R R R R R R R R R R R A R ·
project                    A A A A R R R R R R R R R R R A R ·
settings                   A · · · · · · · · · · · · · · · R A
tenant                     R R R R R R R R R R R R R R R R R R
cluster                    A R R R R R R R R R R R R R R R R A
cluster-config             A · · · · · · · · · · · · · · R · A
nodepools                  A R R R R R R R · · · · · · · R R A
nodes                      R R R · · · R R · · · · · · · R R R
access_rules               A A A A · · · · · · · · · · · A R R
apps                       A R R · · · · · · · · · · · · R · A
groups                     A R R · · · · · · · · · · · · R · ·
roles                      R R R R · · · · · · · · · · · R R ·
users                      A R R · · · · · · · · · · · · R R R
dashboards-analytics       R R R R R · R R R R R R R R R R R ·
dashboards-consumption     R R R R R · R R R R R R R R R R R ·
dashboards-overview        R R R R R · R R R R R R R R R R R ·
inferences                 A A R R R · A R R · · · · · · A R ·
jobs                       A A A R A A R R R R R R R R R A R ·
trainings                  A A A A A A · R R R R R R R R A R ·
workloads                  A A A R A A R R R R R R R R R A R ·
workspaces                 A A A A A A R R R R R R R R R A R ·
compute-resources          A A A A A R · R R R R A R R R A R ·
credentials                A A A R A R R R · · R · · A R A R ·
datavolumes                A A A A A R R R R R R R R R A A · ·
datavolumes/sharedscopes   A A A A · · · · · · · · · · A A · ·
environments               A A A A A R · R R A R R R R R A R ·
pvc-assets                 A A A A A R · R R R A R R R R A R ·
git-assets                 A A A A A R · R R R A R R R R A R ·
host-path-assets           A A A A A R · R R R A R R R R A R ·
nfs-assets                 A A A A A R · R R R A R R R R A R ·
s3-assets                  A A A A A R · R R R A R R R R A R ·
cm-volume-assets           A A A A A R · R R R A R R R R A R ·
secret-volume-assets       A A A A A R · R R R A R R R R A · ·
templates                  A A A A A R · R R R R R A R R A R ·
"""

_MEANING: Final[dict[str, frozenset[Action]]] = {
    "A": frozenset(ACTIONS), "R": frozenset[Action](("read",)), "·": frozenset[Action](),
}  # fmt: skip

_GROUPS: Final[Mapping[Group, Collection[ResourceType]]] = {
    "organization": {"department", "events-history", "policies", "project", "settings", "tenant"},
    "physical-resource": {"cluster", "cluster-config", "nodepools", "nodes"},
    "iam": {"access_rules", "apps", "groups", "roles", "users"},
    "dashboard": {"dashboards-analytics", "dashboards-consumption", "dashboards-overview"},
    "workload": {"inferences", "jobs", "trainings", "workloads", "workspaces"},
}
_ADMINISTRATIVE: Final = frozenset[Group](("organization", "physical-resource", "iam"))


@dataclass(frozen=True, slots=True)
class Role:
    """A role: what its holders may do within the scope in which they have it.

    Attributes:
        id: by which access rules name it.
        name: for people, and for the AccessRules of clusters.
        actions: what it allows, by type of resource; types that are left out: nothing.
    """

    id: int
    name: str
    actions: Mapping[ResourceType, frozenset[Action]]

    def allows(self, resource: ResourceType, action: Action) -> bool:
        """Whether its holders may do this."""
        return action in self.actions.get(resource, ())

    def administers_no_more_than(self, others: "frozenset[Role]") -> bool:
        """Whether whoever has the other roles may already administer everything that this one may."""
        return all(
            any(other.allows(resource, action) for other in others)
            for resource, actions in self.actions.items()
            if group_of(resource) in _ADMINISTRATIVE
            for action in actions
        )

    def __hash__(self) -> int:
        return self.id


def group_of(resource: ResourceType) -> Group:
    """The heading under which a type of resource is shown."""
    for group, members in _GROUPS.items():
        if resource in members:
            return group
    return "workload-asset"


def _read() -> dict[int, Role]:
    head, *rows = (line.split() for line in _MATRIX.strip().splitlines())
    cells: dict[str, dict[str, str]] = {row[0]: dict(zip(head, row[1:], strict=True)) for row in rows}
    assert cells.keys() == set(RESOURCE_TYPES), "the matrix has a row for each type of resource"
    return {
        role_id: Role(
            role_id,
            name,
            {
                resource: _MEANING[cells[resource][str(role_id)]]
                for resource in RESOURCE_TYPES
                if cells[resource][str(role_id)] != "·"
            },
        )
        for role_id, name in _NAMES.items()
    }


ROLES: Final[Mapping[int, Role]] = _read()
"""All roles, by id."""
