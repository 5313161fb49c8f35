"""What clusters are to have of policies: what counts in the whole cluster, and in each project where that differs."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, cast, get_args

from aliquot.contracts.administrator_api.policies import PolicyType
from aliquot.contracts.cluster_sync import DesiredPolicy, PolicyKind
from aliquot.controlplane.auth.reach import Place
from aliquot.controlplane.database import tables
from aliquot.controlplane.policies.documents import effective
from aliquot.controlplane.policies.judging import kind_of, spec_of
from aliquot.controlplane.policies.queries import Scoped, has_its_own, layer
from aliquot.controlplane.projects.rules import namespace_of

_TYPES: Final[tuple[PolicyType, ...]] = get_args(PolicyType)


def desired_policies(
    rows: Sequence[tables.Policy], cluster_id: str, projects: Iterable[tables.Project]
) -> Iterator[DesiredPolicy]:
    """The policies of a cluster.

    Args:
        rows: all that count in it.
        cluster_id: which cluster.
        projects: its projects, by name.
    """
    for workloads in _TYPES:
        same = Scoped(row for row in rows if row.type == workloads)
        specs: dict[tuple[str, ...], dict[str, Any]] = {}
        if way := same.on_the_way(Place(cluster_id)):
            yield _desired(workloads, way, None, specs)
        for project in projects if same else ():
            way = same.on_the_way(Place(cluster_id, project.department_id, project.id))
            if has_its_own(way):
                yield _desired(workloads, way, namespace_of(project.name, project.requested_namespace), specs)


def _desired(
    workloads: PolicyType,
    way: Sequence[tables.Policy],
    namespace: str | None,
    specs: dict[tuple[str, ...], dict[str, Any]],
) -> DesiredPolicy:
    """A policy of the cluster; what counts in several projects of a department is put together once."""
    whose = tuple(row.id for row in way)
    if whose not in specs:
        specs[whose] = spec_of(workloads, effective([layer(row) for row in way]))
    return DesiredPolicy(kind=cast("PolicyKind", kind_of(workloads)), namespace=namespace, spec=specs[whose])
