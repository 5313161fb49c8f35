"""Near to some tasks and far from others: inter-pod affinity and anti-affinity."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aliquot.core.quantities import Request, Vector
from aliquot.core.scheduling import (
    ClusterState,
    EvictionStarted,
    JobChanged,
    NodeChanged,
    TaskChanged,
    TaskRemoved,
    check,
    decide,
)
from aliquot.core.scheduling.facts import Affinity, Job, Node, PodTerm, Requirement, Task, TaskState
from aliquot.core.scheduling.placement.ranking import Placer
from aliquot.core.scheduling.state.draft import Draft
from tests.core.scheduling.world import GIB, GPU, World, carry_out, outline, until_settled

HOST, ZONE = "kubernetes.io/hostname", "zone"
ZONES = {"n1": "a", "n2": "a", "n3": "b", "n4": "b"}


def cluster(gpus: int = 4, *, without_zone: str = "") -> World:
    """Nodes n1 and n2 in zone a, n3 and n4 in zone b."""
    world = World().queue("a", 64)
    for name, zone in ZONES.items():
        labels = {HOST: name} if name == without_zone else {HOST: name, ZONE: zone}
        world = world.node(name, gpus=gpus, labels=labels)
    return world


def like(app: str, key: str = HOST, *namespaces: str) -> PodTerm:
    """Tasks with the label `app`; without namespaces, those of the task's own."""
    return PodTerm((Requirement("app", "In", (app,)),), key, namespaces)


def job(
    name: str,
    app: str = "",
    affinity: Affinity = Affinity(),
    *,
    on: str | None = None,
    pods: int = 1,
    together: int = 1,
    namespace: str = "here",
    state: TaskState | None = None,
    gpus: int = 1,
    labels: Mapping[str, str] | None = None,
    created: float = 0,
) -> World:
    """A job, called and labelled so; its tasks run `on` a node or wait."""
    names = [name] if pods == 1 else [f"{name}-{number}" for number in range(pods)]
    runs = TaskState.PENDING if on is None else TaskState.RUNNING
    needs = Request(Vector(gpus * GPU, 1000, GIB, 1))
    shown = {"app": app, **(labels or {})} if app else labels or {}
    return World(
        JobChanged(Job(name, namespace, name, "a", min_member=together, created=created)),
        *(
            TaskChanged(Task(n, name, namespace, n, needs, state or runs, on, affinity=affinity, labels=shown))
            for n in names
        ),
    )


def state_of(*worlds: World) -> ClusterState:
    return World(*(fact for world in worlds for fact in world.facts)).state()


def far(*terms: PodTerm) -> Affinity:
    return Affinity(far_required=terms)


def near(*terms: PodTerm) -> Affinity:
    return Affinity(near_required=terms)


WEB = job("web", "web", on="n3")
CASES: dict[str, tuple[tuple[World, ...], str]] = {
    # far
    "packing would put it beside": ((WEB, job("j")), "bind j on n3"),
    "far from a node's task": ((WEB, job("j", "", far(like("web")))), "bind j on n1"),
    "far from a zone's": (
        (WEB, job("x", "x", on="n4", gpus=3), job("j", "", far(like("web", ZONE)))),
        "bind j on n1",
    ),
    "far from others than are there": ((WEB, job("j", "", far(like("db")))), "bind j on n3"),
    "far from those of another namespace": ((WEB, job("j", "", far(like("web")), namespace="there")), "bind j on n3"),
    "that are named": ((WEB, job("j", "", far(like("web", HOST, "here")), namespace="there")), "bind j on n1"),
    "or all": ((WEB, job("j", "", far(like("web", HOST, "*")), namespace="there")), "bind j on n1"),
    "whoever is there wants none like it near": (
        (job("web", "web", far(like("j")), on="n3"), job("j", "j")),
        "bind j on n1",
    ),
    "but bears others": ((job("web", "web", far(like("j")), on="n3"), job("j", "k")), "bind j on n3"),
    "also by their lacking a label": (
        (job("web", "web", far(PodTerm((Requirement("app", "DoesNotExist"),), HOST, ())), on="n3"), job("j")),
        "bind j on n1",
    ),
    "or whoever they are": ((job("web", "web", far(PodTerm((), HOST, ("*",))), on="n3"), job("j")), "bind j on n1"),
    "a node without the label is far from everywhere": (
        (
            cluster(without_zone="n4"),
            job("w1", "web", on="n1"),
            job("w2", "web", on="n3"),
            job("j", "", far(like("web", ZONE))),
        ),
        "bind j on n4",
    ),
    "a gang whose tasks keep off one another": (
        (job("g", "g", far(like("g")), pods=4, together=4),),
        "bind g-0 on n1; bind g-1 on n2; bind g-2 on n3; bind g-3 on n4",
    ),
    "and is too large": ((job("g", "g", far(like("g")), pods=5, together=5),), "wait g: NotEnoughResources"),
    "one of each zone": (
        (job("g", "g", far(like("g", ZONE)), pods=2, together=2),),
        "bind g-0 on n1; bind g-1 on n3",
    ),
    "a stopping task keeps others off until it has gone": (
        (
            *(job(f"w{n}", "web", on=f"n{n}", state=TaskState.TERMINATING) for n in (1, 2, 3, 4)),
            job("j", "", far(like("web"))),
        ),
        "nominate j on n1; wait j: WaitingForEviction",
    ),
    # near
    "near to a node's task": ((WEB, job("j", "", near(like("web")))), "bind j on n3"),
    "or to a zone's": (
        (job("web", "web", on="n3", gpus=4), job("j", "", near(like("web", ZONE)))),
        "bind j on n4",
    ),
    "near to a node that is full": (
        (job("web", "web", on="n3", gpus=4), job("j", "", near(like("web")))),
        "wait j: NotEnoughResources",
    ),
    "near to nobody": ((job("j", "", near(like("web"))),), "wait j: NotEnoughResources"),
    "near to its like, of whom it is the first": ((job("j", "j", near(like("j", ZONE))),), "bind j on n1"),
    "near to its like, of whom there are some": (
        (job("i", "j", on="n4"), job("x", "x", on="n1"), job("j", "j", near(like("j", ZONE)))),
        "bind j on n4",
    ),
    "the first needs the label, too": (
        (job("x", "", on="n1", gpus=3), cluster(without_zone="n1"), job("j", "j", near(like("j", ZONE)))),
        "bind j on n2",
    ),
    "a gang in one place, and not in the fullest, where it has no room": (
        (job("x", "", on="n1", gpus=2), job("g", "g", near(like("g")), pods=3, together=3)),
        "bind g-0 on n2; bind g-1 on n2; bind g-2 on n2",
    ),
    "a gang in one zone": (
        (job("x", "", on="n1", gpus=3), job("g", "g", near(like("g", ZONE)), pods=6, together=6)),
        "bind g-0 on n3; bind g-1 on n3; bind g-2 on n3; bind g-3 on n3; bind g-4 on n4; bind g-5 on n4",
    ),
    "a gang that no place has room for": (
        (job("g", "g", near(like("g")), pods=5, together=5),),
        "wait g: NotEnoughResources",
    ),
    "near to two kinds": (
        (WEB, job("db", "db", on="n4"), job("j", "", near(like("web", ZONE), like("db")))),
        "bind j on n4",
    ),
    "near to one and far from another": (
        (WEB, job("db", "db", on="n3"), job("j", "", Affinity((), (), (like("web", ZONE),), (), (like("db"),)))),
        "bind j on n4",
    ),
    "who stops is no company": (
        (job("web", "web", on="n3", state=TaskState.TERMINATING), job("j", "", near(like("web")))),
        "wait j: NotEnoughResources",
    ),
    # wishes
    "rather near": (
        (job("x", "x", on="n1"), WEB, job("j", "", Affinity(near_preferred=((1, like("web")),)))),
        "bind j on n3",
    ),
    "rather near, but there is no room": (
        (job("web", "web", on="n3", gpus=4), job("j", "", Affinity(near_preferred=((1, like("web")),)))),
        "bind j on n1",
    ),
    "rather far": ((WEB, job("j", "", Affinity(far_preferred=((1, like("web")),)))), "bind j on n1"),
    "rather near to many": (
        (
            job("w1", "web", on="n2"),
            job("w2", "web", on="n4", pods=2),
            job("j", "", Affinity(near_preferred=((1, like("web")),))),
        ),
        "bind j on n4",
    ),
    "the heavier wish": (
        (
            job("w1", "web", on="n2"),
            job("db", "db", on="n4"),
            job("j", "", Affinity(near_preferred=((3, like("web")), (4, like("db"))))),
        ),
        "bind j on n4",
    ),
}


@pytest.mark.parametrize(("worlds", "wanted"), CASES.values(), ids=CASES)
def test_affinity_to_tasks(worlds: tuple[World, ...], wanted: str) -> None:
    assert outline(state_of(cluster(), *worlds)) == wanted


def test_jobs_that_start_in_one_round_see_one_another() -> None:
    state = state_of(
        cluster(),
        job("a1", "web", created=1),
        job("b1", "db", far(like("web", ZONE)), created=2),
        job("c1", "", near(like("db")), created=3),
        job("d1", "", far(like("db", ZONE)), created=4),
    )
    assert outline(state) == "bind a1 on n1; bind b1 on n3; bind c1 on n3; bind d1 on n1"


def test_a_label_counts_from_when_somebody_asks_for_it() -> None:
    """Two jobs of one shape part when a term tells them apart, and are one shape again afterwards."""
    state = state_of(cluster(gpus=1), job("x", "x"), job("y", "y"))
    assert [len(groups) for groups in state.waiting().groups.values()] == [1]
    for event in job("web", "web", far(like("y", "zone")), on="n1").facts:
        state.apply(event)
    assert check(state) == []
    assert [len(groups) for groups in state.waiting().groups.values()] == [2]
    assert outline(state) == "bind x on n2; bind y on n3"
    state.apply(TaskRemoved("web"))
    assert [len(groups) for groups in state.waiting().groups.values()] == [1]


def test_who_is_evicted_makes_room_for_those_who_must_be_far() -> None:
    state = state_of(cluster(), job("web", "web", on="n1"), job("j", "", far(like("web", ZONE))))
    state.apply(EvictionStarted("web", "j"))
    draft = Draft(state.pool("default"))
    shape = draft.shape(state.tasks()["j"].fact)
    there = draft.nodes.row["n1"]
    assert not Placer(draft).ranking(shape, now=True).fits(there)
    assert Placer(draft).ranking(shape, now=False).fits(there)


def test_a_release_in_the_draft_lets_others_in_later_and_rollback_takes_it_back() -> None:
    state = state_of(cluster(), job("web", "web", on="n1"), job("j", "", far(like("web", ZONE))))
    draft = Draft(state.pool("default"))
    placer, shape, row = Placer(draft), draft.shape(state.tasks()["j"].fact), draft.nodes.row["n1"]
    mark = draft.checkpoint()
    assert not placer.ranking(shape, now=False).fits(row)
    draft.release(row, state.tasks()["web"].fact)
    assert placer.ranking(shape, now=False).fits(row)
    assert not placer.ranking(shape, now=True).fits(row)
    draft.rollback(mark)
    assert not placer.ranking(shape, now=False).fits(row)


def test_room_that_is_not_there_yet_because_nobody_is_near_is_not_ruled_out() -> None:
    state = state_of(cluster(), job("j", "", near(like("web"))))
    draft = Draft(state.pool("default"))
    shape = draft.shape(state.tasks()["j"].fact)
    assert Placer(draft).might_fit(((shape, 1),))
    assert Placer(draft).place(((shape, 1),), now=True) is None


def test_company_that_has_only_been_promised_room_is_not_there_yet() -> None:
    """`y` comes to n1 when the one that stops there has gone; `x` must be near to a y that is there and stays."""
    state = state_of(
        cluster(),
        job("x0", "x", Affinity(), on="n1"),
        job("old", "y", far(like("y", HOST)), on="n1", state=TaskState.TERMINATING),
        job("y", "y", near(like("x", HOST)), created=1),
        job("x", "x", near(like("y", HOST)), created=2),
    )
    plan = decide(state, 0.0)
    assert [bind.task for bind in plan.binds] == []
    assert {nominate.task for nominate in plan.nominations} == {"y", "x"}


# Random clusters against the rule itself


@dataclass(frozen=True)
class Placed:
    """A task on a node, as the rule sees it."""

    task: Task
    labels: Mapping[str, str]

    def meets(self, term: PodTerm, of: Task) -> bool:
        spaces = term.namespaces or (of.namespace,)
        values = {each.key: each.values for each in term.selector}
        return self.task.namespace in spaces and all(self.task.labels.get(k) in v for k, v in values.items())


def is_near(one: Placed, node: Mapping[str, str], term: PodTerm) -> bool:
    return term.topology_key in node and one.labels.get(term.topology_key) == node[term.topology_key]


def allowed(task: Task, node: Mapping[str, str], there: Iterable[Placed], stay: Iterable[Placed]) -> bool:
    """Whether the rule lets the task onto a node with these labels."""
    me, there, stay = Placed(task, node), list(there), list(stay)
    for other in there:
        if any(other.meets(term, task) and is_near(other, node, term) for term in task.affinity.far_required):
            return False
        theirs = other.task.affinity.far_required
        if any(me.meets(term, other.task) and is_near(other, node, term) for term in theirs):
            return False
    for term in task.affinity.near_required:
        some = [other for other in stay if other.meets(term, task) and term.topology_key in other.labels]
        begins = not some and me.meets(term, task) and term.topology_key in node
        if not begins and not any(is_near(other, node, term) for other in some):
            return False
    return True


terms = st.builds(like, st.sampled_from(["x", "y"]), st.sampled_from([HOST, ZONE, "none"]))
few = st.lists(terms, max_size=1).map(tuple)
affinities = st.builds(Affinity, near_required=few, far_required=few) | st.just(Affinity())
jobs = st.lists(
    st.tuples(
        st.sampled_from(["x", "y", ""]),
        affinities,
        st.sampled_from([None, None, "n1", "n2", "n3"]),
        st.integers(1, 3),
        st.booleans(),
    ),
    min_size=1,
    max_size=7,
)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(jobs)
def test_nobody_is_placed_against_the_rule_and_nobody_waits_who_could_go(
    wanted: list[tuple[str, Affinity, str | None, int, bool]],
) -> None:
    worlds = [cluster(gpus=20, without_zone="n2")]
    for number, (app, affinity, on, pods, stops) in enumerate(wanted):
        state = TaskState.TERMINATING if stops and on else None
        worlds.append(job(f"j{number}", app, affinity, on=on, pods=pods, together=pods, state=state, created=number))
    state = state_of(*worlds)
    labels = {name: node.labels for name, node in state.pool("default").nodes.nodes.items()}

    def there(*, stay: bool) -> list[Placed]:
        return [
            Placed(record.fact, labels[record.node])
            for record in state.tasks().values()
            if record.node is not None and (record.state.active or (not stay and record.state.uses_node))
        ]

    for _ in range(12):
        plan = decide(state, 0.0)
        assert check(state, plan) == []
        now, stay = there(stay=False), there(stay=True)
        for bind in plan.binds:
            task = state.tasks()[bind.task].fact
            assert allowed(task, labels[bind.node], now, stay), bind
            now.append(Placed(task, labels[bind.node]))
            stay.append(now[-1])
        if not (plan.binds or plan.nominations):
            break
        carry_out(state, plan)
    now, stay = there(stay=False), there(stay=True)
    for waiting in decide(state, 0.0).waiting:
        tasks = [record.fact for record in state.tasks_of(waiting.job).values()]
        if len(tasks) == 1:
            assert not any(allowed(tasks[0], node, now, stay) for node in labels.values()), waiting


shapes = st.sampled_from(
    [
        Task("", "", "here", "", Request(Vector(GPU, 0, 0, 1)), affinity=affinity, labels={"app": app})
        for app in ("x", "y", "z")
        for affinity in (
            Affinity(),
            far(like("x")),
            far(like("y", ZONE)),
            near(like("x", ZONE)),
            Affinity(near_preferred=((2, like("x")),), far_preferred=((1, like("y", ZONE)),)),
        )
    ]
)
moves = st.lists(
    st.tuples(st.sampled_from(["take", "take", "release", "mark", "roll back"]), shapes, st.booleans()), max_size=15
)


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(moves)
def test_scores_that_follow_a_draft_are_those_made_anew(wanted: list[tuple[str, Task, bool]]) -> None:
    apps = ("x", "y", "z")
    there = [job(f"r{n}", app, far(like("y")) if n % 2 else Affinity(), on=f"n{n + 1}") for n, app in enumerate(apps)]
    asking = [job(f"w{n}", "", Affinity(far_required=(like(app), like(app, ZONE)))) for n, app in enumerate(apps)]
    state = state_of(cluster(), *there, *asking)
    draft = Draft(state.pool("default"))
    kept, marks, running = Placer(draft), list[int](), [state.tasks()[f"r{n}"].fact for n in range(3)]
    for what, task, now in wanted:
        shape = draft.shape(task)
        fresh = Placer(draft).ranking(shape, now=now)
        best = fresh.best()
        assert kept.ranking(shape, now=now).best() == best
        assert [kept.ranking(shape, now=now).fits(row) for row in range(4)] == [fresh.fits(row) for row in range(4)]
        if what == "take" and best is not None:
            draft.take(best, shape.request, now=now, company=shape.company)
        elif what == "release" and running and not marks:
            gone = running.pop()
            draft.release(draft.nodes.row[gone.node or ""], gone)
        elif what == "mark":
            marks.append(draft.checkpoint())
        elif what == "roll back" and marks:
            draft.rollback(marks.pop())


def test_a_cluster_with_affinity_settles() -> None:
    state = state_of(
        cluster(),
        *(job(f"w{n}", "web", far(like("web", ZONE)), created=n) for n in range(3)),
        *(job(f"c{n}", "", near(like("web")), created=10 + n) for n in range(3)),
    )
    assert len(until_settled(state)) == 1
    assert outline(state) == "wait w2: NotEnoughResources"


def test_who_is_where_follows_every_event() -> None:
    """The index of tasks by label is kept by events; `check` compares it with the tasks."""
    state = state_of(cluster(), WEB, job("j", "", far(like("web"))), job("k", "web", far(like("j")), on="n1"))
    decide(state, 0.0)
    task = state.tasks()["web"].fact
    for event in (
        TaskChanged(replace(task, labels={"app": "db"})),
        TaskChanged(replace(task, state=TaskState.TERMINATING)),
        NodeChanged(Node("n3", "other", Vector(4 * GPU, 64_000, GIB, 10))),
        TaskRemoved("web"),
        TaskRemoved("k"),
    ):
        state.apply(event)
        assert check(state) == []
        decide(state, 0.0)
