"""What a control plane may desire, for tests of the sync."""

from typing import Any

from hypothesis import strategies as st

from aliquot.contracts.cluster_sync import (
    Desired,
    DesiredAccessRule,
    DesiredAmounts,
    DesiredDepartment,
    DesiredNodePool,
    DesiredPolicy,
    DesiredProject,
    DesiredQueue,
)

CLUSTER = "71f69d83-ba66-4822-adf5-55ce55efd210"
UNLIMITED = DesiredAmounts(deserved=-1, limit=-1, over_quota_weight=2)


def queue(deserved: float = 1, pool: str = "default") -> DesiredQueue:
    gpu = DesiredAmounts(deserved=deserved, limit=-1, over_quota_weight=2)
    return DesiredQueue(node_pool=pool, gpu=gpu, cpu=UNLIMITED, memory=UNLIMITED)


def queues(
    pools: st.SearchStrategy[str],
    amount: st.SearchStrategy[float],
    weight: st.SearchStrategy[float],
    most: int,
) -> st.SearchStrategy[list[DesiredQueue]]:
    """Any quotas, in different node pools; unlimited ones are among the amounts."""
    given = st.one_of(st.just(-1.0), amount)
    amounts = st.fixed_dictionaries({"deserved": given, "limit": given, "over_quota_weight": weight})
    members = {"node_pool": pools, "gpu": amounts, "cpu": amounts, "memory": amounts}
    return st.lists(
        st.fixed_dictionaries(members).map(DesiredQueue.model_validate),
        min_size=1,
        max_size=most,
        unique_by=lambda each: each.node_pool,
    )


def pool(name: str = "default", **members: Any) -> DesiredNodePool:
    placement = {"cpu_placement": "spread", "gpu_placement": "binpack"}
    given: dict[str, Any] = {"over_provisioning_ratio": 1, **placement, **members}
    return DesiredNodePool(id="22", name=name, **given)


def department(name: str = "research", *queues: DesiredQueue) -> DesiredDepartment:
    return DesiredDepartment(id="50", name=name, queues=queues or (queue(10),))


def project(name: str = "team-a", *queues: DesiredQueue, **members: Any) -> DesiredProject:
    given: dict[str, Any] = {"department": "research", **members}
    return DesiredProject(id="33", name=name, queues=queues or (queue(),), **given)


def rule(id_: str = "7", **members: Any) -> DesiredAccessRule:
    given: dict[str, Any] = {
        "subject_id": "ada@example.com",
        "subject_type": "user",
        "role_name": "L1 researcher",
        "scope_type": "project",
        "scope_name": "team-a",
        **members,
    }
    return DesiredAccessRule(id=id_, **given)


def policy(namespace: str | None = "runai-team-a", **spec: Any) -> DesiredPolicy:
    return DesiredPolicy(kind="TrainingPolicy", namespace=namespace, spec=spec or {"gpu": {"rules": {"max": "4"}}})


Objects = DesiredNodePool | DesiredDepartment | DesiredProject | DesiredAccessRule | DesiredPolicy


def desired(*objects: Objects, revision: str = "1") -> Desired:
    def of(kind: type) -> tuple[Any, ...]:
        return tuple(each for each in objects if isinstance(each, kind))

    return Desired(
        revision=revision,
        node_pools=of(DesiredNodePool),
        departments=of(DesiredDepartment),
        projects=of(DesiredProject),
        access_rules=of(DesiredAccessRule),
        policies=of(DesiredPolicy),
    )
