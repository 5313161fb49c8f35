"""What clusters are to have of policies: what counts in the whole cluster, and in each project where that differs."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, cast, get_args

from aliquot.contracts.administrator_api.policies import PolicyType
from aliquot.contracts.cluster_sync import DesiredPolicy, PolicyKind
from aliquot.controlplane.database import tables
from aliquot.controlplane.policies.documents import effective
from aliquot.controlplane.policies.judging import kind_of, spec_of
from aliquot.controlplane.policies.queries import Scoped, in_cluster, layer

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
        for namespace, way in in_cluster(same, cluster_id, projects):
            yield _desired(workloads, way, namespace, specs)


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
