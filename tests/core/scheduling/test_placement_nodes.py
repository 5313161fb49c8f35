"""Which nodes a task may use, and which of them it would rather have, by labels, names and MIG strategy."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import pytest

from aliquot.core.quantities import GpuPart, Request, Vector
from aliquot.core.scheduling import ClusterState, JobChanged, NodeChanged, TaskChanged
from aliquot.core.scheduling.facts import Affinity, Job, Node, NodeTerm, Requirement, Task
from aliquot.core.scheduling.state.affinity import suits
from aliquot.core.scheduling.state.shapes import TaskShape
from tests.core.scheduling.world import GIB, GPU, World, outline

ZONE_A = {"zone": "a", "cores": "64", "odd": "64k"}


def labels(*conditions: tuple[str, str, tuple[str, ...]]) -> NodeTerm:
    return NodeTerm(labels=tuple(Requirement(*condition) for condition in conditions))


def on_name(operator: str, *values: str) -> NodeTerm:
    return NodeTerm(fields=(Requirement("metadata.name", operator, values),))


TERMS: dict[str, tuple[NodeTerm, bool]] = {
    "In: one of the values": (labels(("zone", "In", ("b", "a"))), True),
    "In: none of the values": (labels(("zone", "In", ("b", "c"))), False),
    "In: without the label": (labels(("rack", "In", ("1",))), False),
    "NotIn: one of the values": (labels(("zone", "NotIn", ("a",))), False),
    "NotIn: none of the values": (labels(("zone", "NotIn", ("b",))), True),
    "NotIn: without the label": (labels(("rack", "NotIn", ("1",))), True),
    "Exists: there": (labels(("zone", "Exists", ())), True),
    "Exists: not there": (labels(("rack", "Exists", ())), False),
    "DoesNotExist: there": (labels(("zone", "DoesNotExist", ())), False),
    "DoesNotExist: not there": (labels(("rack", "DoesNotExist", ())), True),
    "Gt: more": (labels(("cores", "Gt", ("63",))), True),
    "Gt: as many": (labels(("cores", "Gt", ("64",))), False),
    "Lt: fewer": (labels(("cores", "Lt", ("65",))), True),
    "Lt: as many": (labels(("cores", "Lt", ("64",))), False),
    "Lt: a negative number": (labels(("cores", "Gt", ("-1",))), True),
    "Gt: by number, not by text": (labels(("cores", "Gt", ("9",))), True),
    "Gt: the label is no number": (labels(("odd", "Gt", ("1",))), False),
    "Gt: the value is no number": (labels(("cores", "Gt", ("many",))), False),
    "Gt: without a value": (labels(("cores", "Gt", ())), False),
    "Gt: without the label": (labels(("rack", "Gt", ("1",))), False),
    "an operator that nobody knows": (labels(("zone", "Near", ("a",))), False),
    "all conditions hold": (labels(("zone", "Exists", ()), ("cores", "In", ("64",))), True),
    "one of the conditions does not": (labels(("zone", "Exists", ()), ("cores", "In", ("32",))), False),
    "the name": (on_name("In", "n1"), True),
    "another name": (on_name("In", "n2"), False),
    "not that name": (on_name("NotIn", "n1"), False),
    "not another name": (on_name("NotIn", "n2"), True),
    "a field that nobody knows": (NodeTerm(fields=(Requirement("spec.providerID", "NotIn", ("x",)),)), False),
    "name and label": (replace(on_name("In", "n1"), labels=labels(("zone", "In", ("b",))).labels), False),
    "an empty term": (NodeTerm(), False),
}


@pytest.mark.parametrize(("term", "wanted"), TERMS.values(), ids=TERMS)
def test_a_term_on_nodes(term: NodeTerm, wanted: bool) -> None:
    assert suits(term, Node("n1", "default", Vector(), ZONE_A)) is wanted


def waits(name: str, affinity: Affinity = Affinity(), *, request: Request | None = None) -> World:
    """A job of one task that wants one GPU."""
    needs = request or Request(Vector(GPU, 1000, GIB, 1))
    return World(
        JobChanged(Job(name, "here", name, "a")), TaskChanged(Task(name, name, "here", name, needs, affinity=affinity))
    )


def cluster(*, n1: Mapping[str, str], n2: Mapping[str, str]) -> World:
    return World().queue("a", 8).node("n1", gpus=2, labels=n1).node("n2", gpus=2, labels=n2)


def together(*worlds: World) -> ClusterState:
    return World(*(fact for world in worlds for fact in world.facts)).state()


A = labels(("zone", "In", ("a",)))
B = labels(("zone", "In", ("b",)))
HERE = cluster(n1={"zone": "a"}, n2={"zone": "b"})

REQUIRED: dict[str, tuple[Affinity, str]] = {
    "without a demand packing decides": (Affinity(), "bind j on n1"),
    "a demand": (Affinity(node_required=(B,)), "bind j on n2"),
    "one of several": (Affinity(node_required=(labels(("zone", "In", ("c",))), B)), "bind j on n2"),
    "by name": (Affinity(node_required=(on_name("In", "n2"),)), "bind j on n2"),
    "nobody": (Affinity(node_required=(labels(("zone", "In", ("c",))),)), "wait j: NoSuchNode"),
    "an empty term alone": (Affinity(node_required=(NodeTerm(),)), "wait j: NoSuchNode"),
}


@pytest.mark.parametrize(("affinity", "wanted"), REQUIRED.values(), ids=REQUIRED)
def test_required_affinity_to_nodes(affinity: Affinity, wanted: str) -> None:
    assert outline(together(HERE, waits("j", affinity))) == wanted


def test_a_label_that_comes_later_lets_the_task_in() -> None:
    state = together(cluster(n1={}, n2={}), waits("j", Affinity(node_required=(B,))))
    assert outline(state) == "wait j: NoSuchNode"
    node = state.node("n2")
    assert node is not None
    state.apply(NodeChanged(replace(node, labels={"zone": "b"})))
    assert outline(state) == "bind j on n2"


PREFERRED: dict[str, tuple[tuple[tuple[int, NodeTerm], ...], str]] = {
    "a wish": (((1, B),), "n2"),
    "the heavier wish": (((2, A), (3, B)), "n2"),
    "the sum of wishes": (((3, A), (2, B), (2, on_name("In", "n2"))), "n2"),
    "equal wishes leave it to packing": (((3, A), (3, B)), "n1"),
    "a wish that nobody meets": (((3, labels(("zone", "In", ("c",)))),), "n1"),
    "an empty term": (((3, NodeTerm()),), "n1"),
}


@pytest.mark.parametrize(("wishes", "wanted"), PREFERRED.values(), ids=PREFERRED)
def test_preferred_nodes(wishes: tuple[tuple[int, NodeTerm], ...], wanted: str) -> None:
    assert outline(together(HERE, waits("j", Affinity(node_preferred=wishes)))) == f"bind j on {wanted}"


def test_a_wish_beats_packing_and_yields_to_room() -> None:
    full_of_b = HERE.job("x", "a", gpus=1, on="n1")
    assert outline(together(full_of_b, waits("j", Affinity(node_preferred=((1, B),))))) == "bind j on n2"
    no_room = HERE.job("x", "a", gpus=2, on="n2")
    assert outline(together(no_room, waits("j", Affinity(node_preferred=((1, B),))))) == "bind j on n1"


def test_many_equal_tasks_fill_the_nodes_that_they_would_rather_have() -> None:
    gang = Job("g", "here", "g", "a", min_member=3)
    tasks = [
        Task(f"g{n}", "g", "here", f"g{n}", Request(Vector(GPU, 0, 0, 1)), affinity=Affinity(node_preferred=((1, B),)))
        for n in range(3)
    ]
    state = together(HERE, World(JobChanged(gang), *map(TaskChanged, tasks)))
    assert outline(state) == "bind g0 on n2; bind g1 on n2; bind g2 on n1"


MIG = "nvidia.com/mig-1g.10gb"
FORMS: dict[str, Request] = {
    "none": Request(Vector(0, 1000, GIB, 1)),
    "whole": Request(Vector(GPU, 1000, GIB, 1)),
    "part": Request(Vector(0, 1000, GIB, 1), GpuPart(percent=50)),
    "mig": Request(Vector(0, 1000, GIB, 1), extended=((MIG, 1),)),
}
TAKES: dict[Literal["none", "single", "mixed"], set[str]] = {
    "none": {"none", "whole", "part"},
    "single": {"none", "whole"},
    "mixed": {"none", "mig"},
}


@pytest.mark.parametrize("strategy", TAKES)
@pytest.mark.parametrize("form", FORMS)
def test_who_may_use_a_node_by_its_mig_strategy(strategy: Literal["none", "single", "mixed"], form: str) -> None:
    node = Node("n1", "default", Vector(8 * GPU, 64_000, 512 * GIB, 110), extended={MIG: 7}, mig=strategy)
    state = together(World(NodeChanged(node)).queue("a", 8), waits("j", request=FORMS[form]))
    wanted = "bind j on n1" if form in TAKES[strategy] else "wait j: NoSuchNode"
    assert outline(state) == wanted


def test_mig_devices_are_packed_by_profile_and_run_out() -> None:
    room = Vector(0, 64_000, 512 * GIB, 110)
    nodes = [NodeChanged(Node(f"n{n}", "default", room, extended={MIG: n}, mig="mixed")) for n in (1, 2, 3)]
    jobs = [waits(f"j{n}", request=Request(Vector(0, 100, GIB, 1), extended=((MIG, 1),))) for n in range(7)]
    binds = "; ".join(f"bind j{n} on n{node}" for n, node in enumerate((1, 2, 2, 3, 3, 3)))
    assert outline(together(World(*nodes).queue("a", 8), *jobs)) == f"{binds}; wait j6: NotEnoughResources"


def test_tasks_without_gpus_keep_off_nodes_with_mig_devices() -> None:
    room = Vector(0, 64_000, 512 * GIB, 110)
    mig = NodeChanged(Node("a1", "default", room, extended={MIG: 7}, mig="mixed"))
    state = together(World(mig).queue("a", 8).node("n1", gpus=0), waits("j", request=FORMS["none"]))
    assert outline(state) == "bind j on n1"


def test_a_resource_that_no_node_offers_fits_nowhere() -> None:
    request = Request(Vector(GPU, 0, 0, 1), extended=(("rdma/hca", 1),))
    assert outline(together(HERE, waits("j", request=request))).startswith("wait j: ")


def test_equal_tasks_have_equal_shapes_whatever_their_labels_while_nobody_asks_for_them() -> None:
    state = HERE.state()
    one, two = (Task(n, n, n, n, Request(), labels={"app": n}) for n in ("x", "y"))
    mentioned = state.pool("default").mentioned
    assert TaskShape.of(one, mentioned) == TaskShape.of(two, mentioned)
