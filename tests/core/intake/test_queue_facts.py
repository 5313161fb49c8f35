"""Projects and departments as queues, one for each node pool."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
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
from aliquot.core.intake import MinRuntimes, queue_facts, with_usage
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


def test_what_was_used_lately_is_told_with_the_queue() -> None:
    used = {("default", "vision"): (0.5, 0.25, 0.125), ("a100", "department/research"): (1.0, 0.0, 0.0)}
    queues = queue_facts(
        [project("vision", "research", default=4)], [department("research", default=8)], ["a100"], used=used
    )
    told = {
        key: (queue.gpu.usage, queue.cpu.usage, queue.memory.usage)
        for key, queue in by_name(queues).items()
        if queue.gpu.usage
    }
    assert told == used


def test_usage_changes_nothing_else() -> None:
    [queue] = queue_facts([project("vision", default=4)], [], [])
    again = with_usage(queue, (0.5, 0.0, 0.0))
    assert again == replace(queue, gpu=replace(queue.gpu, usage=0.5))
    assert with_usage(again, (0.0, 0.0, 0.0)) == queue


def leaving_alone(preempt: int | None = None, reclaim: int | None = None) -> tuple[Queue, ...]:
    return (Queue(name="q", nodepool="default", preempt_min_runtime_secs=preempt, reclaim_min_runtime_secs=reclaim),)


RUNTIMES: dict[str, tuple[tuple[Queue, ...], tuple[Queue, ...] | None, list[tuple[float | None, float | None]]]] = {
    # the project's queues, its department's (None: it has none), what comes of it at both levels: preempt, reclaim
    "nobody says": (leaving_alone(), leaving_alone(), [(60.0, 300.0), (None, None)]),
    "the department says": (leaving_alone(), leaving_alone(5, 7), [(5.0, 7.0), (None, None)]),
    "the project says": (leaving_alone(5, 7), leaving_alone(), [(60.0, 300.0), (5.0, 7.0)]),
    "none is said, too": (leaving_alone(0, 0), leaving_alone(), [(60.0, 300.0), (0.0, 0.0)]),
    "a project of its own": (leaving_alone(), None, [(60.0, 300.0)]),
    "which says": (leaving_alone(5), None, [(5.0, 300.0)]),
    "in another pool it says nothing": ((), None, [(60.0, 300.0)]),
}


@pytest.mark.parametrize(("own", "above", "wanted"), RUNTIMES.values(), ids=RUNTIMES)
def test_how_long_jobs_are_left_alone(
    own: tuple[Queue, ...],
    above: tuple[Queue, ...] | None,
    wanted: list[tuple[float | None, float | None]],
) -> None:
    vision = Project(metadata=Metadata(name="vision"), spec=ProjectSpec(queues=own, department="research"))
    queues = tuple(DepartmentQueue(**dict(queue)) for queue in above or ())
    research = Department(metadata=Metadata(name="research"), spec=DepartmentSpec(queues=queues))
    departments = [] if above is None else [research]
    found = queue_facts([vision], departments, [], runtimes=MinRuntimes(preempt=60, reclaim=300))
    assert [(queue.preempt_min_runtime_seconds, queue.reclaim_min_runtime_seconds) for queue in found] == wanted


def test_nobody_is_left_alone_where_nobody_says_so() -> None:
    [queue] = queue_facts([project("vision", default=4)], [], [])
    assert (queue.preempt_min_runtime_seconds, queue.reclaim_min_runtime_seconds) == (None, None)
