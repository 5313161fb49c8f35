"""A dumped state is replayed: the document makes the plan that the state made."""

import json
import random
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aliquot.core.quantities import MIG_PREFIX, GpuPart, Request, Vector
from aliquot.core.scheduling import (
    ClusterState,
    Event,
    EvictionStarted,
    Granted,
    JobChanged,
    NodeChanged,
    NodeRemoved,
    Plan,
    Promised,
    QueueChanged,
    SchedulingSettings,
    TaskChanged,
    TaskRemoved,
    decide,
)
from aliquot.core.scheduling.facts import (
    Affinity,
    Group,
    Job,
    Node,
    NodeTerm,
    PodSet,
    PodTerm,
    Queue,
    Requirement,
    Share,
    Task,
    TaskState,
    Topology,
)
from aliquot.core.simulation import document_from, document_of, load, plain, world_of
from tests.core.scheduling.world import World
from tests.core.simulation.documents import document

NOW = 1_700_000_000.25


def with_uids(events: tuple[Event, ...], seed: int) -> list[Event]:
    """The same facts as in a live cluster: ids are uids, and some jobs share a name."""
    luck = random.Random(seed)
    numbers = luck.sample(range(1000), 1000)

    def uid(name: str) -> str:
        return f"uid-{numbers[sum(map(ord, name)) * 31 % 1000]}-{name}"

    def name_of(name: str) -> str:
        return "same" + name[2:] if name.startswith(("j1", "j2")) else name

    found: list[Event] = []
    for event in events:
        match event:
            case JobChanged(job):
                found.append(JobChanged(replace(job, id=uid(job.id), name=name_of(job.name))))
            case TaskChanged(task):
                created = task.created + luck.choice([0, 0, 0.5])
                ids = replace(task, id=uid(task.id), job=uid(task.job), name=name_of(task.name), created=created)
                found.append(TaskChanged(ids))
            case _:
                found.append(event)
    return found


def names(state: ClusterState) -> dict[str, str]:
    """What the jobs and tasks of a state are called in its document."""
    found: dict[str, str] = {}
    alive = [record.fact for record in state.tasks().values() if record.state is not TaskState.ENDED]
    tasks = {task.id: task.name for task in alive}
    jobs = {task.job: state.jobs()[task.job].name for task in alive}
    for called in (jobs, tasks):
        counts = Counter(called.values())
        found |= {each: name if counts[name] == 1 else f"{name}#{each}" for each, name in called.items()}
    return found


def in_names(plan: Plan, called: dict[str, str]) -> list[Any]:
    """A plan with names in place of ids."""
    return [
        [(called[bind.task], bind.node, bind.devices, bind.over_quota, bind.queue_gpu_percent) for bind in plan.binds],
        [(called[nominate.task], nominate.node) for nominate in plan.nominations],
        [(called[evict.task], called[evict.for_job], evict.action, evict.moves) for evict in plan.evictions],
        [(called[waiting.job], waiting.reason) for waiting in plan.waiting],
    ]


def through_json(state: ClusterState, options: SchedulingSettings) -> ClusterState:
    """The state of the document that was dumped of a state."""
    text = json.dumps(plain(document_of(state, NOW, options)))
    world = world_of(load(text.encode()))
    assert world.settings == options
    return ClusterState.rebuild(world.events)


def replayed(state: ClusterState, options: SchedulingSettings = SchedulingSettings()) -> list[Any]:
    """The plan that comes of the dumped state."""
    again = through_json(state, options)
    return in_names(decide(again, 0.0, options), names(again))


def books(state: ClusterState) -> list[Any]:
    """What is free, held and asked for."""
    nodes = state.pool("default").nodes
    rows = sorted(nodes.row.items())
    room = [
        (name, nodes.free[row].tolist(), nodes.releasing[row].tolist(), nodes.shared.get(row)) for name, row in rows
    ]
    return [room, [(name, state.usage(pool, name)) for pool, name in state.queue_names()]]


@given(seed=st.integers(0, 1 << 32), parts=st.booleans(), steps=st.integers(0, 8))
@settings(deadline=None)
@example(13131406, True, 5)  # two tasks that differ in nothing but their ids and names
def test_a_replayed_dump_makes_the_same_plan(seed: int, parts: bool, steps: int) -> None:
    luck = random.Random(seed)
    world = world_of(document_from(document(seed, parts=parts)))
    state = ClusterState.rebuild(with_uids(world.events, seed))
    for _ in range(steps):  # some of the plan is on its way, and some of what stops has gone
        plan = decide(state, NOW, world.settings)
        events: list[Event] = [Granted(bind.task, bind.node, bind.devices) for bind in plan.binds]
        events += [EvictionStarted(evict.task, evict.for_job) for evict in plan.evictions]
        stopping = [record.fact for record in state.tasks().values() if record.state is TaskState.TERMINATING]
        events += [TaskRemoved(task.id) for task in stopping]
        if not events:
            break
        for event in luck.sample(events, luck.randint(1, len(events))):
            state.apply(event)
    again = through_json(state, world.settings)
    assert books(again) == books(state)
    plans = decide(state, NOW, world.settings), decide(again, 0.0, world.settings)
    assert in_names(plans[1], names(again)) == in_names(plans[0], names(state))


def test_promises_are_remembered() -> None:
    """`second` is older, and yet the room goes to the job that others were stopped for."""
    world = World().node("n1", gpus=1).queue("a", 1).queue("b", 1)
    world = world.job("first", "a", created=5).job("second", "b", created=1)
    state = world.state()
    state.apply(Promised("first", "n1"))
    assert decide(state, NOW).outline().startswith("bind first on n1")
    assert replayed(state)[0] == [("first", "n1", (), False, 100)]


def test_what_is_asked_of_the_api_server_counts_as_done() -> None:
    world = World().node("n1", gpus=2).queue("a", 1).queue("b", 1)
    world = world.job("new", "a").job("old", "b", on="n1").job("next", "a")
    state = world.state()
    state.apply(Granted("new", "n1"))
    state.apply(EvictionStarted("old", "next"))
    tasks = {task.name: task for job in document_of(state, NOW, SchedulingSettings()).jobs for task in job.tasks}
    assert (tasks["new"].state, tasks["new"].node) == ("Bound", "n1")
    assert (tasks["old"].state, tasks["old"].node, tasks["old"].makes_room_for) == ("Terminating", "n1", "next")


FACTS = (
    Node(
        "n1",
        "default",
        Vector(800, 64500, 1 << 39, 110),
        {"zone": "z1"},
        device_memory_mib=81559,
        extended={MIG_PREFIX + "1g.10gb": 7, "example.com/fpga": 2},
        mig="mixed",
    ),
    Queue("d", "default", gpu=Share(650, 700, 2.0, 0.25), priority=50, preempt_min_runtime_seconds=60.0),
    Queue("q", "default", "d", cpu=Share(1500), memory=Share(1 << 40, 1 << 41), created=5.0),
    Job(
        "g",
        "here",
        "g",
        "q",
        priority=75,
        preemptible=False,
        min_member=3,
        created=7.5,
        group=Group(
            "",
            Topology(("zone", "rack"), preferred="rack", name="racks"),
            (PodSet("leader"),),
            (Group("w", None, (PodSet("workers", 2, Topology(("zone", "rack"), "rack", name="racks")),)),),
        ),
        last_started=999_999_000.0,
        stale_since=999_999_990.0,
    ),
    Task(
        "g-0", "g", "here", "g-0", Request(Vector(0, 500, 1 << 30, 1), GpuPart(25, 0, 2)), pod_set="leader", priority=9
    ),
    Task(
        "g-1",
        "g",
        "here",
        "g-1",
        Request(Vector(0, 0, 0, 1), extended=((MIG_PREFIX + "1g.10gb", 2),)),
        pod_set="workers",
        labels={"app": "x"},
        affinity=Affinity(
            node_required=(NodeTerm((Requirement("zone", "In", ("z1", "z2")),), ()),),
            node_preferred=((5, NodeTerm((), (Requirement("metadata.name", "NotIn", ("n2",)),))),),
            near_required=(PodTerm((Requirement("app", "In", ("x",)),), "zone", ("here",)),),
            far_required=(PodTerm((Requirement("app", "Exists"),), "kubernetes.io/hostname", ("*",)),),
            far_preferred=((100, PodTerm((), "zone", ("there", "here"))),),
        ),
    ),
    Task("g-2", "g", "here", "g-2", Request(Vector(0, 0, 0, 1), GpuPart(memory_mib=5000)), pod_set="workers"),
)


def test_every_fact_comes_back() -> None:
    changes: list[Event] = []
    for fact in FACTS:
        match fact:
            case Node():
                changes.append(NodeChanged(fact))
            case Queue():
                changes.append(QueueChanged(fact))
            case Job():
                changes.append(JobChanged(fact))
            case Task():
                changes.append(TaskChanged(replace(fact, created=7.5)))
    options = SchedulingSettings("spread", "binpack", ("allocate", "preempt"), -1.0, 3, False, 0.5)
    text = json.dumps(plain(document_of(ClusterState.rebuild(changes), 1e9, options)))
    world = world_of(load(text.encode()))
    assert world.settings == options
    for before, after in zip(changes, world.events, strict=True):
        assert after == before


CLUSTERS_OWN = {"fabric": ("block", "host"), "racks": ("zone", "rack")}


@pytest.mark.parametrize(
    "topology",
    [
        Topology(("zone", "rack"), "rack", name="racks"),
        Topology(("zone", "rack"), "rack"),
        Topology(("cage",), "cage"),
        Topology(("zone", "rack"), "cage", "rack", "racks"),
        Topology((), "rack", None, "moon", ("fabric", "racks")),
    ],
    ids=["named", "not named", "no topology's", "without such a level", "not there"],
)
def test_topologies_are_listed_and_who_waits_for_one_waits_in_the_replay(topology: Topology) -> None:
    world = World().node("n1", gpus=1, labels={"zone": "z", "rack": "r1"}).queue("a", 9)
    world = world.node("n2", gpus=1, labels={"zone": "z", "rack": "r2"}).job("next", "a")
    group = Group(topology=topology, pod_sets=(PodSet("default", 2),))
    state = world.gang("g", "a", group, {"default": 2}).state()
    written = document_of(state, NOW, SchedulingSettings(), topologies=CLUSTERS_OWN)
    assert {each.name: tuple(each.levels) for each in written.topologies}.items() >= CLUSTERS_OWN.items()
    again = ClusterState.rebuild(world_of(load(json.dumps(plain(written)).encode())).events)
    plan = in_names(decide(again, 0.0), names(again))
    assert plan == in_names(decide(state, NOW), names(state))
    assert [job for job, _ in plan[3]] == ["g"]
    assert len(plan[0]) == 1, "everybody else goes on"


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param([NodeRemoved("n1")], id="a node is gone with tasks on it"),
        pytest.param([NodeChanged(Node("n1", "default", Vector()))], id="a node has lost its devices"),
        pytest.param([QueueChanged(Queue("b", "default", "not-there"))], id="a parent that is not there"),
        pytest.param([JobChanged(Job("old", "here", "old", "gone"))], id="a job whose queue is gone"),
        pytest.param([JobChanged(Job("new", "here", "new", "a", min_member=3))], id="a gang that lacks pods"),
        pytest.param([JobChanged(Job("old", "here", "old", "b", min_member=3))], id="a running gang that lacks pods"),
        pytest.param([JobChanged(Job("empty", "here", "empty", "a"))], id="a job without tasks"),
        pytest.param([NodeChanged(Node("n2", "other", Vector(800, 8000, 1 << 33, 9)))], id="another node pool"),
        pytest.param(
            [NodeChanged(Node("n1", "default", Vector(2**50, 2**50, 2**50, 2**50)))], id="amounts that cannot be read"
        ),
    ],
)
def test_odd_live_states_can_be_dumped_and_replayed(spoil: list[Event]) -> None:
    world = World().node("n1", gpus=1).queue("a", 1).queue("b", 0).job("old", "b", on="n1").job("new", "a")
    state = world.job("theirs", None, gpus=0, on="n1").state()
    for event in spoil:
        state.apply(event)
    assert _codes(replayed(state)) == _codes(in_names(decide(state, NOW), names(state)))


def _codes(plan: list[Any]) -> list[Any]:
    """The plan without the numbers of its reasons: the stand-in of a node that is gone is counted there."""
    return [*plan[:3], [(job, reason.code) for job, reason in plan[3]]]
