"""The search for victims against a statement of its task that is too slow to be wrong: all sets are looked at.

Clusters of a few nodes, filled with jobs of one or more pods, whole GPUs and parts of them, and a gang that waits.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations, product
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aliquot.core.quantities import GpuPart, Request, Vector
from aliquot.core.scheduling import JobChanged, NodeChanged, SchedulingSettings, TaskChanged, check, decide
from aliquot.core.scheduling.facts import Job, Node, Task, TaskState
from aliquot.core.scheduling.placement.ranking import Placer
from aliquot.core.scheduling.state.draft import Draft
from aliquot.core.scheduling.state.units import Unit
from aliquot.core.scheduling.victims.candidates import Candidates
from aliquot.core.scheduling.victims.search import Found, search
from tests.core.scheduling.world import GIB, GPU, World

slow = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
often = settings(slow, max_examples=300)


Pod = tuple[int, int, int | None]
"""Node, hundredths of a GPU, and the device of a part."""


@dataclass
class Pool:
    """Nodes with pods on numbered devices. A pod's `gpus` may be a half: then it has that part of one device.

    Attributes:
        nodes: how many devices each node has.
        jobs: per running job, queue and per pod the node, GPUs in hundredths, and the device of a part.
    """

    nodes: list[int]
    jobs: dict[str, tuple[str, list[Pod]]] = field(default_factory=dict[str, tuple[str, list[Pod]]])

    def add(self, queue: str, where: Sequence[int], hundredths: int) -> None:
        """A job with a pod on each of these nodes, if there is room for all of them."""
        pods: list[Pod] = []
        name = f"j{len(self.jobs)}"
        for node in where:
            own = {**self.jobs, name: (queue, pods)}
            whole, shared = Pool(self.nodes, own).free(without=())[node]
            device = next((device for device, used in sorted(shared.items()) if used + hundredths <= 100), None)
            if hundredths < 100 and device is not None:
                pods.append((node, hundredths, device))
            elif whole * 100 >= hundredths:
                pods.append((node, hundredths, max(shared, default=0) + 1 if hundredths < 100 else None))
            else:
                return
        self.jobs[name] = (queue, pods)

    def free(self, without: Sequence[str]) -> list[tuple[int, dict[int, int]]]:
        """Per node, the whole devices that are free and what is used of the shared ones, with some jobs gone."""
        whole = list(self.nodes)
        shared: list[dict[int, int]] = [{} for _ in self.nodes]
        for name, (_, pods) in self.jobs.items():
            for node, hundredths, device in pods if name not in without else ():
                if device is None:
                    whole[node] -= hundredths // 100
                else:
                    whole[node] -= device not in shared[node]
                    shared[node][device] = shared[node].get(device, 0) + hundredths
        return list(zip(whole, shared, strict=True))

    def fits(self, tasks: int, hundredths: int, without: Sequence[str]) -> bool:
        """Whether so many equal pods fit with these jobs gone."""
        if hundredths >= 100:
            return sum(whole // (hundredths // 100) for whole, _ in self.free(without)) >= tasks
        return (
            sum(
                whole * (100 // hundredths) + sum((100 - used) // hundredths for used in shared.values())
                for whole, shared in self.free(without)
            )
            >= tasks
        )

    def world(self) -> World:
        world = World().queue("a", 100).queue("b", 0).queue("c", 0)
        facts = [
            NodeChanged(Node(f"n{at}", "default", Vector(gpus * GPU, 64_000, 512 * GIB, 110)))
            for at, gpus in enumerate(self.nodes)
        ]
        events = [
            event
            for at, (name, (queue, pods)) in enumerate(self.jobs.items())
            for event in (
                JobChanged(Job(name, "here", name, queue, min_member=len(pods), created=float(at), priority=10)),
                *(
                    TaskChanged(_pod(f"{name}-{number}", name, hundredths, f"n{node}", device))
                    for number, (node, hundredths, device) in enumerate(pods)
                ),
            )
        ]
        return World(*world.facts, *facts, *events)


def _pod(name: str, job: str, hundredths: int, node: str | None = None, device: int | None = None) -> Task:
    part = GpuPart(percent=hundredths) if hundredths < 100 else None
    request = Request(Vector(0 if part else hundredths, 1000, GIB, 1), part)
    state = TaskState.PENDING if node is None else TaskState.RUNNING
    devices = () if device is None else (f"{node}-device-{device}",)
    return Task(name, job, "here", name, request, state, node, devices=devices)


def waiting(world: World, queue: str, tasks: int, hundredths: int, priority: int = 90) -> World:
    job = Job("gang", "here", "gang", queue, min_member=tasks, created=99.0, priority=priority)
    pods = (TaskChanged(_pod(f"gang-{number}", "gang", hundredths)) for number in range(tasks))
    return World(*world.facts, JobChanged(job), *pods)


def anything(taken: Counter[str]) -> bool:
    del taken
    return True


class Budget:
    """A rule: so many hundredths of a GPU may be taken of each queue, and in the end what was taken must please."""

    def __init__(self, budget: Mapping[str, int], pleases: Callable[[Counter[str]], bool] = anything) -> None:
        self.budget = budget
        self.pleases = pleases
        self.taken: Counter[str] = Counter()

    @property
    def queues(self) -> Sequence[str]:
        return sorted(self.budget)

    def may_add(self, unit: Unit) -> bool:
        return self.taken[unit.queue] + unit.total[0] <= self.budget[unit.queue]

    def push(self, unit: Unit) -> None:
        self.taken[unit.queue] += unit.total[0]

    def pop(self, unit: Unit) -> None:
        self.taken[unit.queue] -= unit.total[0]

    def accepts(self) -> bool:
        return self.pleases(self.taken)


def found_by(world: World, rule: Budget) -> Found | None:
    """What the search finds for the one job that waits; looks whether it leaves the draft as it should."""
    state = world.state()
    draft = Draft(state.pool("default"))
    before = draft.future.copy()
    [key] = [key for groups in state.waiting().groups.values() for key in groups]
    found = search(draft, Placer(draft), Candidates(state, "default", draft, ()), key, rule)
    if found is None:
        assert (draft.future == before).all()
        assert not any(rule.taken.values())
        return None
    assert len(found.spots) == key.demand.tasks
    assert (draft.future >= 0).all()
    assert sum(rule.taken.values()) == sum(unit.total[0] for unit in found.units)
    return found


def names(found: Found | None) -> list[str] | None:
    return None if found is None else [unit.job.id for unit in found.units]


def sets_that_help(
    pool: Pool, tasks: int, hundredths: int, allowed: Callable[[Sequence[str]], bool]
) -> Iterator[set[str]]:
    """Every set of jobs that may go together and whose going makes room."""
    for size in range(len(pool.jobs) + 1):
        for chosen in combinations(pool.jobs, size):
            if allowed(chosen) and pool.fits(tasks, hundredths, chosen):
                yield set(chosen)


@st.composite
def pools(draw: st.DrawFn) -> Pool:
    pool = Pool(draw(st.lists(st.integers(1, 4), min_size=1, max_size=3)))
    nodes = st.integers(0, len(pool.nodes) - 1)
    kinds = st.tuples(
        st.sampled_from("bc"), st.lists(nodes, min_size=1, max_size=3), st.sampled_from([25, 50, 100, 100, 200])
    )
    for queue, where, hundredths in draw(st.lists(kinds, max_size=8)):
        pool.add(queue, where, hundredths)
    return pool


SIZES = st.sampled_from([25, 50, 100, 200, 300])


@often
@given(pools(), st.integers(1, 4), SIZES)
def test_it_finds_victims_whenever_there_are_some_and_none_of_them_can_be_left_out(
    pool: Pool, tasks: int, hundredths: int
) -> None:
    helping = list(sets_that_help(pool, tasks, hundredths, lambda _: True))
    victims = names(found_by(waiting(pool.world(), "a", tasks, hundredths), Budget({"b": 10_000, "c": 10_000})))
    assert (victims is None) == (not helping)
    if victims is not None:
        assert set(victims) in helping
        assert not [one for one in victims if set(victims) - {one} in helping]


@often
@given(pools(), st.integers(1, 4), SIZES, st.integers(0, 5), st.integers(0, 5))
def test_where_the_rule_allows_only_some_it_finds_them_and_none_of_them_can_be_left_out(
    pool: Pool, tasks: int, hundredths: int, from_b: int, from_c: int
) -> None:
    budget = {"b": from_b * GPU, "c": from_c * GPU}

    def allowed(chosen: Sequence[str]) -> bool:
        taken = Counter({"b": 0, "c": 0})
        for name in chosen:
            queue, pods = pool.jobs[name]
            taken[queue] += sum(pod[1] for pod in pods)
        return all(taken[queue] <= budget[queue] for queue in budget)

    helping = list(sets_that_help(pool, tasks, hundredths, allowed))
    victims = names(found_by(waiting(pool.world(), "a", tasks, hundredths), Budget(budget)))
    assert (victims is None) == (not helping)
    if victims is not None:
        assert set(victims) in helping
        assert not [one for one in victims if set(victims) - {one} in helping]


@slow
@given(pools(), st.integers(1, 4), SIZES, st.randoms(use_true_random=False))
def test_the_order_of_the_facts_makes_no_difference(pool: Pool, tasks: int, hundredths: int, luck: Random) -> None:
    world = waiting(pool.world(), "a", tasks, hundredths)
    shuffled = list(world.facts)
    luck.shuffle(shuffled)
    everything = {"b": 10_000, "c": 10_000}
    assert names(found_by(World(*shuffled), Budget(everything))) == names(found_by(world, Budget(everything)))


FULL = Pool([2, 2, 2])
"""Three nodes, each with an old job of b and a young one of c, the queue that goes first."""
for place in range(3):
    FULL.add("b", [place], 100)
for place in range(3):
    FULL.add("c", [place], 100)


def not_of(queue: str) -> Callable[[Counter[str]], bool]:
    return lambda taken: not taken[queue]


def as_much_of_both(taken: Counter[str]) -> bool:
    return taken["b"] == taken["c"]


@pytest.mark.parametrize(
    ("pleases", "wanted"),
    [(anything, ["j5"]), (not_of("b"), ["j5"]), (not_of("c"), ["j2"]), (as_much_of_both, None)],
)
def test_it_goes_on_when_the_rule_refuses_what_was_found(
    pleases: Callable[[Counter[str]], bool], wanted: list[str] | None
) -> None:
    rule = Budget({"b": 300, "c": 300}, pleases)
    assert names(found_by(waiting(FULL.world(), "a", 1, 100), rule)) == wanted


def test_what_a_rule_accepts_only_as_a_whole_is_found_among_a_few() -> None:
    rule = Budget({"b": 300, "c": 300}, as_much_of_both)
    found = found_by(waiting(FULL.world(), "a", 2, 100), rule)
    assert names(found) == ["j5", "j2"]


def test_what_little_a_rule_allows_is_spent_where_it_makes_room_for_all_of_a_gang() -> None:
    """The one job of c has to go on the node that is full; on the other, b's would do with what is free there."""
    pool = Pool([4, 2, 4])
    for queue, node in [("c", 1), ("b", 2), ("c", 2), ("c", 1), ("c", 2), ("c", 0), ("c", 2), ("b", 0), ("c", 0)]:
        pool.add(queue, [node], 100)
    found = found_by(waiting(pool.world(), "a", 2, 200), Budget({"b": 300, "c": 100}))
    assert names(found) == ["j7", "j1", "j6"]


def test_a_gang_that_needs_several_full_nodes_has_them() -> None:
    found = found_by(waiting(FULL.world(), "a", 2, 200), Budget({"b": 200, "c": 200}))
    assert names(found) == ["j5", "j2", "j4", "j1"]
    assert found is not None
    assert len({spot.row for spot in found.spots}) == 2


def test_what_a_gang_frees_on_all_its_nodes_is_used_before_anybody_else_is_stopped() -> None:
    pool = Pool([2, 2, 2])
    pool.add("b", [2], 200)
    pool.add("b", [0, 0, 1, 1], 100)
    found = found_by(waiting(pool.world(), "a", 2, 200), Budget({"b": 1000}))
    assert names(found) == ["j1"]


def test_of_two_nodes_that_a_gang_frees_the_one_is_used_where_fewer_others_go() -> None:
    pool = Pool([3, 3])
    pool.add("b", [0, 1], 100)
    pool.add("b", [0], 100)
    pool.add("b", [0], 100)
    pool.add("b", [1], 200)
    world = waiting(pool.world(), "a", 1, 300)
    facts = [
        JobChanged(replace(event.job, priority=20)) if isinstance(event, JobChanged) and event.job.id == "j0" else event
        for event in world.facts
    ]
    assert names(found_by(World(*facts), Budget({"b": 1000}))) == ["j3", "j0"]


def _with_devices(task: Task, profile: str) -> Task:
    return replace(task, request=replace(task.request, base=Vector(0, 1000, GIB, 1), extended=((profile, 1),)))


@pytest.mark.parametrize(("asked", "wanted"), [("nvidia.com/mig-1g.10gb", ["small"]), ("example.com/fpga", ["card"])])
def test_other_resources_and_mig_devices_are_freed_by_who_holds_them(asked: str, wanted: list[str]) -> None:
    world = World().queue("a", 9).queue("b", 0)
    offers = {"nvidia.com/mig-1g.10gb": 1, "example.com/fpga": 1}
    room = Vector(0, 64_000, 512 * GIB, 110)
    node = Node("n1", "default", room, extended=offers, mig="mixed")
    facts: list[NodeChanged | JobChanged | TaskChanged] = [NodeChanged(node)]
    for name, profile, where in [
        ("card", "example.com/fpga", "n1"),
        ("small", "nvidia.com/mig-1g.10gb", "n1"),
        ("x", asked, None),
    ]:
        queue = "a" if where is None else "b"
        facts.append(JobChanged(Job(name, "here", name, queue, priority=90 if where is None else 10)))
        facts.append(TaskChanged(_with_devices(_pod(name, name, 100, where), profile)))
    assert names(found_by(World(*world.facts, *facts), Budget({"b": 1000}))) == wanted


def test_through_the_front_door_each_victim_says_for_whom_it_goes() -> None:
    pool = Pool([2, 2])
    for node in (0, 0, 1, 1):
        pool.add("b", [node], 100)
    plan = decide(
        (state := waiting(pool.world(), "b", 2, 200).state()), 0.0, SchedulingSettings(consolidating_reclaim=False)
    )
    assert check(state, plan) == []
    assert {(evict.task, evict.for_job, evict.action) for evict in plan.evictions} == {
        (f"j{number}-0", "gang", "preempt") for number in range(4)
    }
    assert {nominate.node for nominate in plan.nominations} == {"n0", "n1"}


@pytest.mark.parametrize(("limit", "gone"), [(5, 0), (4, 1), (3, 2), (2, 3), (1, None)])
def test_a_queue_at_its_limit_loses_as_much_as_it_has_to_though_there_is_room(limit: int, gone: int | None) -> None:
    pool = Pool([8])
    for _ in range(3):
        pool.add("b", [0], 100)
    found = found_by(waiting(pool.world(), "b", 1, 200).queue("b", 0, limit=limit), Budget({"b": 1000}))
    assert (None if found is None else len(found.units)) == gone


RULES: dict[str, Callable[[Counter[str]], bool]] = {
    "as much of both": as_much_of_both,
    "an odd number of GPUs of one": lambda taken: taken["b"] // GPU % 2 == 1,
    "just five GPUs of one": lambda taken: taken["c"] == 5 * GPU,
}


@often
@given(
    st.lists(st.tuples(st.sampled_from("bc"), st.sampled_from([100, 200])), min_size=13, max_size=18),
    st.integers(1, 12),
    st.sampled_from(sorted(RULES)),
)
def test_of_many_that_are_alike_it_finds_those_that_please(jobs: list[tuple[str, int]], need: int, rule: str) -> None:
    """More than twelve, of which sixty-five thousand sets and more could be made; of how many of each kind, few."""
    pool = Pool([sum(size for _, size in jobs) // 100])
    for queue, size in jobs:
        pool.add(queue, [0], size)
    there = sorted(Counter(jobs).items())
    helps = any(
        _makes_room([(size, go) for ((_, size), _), go in zip(there, many, strict=True)], need * GPU)
        and RULES[rule](_taken({kind: go for (kind, _), go in zip(there, many, strict=True)}))
        for many in product(*(range(count + 1) for _, count in there))
    )
    found = found_by(waiting(pool.world(), "a", 1, need * GPU), Budget({"b": 10_000, "c": 10_000}, RULES[rule]))
    assert (found is not None) == helps


def _makes_room(going: Sequence[tuple[int, int]], need: int) -> bool:
    """Whether these make room, sizes and how many, and none of them could be left out."""
    freed = sum(size * go for size, go in going)
    return freed >= need > freed - min((size for size, go in going if go), default=0)


def _taken(going: Mapping[tuple[str, int], int]) -> Counter[str]:
    taken = Counter({"b": 0, "c": 0})
    for (queue, size), go in going.items():
        taken[queue] += go * size
    return taken
