"""Parts of GPU devices: who shares which device, and that no device is ever given out beyond 100 %."""

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aliquot.core.quantities import GpuPart, Request, Vector
from aliquot.core.scheduling import (
    Bind,
    ClusterState,
    Event,
    JobChanged,
    NodeChanged,
    Nominate,
    Plan,
    TaskChanged,
    TaskRemoved,
    check,
    decide,
)
from aliquot.core.scheduling.facts import Job, Node, Task, TaskState
from aliquot.core.scheduling.placement.ranking import Placer
from aliquot.core.scheduling.state.draft import Draft, Spot
from aliquot.core.scheduling.state.shapes import TaskShape
from tests.core.scheduling.world import GIB, GPU, World, carry_out

A100 = 81_559
"""Memory of a device in MiB; counts 81,500."""


def node(name: str, gpus: int = 2, memory: int = 0) -> NodeChanged:
    return NodeChanged(Node(name, "default", Vector(gpus * GPU, 64_000, 512 * GIB, 110), device_memory_mib=memory))


def share(percent: int, devices: int = 1) -> Request:
    return Request(Vector(0, 100, GIB, 1), GpuPart(percent=percent, devices=devices))


def memory(mib: int, devices: int = 1) -> Request:
    return Request(Vector(0, 100, GIB, 1), GpuPart(memory_mib=mib, devices=devices))


def whole(gpus: int = 1) -> Request:
    return Request(Vector(gpus * GPU, 100, GIB, 1))


def job(
    name: str,
    request: Request,
    *,
    on: str | None = None,
    devices: tuple[str, ...] = (),
    state: TaskState | None = None,
    created: float = 0,
) -> tuple[Event, ...]:
    state = state or (TaskState.RUNNING if on else TaskState.PENDING)
    task = Task(name, name, "here", name, request, state, on, devices=devices)
    return JobChanged(Job(name, "here", name, "a", created=created)), TaskChanged(task)


def state_of(*facts: Event | tuple[Event, ...]) -> ClusterState:
    flat = [event for fact in facts for event in (fact if isinstance(fact, tuple) else (fact,))]
    return World(*flat).queue("a", 100).state()


def decided(state: ClusterState) -> str:
    """Who starts on which devices, who is promised a node, who waits."""
    plan = decide(state, 0.0)
    assert check(state, plan) == []
    parts = [f"{bind.task} on {' '.join((bind.node, *bind.devices))}" for bind in plan.binds]
    parts += [f"{nominate.task} waits at {nominate.node}" for nominate in plan.nominations]
    promised = {nominate.task for nominate in plan.nominations}
    parts += [f"{waiting.job} waits" for waiting in plan.waiting if waiting.job not in promised]
    return "; ".join(parts)


HALF_USED = job("x", share(50), on="n1", devices=("g1",))
GOES = TaskState.TERMINATING
CASES: dict[str, tuple[tuple[Event | tuple[Event, ...], ...], str]] = {
    "the first part opens a device": ((node("n1"), job("j", share(50))), "j on n1 n1-shared-1"),
    "a part fills a shared device": ((node("n1"), HALF_USED, job("j", share(50))), "j on n1 g1"),
    "to the last hundredth": ((node("n1"), HALF_USED, job("j", share(51))), "j on n1 n1-shared-1"),
    "the fullest that has room": (
        (node("n1", 3), HALF_USED, job("y", share(70), on="n1", devices=("g2",)), job("j", share(30))),
        "j on n1 g2",
    ),
    "unless it has no room": (
        (node("n1", 3), HALF_USED, job("y", share(70), on="n1", devices=("g2",)), job("j", share(31))),
        "j on n1 g1",
    ),
    "a shared device of a fuller node is no reason to open another": (
        (node("n1", 1), node("n2", 4), job("x", share(50), on="n2", devices=("g1",)), job("j", share(50))),
        "j on n2 g1",
    ),
    "two halves share a device that was opened in the same round": (
        (node("n1"), job("i", share(50)), job("j", share(50))),
        "i on n1 n1-shared-1; j on n1 n1-shared-1",
    ),
    "a shared device is no whole one": ((node("n1", 1), HALF_USED, job("j", whole())), "j waits"),
    "whole ones stay whole": ((node("n1"), HALF_USED, job("j", whole())), "j on n1"),
    "parts of two devices": ((node("n1"), job("j", share(50, 2))), "j on n1 n1-shared-1 n1-shared-2"),
    "one shared and one fresh": ((node("n1"), HALF_USED, job("j", share(50, 2))), "j on n1 g1 n1-shared-1"),
    "not twice of the same": ((node("n1", 1), job("j", share(50, 2))), "j waits"),
    "the node where fewer are opened": (
        (
            node("n1"),
            node("n2"),
            HALF_USED,
            job("y", share(50, 2), on="n2", devices=("g1", "g2")),
            job("j", share(40, 2)),
        ),
        "j on n2 g1 g2",
    ),
    "memory": ((node("n1", 2, A100), job("j", memory(40_000))), "j on n1 n1-shared-1"),
    "memory beside memory": (
        (node("n1", 2, A100), job("x", memory(40_000), on="n1", devices=("g1",)), job("j", memory(41_500))),
        "j on n1 g1",
    ),
    "and not one MiB more": (
        (node("n1", 2, A100), job("x", memory(40_000), on="n1", devices=("g1",)), job("j", memory(41_501))),
        "j on n1 n1-shared-1",
    ),
    "memory beside a share": (
        (node("n1", 2, A100), HALF_USED, job("j", memory(40_750))),
        "j on n1 g1",
    ),
    "which leaves half": ((node("n1", 2, A100), HALF_USED, job("j", memory(40_751))), "j on n1 n1-shared-1"),
    "memory counts in full hundreds": ((node("n1", 2, A100), job("j", memory(81_500))), "j on n1 n1-shared-1"),
    "more than a device": ((node("n1", 2, A100), job("j", memory(81_501))), "j waits"),
    "memory of two devices": (
        (node("n1", 2, A100), job("j", memory(81_500, 2))),
        "j on n1 n1-shared-1 n1-shared-2",
    ),
    "memory of a device of which nobody knows it": ((node("n1", 2), job("j", memory(1))), "j waits"),
    "the node with larger devices": (
        (node("n1", 2, 16_000), node("n2", 2, A100), job("j", memory(20_000))),
        "j on n2 n2-shared-1",
    ),
    "a part that stops is waited for": (
        (node("n1", 1), job("x", share(60), on="n1", devices=("g1",), state=GOES), job("j", share(60))),
        "j waits at n1",
    ),
    "a whole device comes when the last part stops": (
        (
            node("n1", 1),
            job("x", share(50), on="n1", devices=("g1",), state=GOES),
            job("y", share(50), on="n1", devices=("g1",), state=GOES),
            job("j", whole()),
        ),
        "j waits at n1",
    ),
    "and not before": (
        (
            node("n1", 1),
            job("x", share(50), on="n1", devices=("g1",), state=GOES),
            job("y", share(50), on="n1", devices=("g1",)),
            job("j", whole()),
        ),
        "j waits",
    ),
    "what a stopping part leaves beside it is free at once": (
        (
            node("n1", 1),
            job("x", share(30), on="n1", devices=("g1",), state=GOES),
            job("y", share(30), on="n1", devices=("g1",)),
            job("j", share(40)),
        ),
        "j on n1 g1",
    ),
    "what it holds itself is not": (
        (
            node("n1", 1),
            job("x", share(30), on="n1", devices=("g1",), state=GOES),
            job("y", share(30), on="n1", devices=("g1",)),
            job("j", share(41)),
        ),
        "j waits at n1",
    ),
    "a task that does not say where has a device of its own, from which it may move": (
        (node("n1", 2), job("x", share(10), on="n1"), job("y", share(10), on="n1"), job("j", whole())),
        "j waits at n1",
    ),
}


@pytest.mark.parametrize(("facts", "wanted"), CASES.values(), ids=CASES)
def test_parts_of_devices(facts: tuple[Event | tuple[Event, ...], ...], wanted: str) -> None:
    assert decided(state_of(*facts)) == wanted


def test_the_device_is_whole_again_when_its_last_part_has_gone() -> None:
    other = job("y", share(50), on="n1", devices=("g1",))
    state = state_of(node("n1", 1), HALF_USED, other, job("j", whole()))
    for gone in ("x", "y"):
        assert decided(state) == "j waits"
        state.apply(TaskRemoved(gone))
        assert check(state) == []
    assert decided(state) == "j on n1"
    assert not state.pool("default").nodes.shared


def test_a_grant_keeps_its_devices_until_the_answer() -> None:
    state = state_of(node("n1"), job("i", share(60)), job("j", share(60)))
    carry_out(state, decide(state, 0.0))
    assert {record.task.devices for record in state.tasks().values()} == {("n1-shared-1",), ("n1-shared-2",)}


@pytest.mark.parametrize(
    ("parts", "wanted"),
    [
        ((share(50), share(50)), []),
        ((share(50), share(51)), ["node n1: device g1 is held to 101 %"]),
        ((memory(41_000), share(50)), ["node n1: device g1 is held to 100.3 %"]),
        ((memory(81_500),), []),
    ],
    ids=["full", "over by share", "over by memory", "full by memory"],
)
def test_check_tells_of_a_device_that_holds_too_much(parts: tuple[Request, ...], wanted: list[str]) -> None:
    jobs = [job(f"x{n}", part, on="n1", devices=("g1",)) for n, part in enumerate(parts)]
    assert check(state_of(node("n1", 2, A100), *jobs)) == wanted


def test_a_running_amount_of_memory_that_nobody_can_measure_has_the_whole_device() -> None:
    state = state_of(node("n1", 2), job("x", memory(10_000), on="n1", devices=("g1",)), job("j", share(1)))
    assert check(state) == []
    assert decided(state) == "j on n1 n1-shared-1"
    state.apply(node("n1", 2, A100))
    assert check(state) == []
    assert decided(state) == "j on n1 g1"


BAD_PLANS: dict[str, tuple[Request, Plan, str]] = {
    "too much of a shared device": (
        share(51),
        Plan(binds=(Bind("j", "n1", 51, devices=("g1",)),)),
        "node n1: device g1 would be held to 101 %",
    ),
    "a device that is not there": (
        share(50, 2),
        Plan(binds=(Bind("j", "n1", 100, devices=("g2", "g3")),)),
        "node n1: 300 of 200 gpu_percent would be used",
    ),
    "fewer devices than asked for": (
        share(50, 2),
        Plan(binds=(Bind("j", "n1", 100, devices=("g1",)),)),
        "bind j: it gets parts of the devices ('g1',)",
    ),
    "the same device twice": (
        share(20, 2),
        Plan(binds=(Bind("j", "n1", 40, devices=("g1", "g1")),)),
        "bind j: it gets parts of the devices ('g1', 'g1')",
    ),
    "a whole device that is shared": (
        whole(2),
        Plan(binds=(Bind("j", "n1", 200),)),
        "node n1: 300 of 200 gpu_percent would be used",
    ),
    "more than comes": (
        whole(2),
        Plan(nominations=(Nominate("j", "n1"),)),
        "node n1: 300 of 200 gpu_percent is promised",
    ),
    "more parts than come": (
        share(80, 2),
        Plan(nominations=(Nominate("j", "n1"),)),
        "node n1: more parts of devices are promised than come free",
    ),
}


@pytest.mark.parametrize(("request_", "plan", "wanted"), BAD_PLANS.values(), ids=BAD_PLANS)
def test_check_tells_of_plans_that_give_out_too_much(request_: Request, plan: Plan, wanted: str) -> None:
    assert check(state_of(node("n1"), HALF_USED, job("j", request_)), plan) == [wanted]


# Random steps of a draft against a book-keeper that knows no arithmetic but sums over all tasks


Holder = tuple[Request, tuple[str, ...], bool, bool]
Books = tuple[dict[str, tuple[int, int]], list[int], list[int]]


@dataclass
class Model:
    """Who has what of one node: `units` per device, and per holder its devices and whether that is now, and later."""

    gpus: int
    units: int
    holders: list[Holder] = field(default_factory=list[Holder])

    def need(self, request: Request) -> int:
        part = request.part
        assert part is not None
        return part.percent * self.units // 100 if part.percent else part.memory_mib

    def held(self, device: str, *, later: bool) -> int:
        return sum(
            self.need(request) * devices.count(device)
            for request, devices, is_now, is_later in self.holders
            if request.part is not None and (is_later if later else is_now)
        )

    def devices(self) -> set[str]:
        return {device for _, devices, _, _ in self.holders for device in devices}

    def shared(self) -> dict[str, tuple[int, int]]:
        both = {each: (self.held(each, later=False), self.held(each, later=True)) for each in self.devices()}
        return {device: held for device, held in both.items() if held != (0, 0)}

    def free(self, *, later: bool) -> int:
        whole_ones = sum(
            request.base.gpu_percent for request, _, is_now, is_later in self.holders if (is_later if later else is_now)
        )
        opened = sum(1 for held in self.shared().values() if held[later] > 0)
        return self.gpus * GPU - whole_ones - opened * GPU

    def fits(self, request: Request, *, now: bool) -> bool:
        free = self.free(later=True) if not now else min(self.free(later=True), self.free(later=False))
        if request.part is None:
            return free >= request.base.gpu_percent
        room = [
            held
            for held in self.shared().values()
            if held[1] > 0 and (held[0] > 0 or not now)
            if (max(held) if now else held[1]) + self.need(request) <= self.units
        ]
        return self.need(request) <= self.units and len(room) + max(0, free) // GPU >= request.part.devices


requests = st.one_of(
    st.builds(share, st.sampled_from([1, 20, 33, 34, 50, 51, 99]), st.integers(1, 2)),
    st.builds(memory, st.sampled_from([100, 4_000, 7_999, 8_000]), st.integers(1, 2)),
    st.just(whole()),
)
KINDS = ("take", "take", "give back", "release", "keep", "mark", "roll back")
steps = st.lists(st.tuples(st.sampled_from(KINDS), requests, st.integers(0, 9), st.booleans()), max_size=25)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(requests, st.booleans()), max_size=4), steps)
def test_a_draft_keeps_the_books_of_devices(
    there: list[tuple[Request, bool]], wanted: list[tuple[str, Request, int, bool]]
) -> None:
    """Whatever is taken, given back, released, kept and rolled back: the sums are those of the tasks that are there."""
    model = Model(3, 8_000)
    facts: list[Event] = [node("n1", 3, 8_050)]
    tasks: list[Task] = []
    for number, (request, stops) in enumerate(there):
        if not model.fits(request, now=True):
            continue
        devices = (
            ()
            if request.part is None
            else tuple(
                [
                    *(
                        each
                        for each, held in sorted(model.shared().items())
                        if held[0] + model.need(request) <= model.units
                    ),
                    *(f"t{number}-{at}" for at in range(max(0, model.free(later=False)) // GPU)),
                ][: request.part.devices]
            )
        )
        state = GOES if stops else TaskState.RUNNING
        tasks.append(Task(f"t{number}", f"t{number}", "here", f"t{number}", request, state, "n1", devices=devices))
        facts += [JobChanged(Job(f"t{number}", "here", f"t{number}", "a")), TaskChanged(tasks[-1])]
        model.holders.append((request, devices, True, not stops))
    state = state_of(*facts)
    assert check(state) == []
    draft = Draft(state.pool("default"))
    placer, row = Placer(draft), draft.nodes.row["n1"]
    taken: list[tuple[Spot, Request, bool]] = []
    marks: list[tuple[int, Books, list[tuple[Spot, Request, bool]], list[Holder], frozenset[str]]] = []
    released: frozenset[str] = frozenset()

    def books() -> Books:
        return (
            {device: (held.now, held.later) for device, held in draft.shared_on(row).items()},
            draft.free[row].tolist(),
            draft.future[row].tolist(),
        )

    for what, asked, number, now in wanted:
        if what == "take":
            fits = placer.ranking(TaskShape.of(Task("", "", "", "", asked)), now=now).fits(row)
            assert fits is model.fits(asked, now=now)
            if fits:
                spot = draft.take(row, asked, now=now)
                taken.append((spot, asked, now))
                model.holders.append((asked, spot.devices, now, True))
        elif what == "give back" and taken:
            spot, request, was_now = taken.pop(number % len(taken))
            draft.give_back(spot, request, now=was_now)
            model.holders.remove((request, spot.devices, was_now, True))
        elif what in ("release", "keep") and tasks:
            task = tasks[number % len(tasks)]
            entry: Holder = (task.request, task.devices, True, what == "release")
            if task.state is TaskState.RUNNING and (task.id in released) is (what == "keep"):
                after: Holder = (*entry[:3], not entry[3])
                if what == "keep" and not room_to_keep(model, entry, after):
                    continue
                (draft.release if what == "release" else draft.keep)(row, task)
                model.holders[model.holders.index(entry)] = after
                released ^= {task.id}
        elif what == "mark":
            marks.append((draft.checkpoint(), books(), list(taken), list(model.holders), released))
        elif what == "roll back" and marks:
            mark, before, taken, model.holders, released = marks.pop()
            draft.rollback(mark)
            assert books() == before
        held = {device: tuple(held) for device, held in draft.shared_on(row).items()}
        assert held == model.shared()
        assert draft.free[row, 0] == model.free(later=False)
        assert draft.future[row, 0] == model.free(later=True)
        assert all(max(both) <= model.units for both in held.values())
        assert model.free(later=False) >= 0 <= model.free(later=True)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(requests, st.integers(1, 4)), min_size=1, max_size=6), st.booleans())
def test_all_or_nothing_and_never_ruled_out_when_they_fit(runs: list[tuple[Request, int]], now: bool) -> None:
    state = state_of(node("n1", 3, 8_050), node("n2", 1), node("n3", 2, 16_000))
    draft = Draft(state.pool("default"))
    placer = Placer(draft)
    for request, count in runs:
        demand = ((TaskShape.of(Task("", "", "", "", request)), count),) * 2
        before, hope = (draft.free.tolist(), draft.future.tolist()), placer.might_fit(demand)
        spots = placer.place(demand, now=now)
        if spots is None:
            assert (draft.free.tolist(), draft.future.tolist()) == before
        else:
            assert hope
            assert len(spots) == 2 * count


def room_to_keep(model: Model, entry: Holder, after: Holder) -> bool:
    """Whether what was released has not been given to somebody else."""
    holders = [after if each == entry else each for each in model.holders]
    kept = Model(model.gpus, model.units, holders)
    return kept.free(later=True) >= 0 and all(held[1] <= model.units for held in kept.shared().values())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(requests, st.integers(0, 3), st.booleans()), min_size=1, max_size=12))
def test_rounds_never_give_out_more_than_a_device(wanted: list[tuple[Request, int, bool]]) -> None:
    """Jobs come, start, stop and go; after every event and plan everything adds up."""
    state = state_of(node("n1", 2, 8_050), node("n2", 1), node("n3", 1, 16_000))
    for number, (request, goes, stops_first) in enumerate(wanted):
        for event in job(f"j{number}", request, created=number):
            state.apply(event)
        plan = decide(state, 0.0)
        assert check(state, plan) == []
        carry_out(state, plan)
        there = [record.fact for record in state.tasks().values() if record.state.active]
        if there and goes:
            task = there[goes % len(there)]
            state.apply(TaskChanged(replace(task, state=GOES)) if stops_first else TaskRemoved(task.id))
            assert check(state) == []
    rebuilt = ClusterState.rebuild(state.facts())
    assert check(rebuilt) == []
    assert decide(rebuilt, 0.0) == decide(state, 0.0)
