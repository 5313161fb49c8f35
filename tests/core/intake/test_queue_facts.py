"""Projects and departments as queues, one for each node pool."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from aliquot.contracts.kinds.shapes import Metadata
from aliquot.contracts.kinds.tenancy import (
    Department,
    DepartmentQueue,
    DepartmentSpec,
    Project,
    ProjectSpec,
    Queue,
    Quota,
    Quotas,
)
from aliquot.core.intake import queue_facts
from aliquot.core.quantities import UNLIMITED
from aliquot.core.scheduling.facts import Queue as QueueFact
from aliquot.core.scheduling.facts import Share

MADE = datetime(2024, 5, 1, 12, tzinfo=UTC)


def project(name: str, department: str | None = None, **gpus: float) -> Project:
    queues = tuple(
        Queue(name=name, nodepool=pool, resources=Quotas(gpu=Quota(deserved=deserved)))
        for pool, deserved in gpus.items()
    )
    return Project(
        metadata=Metadata(name=name, creation_timestamp=MADE), spec=ProjectSpec(queues=queues, department=department)
    )


def department(name: str, **gpus: float) -> Department:
    queues = tuple(
        DepartmentQueue(name=name, nodepool=pool, resources=Quotas(gpu=Quota(deserved=deserved)))
        for pool, deserved in gpus.items()
    )
    return Department(metadata=Metadata(name=name), spec=DepartmentSpec(queues=queues))


def by_name(queues: tuple[QueueFact, ...]) -> dict[tuple[str, str], QueueFact]:
    return {(queue.pool, queue.name): queue for queue in queues}


def test_every_project_and_department_has_a_queue_in_every_pool() -> None:
    queues = queue_facts([project("vision", "research", default=4)], [department("research", default=8)], ["a100"])
    assert [(queue.name, queue.pool, queue.parent, queue.gpu.deserved) for queue in queues] == [
        ("department/research", "a100", None, 0),
        ("department/research", "default", None, 800),
        ("vision", "a100", "department/research", 0),
        ("vision", "default", "department/research", 400),
    ]


def test_a_pool_without_an_entry_guarantees_no_gpu_and_forbids_none() -> None:
    queue = by_name(queue_facts([project("vision", default=4)], [], ["a100"]))["a100", "vision"]
    assert queue.gpu == Share(deserved=0, limit=UNLIMITED, over_quota_weight=1.0)
    assert queue.cpu == queue.memory == Share(deserved=UNLIMITED, limit=UNLIMITED, over_quota_weight=1.0)


def test_the_pool_default_is_always_there() -> None:
    assert {queue.pool for queue in queue_facts([project("vision", default=1)], [], [])} == {"default"}


def test_a_queue_is_as_old_as_its_project_and_called_by_its_bare_name() -> None:
    vision, research = project("vision", "research", default=1), department("research", default=1)
    queues = by_name(queue_facts([vision], [research], []))
    assert queues["default", "vision"].created == MADE.timestamp()
    assert queues["default", "vision"].display_name == "vision"
    assert queues["default", "department/research"].display_name == "research"


def parent_of(made: Project, *departments: str) -> str | None:
    queues = queue_facts([made], [department(name, default=1) for name in departments], [])
    return by_name(queues)["default", made.metadata.name].parent


def test_a_project_without_a_department_is_in_default_where_that_exists() -> None:
    assert parent_of(project("vision", default=1), "default", "research") == "department/default"
    assert parent_of(project("vision", default=1), "research") is None


def test_a_department_that_does_not_exist_is_not_replaced_by_another() -> None:
    assert parent_of(project("vision", "ghosts", default=1), "default", "research") is None


def test_a_project_may_be_called_as_its_department() -> None:
    queues = by_name(queue_facts([project("research", "research", default=1)], [department("research", default=2)], []))
    assert queues["default", "research"].parent == "department/research"


NAMES = st.sampled_from(["a", "b", "c", "default"])


@given(
    projects=st.lists(st.builds(project, NAMES, st.none() | NAMES), max_size=4, unique_by=lambda p: p.metadata.name),
    departments=st.lists(st.builds(department, NAMES), max_size=4, unique_by=lambda d: d.metadata.name),
    pools=st.lists(NAMES, max_size=4),
    data=st.data(),
)
def test_order_never_matters_and_every_parent_exists(
    projects: list[Project], departments: list[Department], pools: list[str], data: st.DataObject
) -> None:
    queues = queue_facts(projects, departments, pools)
    mixed = queue_facts(
        data.draw(st.permutations(projects)),
        data.draw(st.permutations(departments)),
        data.draw(st.permutations(pools)),
    )
    assert mixed == queues
    known = by_name(queues)
    assert len(known) == len(queues) == (len(projects) + len(departments)) * len({*pools, "default"})
    assert all(queue.parent is None or (queue.pool, queue.parent) in known for queue in queues)
