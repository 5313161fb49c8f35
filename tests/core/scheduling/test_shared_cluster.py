"""A cluster in which anything may happen: no GPU is promised twice, no limit is passed, and it comes to rest.

The machine keeps its own book of who was given what, so that a wrong ledger cannot vouch for itself. `ALIQUOT_CLUSTERS`
lives are lived.
"""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Final

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from aliquot.core.scheduling import (
    ClusterState,
    EvictionFailed,
    EvictionStarted,
    Granted,
    GrantFailed,
    Plan,
    TaskChanged,
    TaskRemoved,
    check,
    decide,
)
from aliquot.core.scheduling.facts import TaskState
from tests.core.scheduling.test_scheduling_properties import CLUSTERS
from tests.core.scheduling.world import GPU, World, until_settled

LIMITS: Final = {"a": 2, "b": 100, "c": 100}
SIZES: Final = (0.3, 0.5, 1, 1, 2)


@dataclass(frozen=True)
class Given:
    """What a task was given: a node, and of it parts of devices, or whole ones."""

    node: str
    devices: tuple[str, ...]
    percent: int


class SharedCluster(RuleBasedStateMachine):
    """Jobs and nodes come and go, the API server answers late or refuses, the operator starts again."""

    def __init__(self) -> None:
        super().__init__()
        world = World().node("n0", gpus=3)
        for name, limit in LIMITS.items():
            world = world.queue(name, 1, limit=limit)
        self.state = world.state()
        self.gpus = {"n0": 3}
        self.quota = dict.fromkeys(LIMITS, 1)
        self.jobs: dict[str, str] = {}
        self.fixed: set[str] = set()
        self.book: dict[str, Given] = {}

    # What people do

    @rule(queue=st.sampled_from("abc"), gpus=st.sampled_from(SIZES), pods=st.integers(1, 2), fixed=st.booleans())
    def a_job_comes(self, queue: str, gpus: float, pods: int, fixed: bool) -> None:
        name = f"j{len(self.jobs)}"
        self.jobs[name] = queue
        if fixed:
            self.fixed.add(name)
        job = World().job(name, queue, gpus, created=len(self.jobs), preemptible=not fixed, pods=pods, together=pods)
        self.tell(job)

    @rule(gpus=st.integers(1, 3))
    def a_node_comes(self, gpus: int) -> None:
        name = f"n{len(self.gpus)}"
        if len(self.gpus) < 4:
            self.gpus[name] = gpus
            self.tell(World().node(name, gpus=gpus))

    @rule(number=st.integers(0, 3), schedulable=st.booleans())
    def a_node_is_cordoned_or_not(self, number: int, schedulable: bool) -> None:
        if f"n{number}" in self.gpus:
            self.tell(World().node(f"n{number}", gpus=self.gpus[f"n{number}"], schedulable=schedulable))

    @rule(queue=st.sampled_from("abc"), deserved=st.integers(0, 4))
    def a_quota_changes(self, queue: str, deserved: int) -> None:
        self.quota[queue] = deserved
        self.tell(World().queue(queue, deserved, limit=LIMITS[queue]))

    def tell(self, world: World) -> None:
        for event in world.facts:
            self.state.apply(event)

    # What the operator and the API server do

    @rule()
    def one_round(self) -> None:
        self.one_round_with_refusals(set())

    @rule(refused=st.sets(st.integers(0, 6)))
    def one_round_with_refusals(self, refused: set[int]) -> None:
        before = list(self.state.facts())
        plan = decide(self.state, 0.0)
        assert check(self.state, plan) == []
        assert list(self.state.facts()) == before, "deciding changes nothing"
        self.look_at(plan)
        for number, bind in enumerate(plan.binds):
            self.state.apply(Granted(bind.task, bind.node, bind.devices))
            if number in refused:
                self.state.apply(GrantFailed(bind.task))
            else:
                self.book[bind.task] = Given(bind.node, bind.devices, bind.gpu_percent)
        for number, evict in enumerate(plan.evictions):
            self.state.apply(EvictionStarted(evict.task, evict.for_job))
            if number in refused:
                self.state.apply(EvictionFailed(evict.task))

    def look_at(self, plan: Plan) -> None:
        """What of a plan can be told without its arithmetic."""
        tasks = self.state.tasks()
        started = Counter(tasks[bind.task].fact.job for bind in plan.binds)
        for job_id, count in started.items():
            whole = [record for record in self.state.tasks_of(job_id).values() if record.state is TaskState.PENDING]
            assert count == len(whole), f"{job_id} starts by half"
        for evict in plan.evictions:
            assert tasks[evict.task].fact.job not in self.fixed, f"{evict.task} may not be stopped"
        for queue in {self.jobs[job_id] for job_id in started}:
            mine = [bind for bind in plan.binds if self.jobs[tasks[bind.task].fact.job] == queue]
            assert self.held(queue) + sum(bind.gpu_percent for bind in mine) <= LIMITS[queue] * GPU
            fixed = [bind for bind in mine if tasks[bind.task].fact.job in self.fixed]
            if fixed:
                held = self.held(queue, fixed=True) + sum(bind.gpu_percent for bind in fixed)
                assert held <= self.quota[queue] * GPU

    def held(self, queue: str, *, fixed: bool = False) -> int:
        """What tasks of a queue were given and keep; or only those that may not be stopped."""
        tasks = self.state.tasks()
        return sum(
            given.percent
            for task_id, given in self.book.items()
            if tasks[task_id].state.active
            and self.jobs[tasks[task_id].fact.job] == queue
            and (not fixed or tasks[task_id].fact.job in self.fixed)
        )

    @rule()
    def the_operator_starts_again(self) -> None:
        again = ClusterState.rebuild(self.state.facts())
        assert decide(again, 0.0) == decide(self.state, 0.0)
        self.state = again

    @rule()
    def it_would_come_to_rest(self) -> None:
        """If nothing happened any more."""
        rest = ClusterState.rebuild(self.state.facts())
        until_settled(rest)
        plan = decide(rest, 0.0)
        assert (plan.binds, plan.nominations, plan.evictions) == ((), (), ())

    # What happens to pods

    def some(self, data: st.DataObject, *states: TaskState) -> str:
        there = sorted(task_id for task_id in self.book if self.state.tasks()[task_id].state in states)
        return data.draw(st.sampled_from(there))

    def any_in(self, *states: TaskState) -> bool:
        return any(self.state.tasks()[task_id].state in states for task_id in self.book)

    @precondition(lambda self: self.any_in(TaskState.BOUND))
    @rule(data=st.data())
    def a_pod_runs(self, data: st.DataObject) -> None:
        record = self.state.tasks()[self.some(data, TaskState.BOUND)]
        self.state.apply(TaskChanged(replace(record.task, state=TaskState.RUNNING, node=record.node)))

    @precondition(lambda self: self.any_in(TaskState.BOUND, TaskState.RUNNING))
    @rule(data=st.data(), removed=st.booleans())
    def a_pod_ends(self, data: st.DataObject, removed: bool) -> None:
        self.goes(self.some(data, TaskState.BOUND, TaskState.RUNNING), removed=removed)

    @precondition(lambda self: self.any_in(TaskState.TERMINATING))
    @rule(data=st.data(), again=st.booleans())
    def a_stopped_pod_has_gone(self, data: st.DataObject, again: bool) -> None:
        task = self.state.tasks()[task_id := self.some(data, TaskState.TERMINATING)].task
        self.goes(task_id, removed=True)
        if again:
            self.state.apply(TaskChanged(replace(task, state=TaskState.PENDING, node=None, devices=())))

    def goes(self, task_id: str, *, removed: bool) -> None:
        task = self.state.tasks()[task_id].task
        self.state.apply(TaskRemoved(task_id) if removed else TaskChanged(replace(task, state=TaskState.ENDED)))
        del self.book[task_id]

    # What always holds

    @invariant()
    def no_gpu_is_promised_twice(self) -> None:
        for node, gpus in self.gpus.items():
            there = [given for given in self.book.values() if given.node == node]
            parts = Counter[str]()
            for given in there:
                for device in given.devices:
                    parts[device] += given.percent // len(given.devices)
            whole = sum(given.percent for given in there if not given.devices) // GPU
            assert whole + len(parts) <= gpus, there
            assert all(percent <= GPU for percent in parts.values()), parts

    @invariant()
    def the_books_are_right(self) -> None:
        assert check(self.state) == []


SharedCluster.TestCase.settings = settings(
    max_examples=CLUSTERS // 2,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@pytest.mark.timeout(300 if CLUSTERS <= 100 else 0)
class TestSharedCluster(SharedCluster.TestCase):
    """Any life."""
