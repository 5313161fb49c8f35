"""Why a job waits, as a sentence with numbers."""

from dataclasses import replace

import pytest

from aliquot.core.quantities import GpuPart, Request, Vector
from aliquot.core.scheduling import JobChanged, QueueChanged, Reason, TaskChanged, WaitCode, decide, explain
from aliquot.core.scheduling.facts import (
    Affinity,
    Group,
    NodeTerm,
    PodSet,
    Queue,
    Requirement,
    Share,
    TaskState,
    Topology,
)
from aliquot.core.scheduling.reasons import PASSING
from aliquot.core.scheduling.wording import amount_of, ordinal
from tests.core.scheduling.world import World, begun, sentences

BARE = Vector(0, 1000, 1 << 30, 1)
TWENTY = World().node(*(f"n{number:02}" for number in range(20)))

RACKS = (
    World()
    .queue("a", 20)
    .node("n1", "n2", gpus=2, labels={"zone": "z", "rack": "r1"})
    .node("n3", "n4", "n5", gpus=1, labels={"zone": "z", "rack": "r2"})
)


def close(topology: Topology, pods: int = 5) -> Group:
    """A gang of so many pods that are to be close."""
    return Group(topology=topology, pod_sets=(PodSet("default", pods),))


CASES = {
    "a gang that fits into the cluster, but not into one rack": (
        RACKS.gang("x", "a", close(Topology(("zone", "rack"), "rack")), {"default": 5}),
        (
            "needs 5 pods with 1 GPU each within one domain of rack; the roomiest of 2 in pool default, r1, has room "
            "for 4 of them; project a holds 0 of the 20 GPUs it deserves; 1st of 1 in its queue"
        ),
    ),
    "a part of a gang that does not fit into one rack": (
        RACKS.gang(
            "x",
            "a",
            Group(groups=(Group("near", None, (PodSet("w", 5, Topology(("rack",), "rack")),)),)),
            {"w": 5},
        ),
        (
            "needs 5 pods with 1 GPU each within one domain of rack; the roomiest of 2 in pool default, r1, has room "
            "for 4 of them; project a holds 0 of the 20 GPUs it deserves; 1st of 1 in its queue"
        ),
    ),
    "a gang for a full rack": (
        RACKS.job("r", "a", 2, on="n1")
        .node("n3", "n4", "n5", gpus=1)
        .gang("x", "a", close(Topology(("rack",), "rack"), 3), {"default": 3}),
        (
            "needs 3 pods with 1 GPU each within one domain of rack; the only one in pool default, r1, has room for "
            "2 of them; project a holds 2 of the 20 GPUs it deserves; 1st of 1 in its queue"
        ),
    ),
    "a gang for racks where no node says in which it is": (
        RACKS.gang("x", "a", close(Topology(("row", "cage"), "cage")), {"default": 5}),
        (
            "needs 5 pods with 1 GPU each within one domain of cage; no node of pool default that is ready and open to "
            "new pods has the labels row, cage; project a holds 0 of the 20 GPUs it deserves; 1st of 1 in its queue"
        ),
    ),
    "a topology that nobody knows": (
        RACKS.gang("x", "a", close(Topology((), "rack", None, "fabric", ("dc", "racks"))), {"default": 5}),
        "is to be close in topology fabric, but nobody has made one of that name: there are only dc, racks",
    ),
    "a topology where there are none": (
        RACKS.gang("x", "a", close(Topology((), "rack", None, "fabric")), {"default": 5}),
        "is to be close in topology fabric, but nobody has made one of that name: there are none at all",
    ),
    "a level that its topology does not have": (
        RACKS.gang("x", "a", close(Topology(("zone", "rack"), "zone", "block", "racks")), {"default": 5}),
        "is to be close by block, but topology racks has only the levels zone, rack",
    ),
    "a job for eight GPUs on one node, where the freest has three": (
        World()
        .node("n1", "n2")
        .queue("team-a", 48)
        .job("r1", "team-a", 5, on="n1")
        .job("r2", "team-a", 6, on="n2")
        .job("x", "team-a", 8),
        (
            "needs 8 GPUs on one node; the freest of 2 nodes of pool default, n1, has 3 free; "
            "project team-a holds 11 of the 48 GPUs it deserves; 1st of 1 in its queue"
        ),
    ),
    "a job larger than any node": (
        TWENTY.queue("a", 20).job("x", "a", 17),
        "needs 17 GPUs on one node; the largest node of pool default has 8",
    ),
    "a job for a label that no node has": (
        TWENTY.queue("a", 20).job("x", "a", selector={"run.ai/type": "dgx"}),
        "none of 20 nodes of pool default has the labels run.ai/type=dgx and only taints that it tolerates",
    ),
    "a job that tolerates no node's taint": (
        World().node("n1", "n2", taint="special").queue("a", 2).job("x", "a"),
        "none of 2 nodes of pool default has only taints that it tolerates",
    ),
    "a job too large for the nodes with its label": (
        World()
        .node("n1")
        .node("n2", gpus=2, labels={"size": "small"})
        .queue("a", 20)
        .job("x", "a", 4, selector={"size": "small"}),
        "needs 4 GPUs on one node; the largest of 1 node of pool default that fit it otherwise has 2",
    ),
    "a job with too many CPUs for the nodes with enough GPUs": (
        World().node("n1", gpus=0, cpus=64).node("n2", cpus=8).queue("a", 20).job("x", "a", 1, cpu_milli=16_000),
        "needs 16 CPUs on one node; the largest of 1 node of pool default that fit it otherwise has 8",
    ),
    "a resource that no node has enough of": (
        World().node("n1").queue("a", 1).job("x", "a", asks=Request(BARE, extended=(("rdma/hca", 2),))),
        "needs 2 rdma/hca on one node; the most in pool default is 0",
    ),
    "an amount of GPU memory where no node says what it has": (
        World().node("n1").queue("a", 1).job("x", "a", asks=Request(BARE, GpuPart(memory_mib=20_000))),
        "needs 20000 MiB of one GPU; in pool default no node says how much its GPUs have",
    ),
    "parts of more GPUs than a node has": (
        World().node("n1", gpus=2).queue("a", 4).job("x", "a", asks=Request(BARE, GpuPart(50, devices=3))),
        "needs parts of 3 GPUs on one node; the most in pool default is 2",
    ),
    "a pool without nodes": (World().queue("a", 1).job("x", "a"), "node pool default has no nodes"),
    "nodes that are cordoned": (
        World().node("n1", schedulable=False).queue("a", 1).job("x", "a"),
        (
            "no node of pool default that fits it is ready and open to new pods; "
            "project a holds 0 of the 1 GPU it deserves; 1st of 1 in its queue"
        ),
    ),
    "CPUs in use beside free GPUs": (
        World()
        .node("n1", "n2", cpus=8)
        .queue("a", 20)
        .job("r1", "a", on="n1", cpu_milli=6_000)
        .job("r2", "a", on="n2", cpu_milli=7_000)
        .job("x", "a", 1, cpu_milli=4_000),
        (
            "needs 4 CPUs on one node; the freest of 2 nodes of pool default, n1, has 2 free; "
            "project a holds 2 of the 20 GPUs it deserves; 1st of 1 in its queue"
        ),
    ),
    "no room for another pod": (
        World().node("n1", pods=1).queue("a", 20).job("r", "a", on="n1").job("x", "a"),
        (
            "needs room for a pod on one node; the only node of pool default has 0 free; "
            "project a holds 1 of the 20 GPUs it deserves; 1st of 1 in its queue"
        ),
    ),
    "a gang with room for some": (
        World().node("n1", gpus=2).queue("a", 3).job("x", "a", pods=3, together=3),
        (
            "needs 3 pods with 1 GPU each at once; 1 node of pool default has 2 GPUs free; "
            "project a holds 0 of the 3 GPUs it deserves; 1st of 1 in its queue"
        ),
    ),
    "a job without a quota for its GPUs": (
        World().node("n1", gpus=1).queue("a", 0).job("r", "a", on="n1").job("x", "a"),
        (
            "needs 1 GPU on one node; the only node of pool default has 0 free; "
            "project a holds 1 GPU and deserves none; 1st of 1 in its queue"
        ),
    ),
    "an owner whom nothing that may be stopped would help": (
        World()
        .node("n1", gpus=4)
        .queue("a", 2)
        .queue("b", 2)
        .job("r", "b", 4, on="n1", preemptible=False)
        .job("x", "a"),
        (
            "needs 1 GPU on one node; the only node of pool default has 0 free; "
            "project a holds 0 of the 2 GPUs it deserves; "
            "project b holds 4 of the 2 GPUs it deserves, but nothing of it that may be stopped would make the room; "
            "1st of 1 in its queue"
        ),
    ),
    "over the limit of GPUs": (
        World().node("n1").queue("a", 1, limit=1).job("r", "a", on="n1").job("x", "a", 2),
        (
            "project a quota has reached the allowable limit of GPUs. Limit is 1 GPUs, currently 1 GPUs allocated and "
            "workload requested 2 GPUs"
        ),
    ),
    "over the department's limit": (
        World()
        .node("n1")
        .department("d", 1, limit=1)
        .queue("a", 1, parent="d")
        .queue("b", 1, parent="d")
        .job("r", "a", on="n1")
        .job("x", "b"),
        (
            "department d quota has reached the allowable limit of GPUs. Limit is 1 GPUs, currently 1 GPUs "
            "allocated and workload requested 1 GPUs"
        ),
    ),
    "over the limit of CPUs": (
        World().node("n1").queue("a", 8, cpu=Share(2_000, 2_000)).job("x", "a", cpu_milli=2_500),
        (
            "project a quota has reached the allowable limit of CPUs. Limit is 2 CPUs, currently 0 CPUs allocated and "
            "workload requested 2.5 CPUs"
        ),
    ),
    "not to be stopped, over the quota": (
        World().node("n1").queue("a", 1).job("r", "a", on="n1", priority=100).job("x", "a", priority=100),
        (
            "Non-preemptible workload is over quota. Workload requested 1 GPUs, but project a quota is 1 GPUs, while "
            "1 GPUs are already allocated for non-preemptible pods. Use a preemptible workload to go over quota."
        ),
    ),
    "room that others are leaving": (
        World().node("n1", gpus=1).queue("a", 1).job("r", "a", on="n1", state=TaskState.TERMINATING).job("x", "a"),
        "starts on node n1 when others have stopped",
    ),
    "room that others are made to leave": (
        World()
        .node("n1", gpus=2)
        .queue("a", 2)
        .queue("b", 0)
        .job("r1", "b", on="n1")
        .job("r2", "b", on="n1")
        .job("x", "a", 2),
        "starts on node n1 when 2 pods that make room for it have stopped",
    ),
    "pods that may not be scheduled yet": (
        World().node("n1").queue("a", 1).job("x", "a", state=TaskState.GATED),
        "1 pod may not be scheduled yet: whoever set their scheduling gates must lift them",
    ),
    "pods that are still missing": (
        World().node("n1").queue("a", 4).job("x", "a", pods=2, together=3),
        "starts with at least 3 pods; so far there are 2",
    ),
    "a project without a share of the pool": (
        World().node("n1", pool="p2").queue("a", 1).job("x", "a", pools=("p2",)),
        "project a has no share of node pool p2",
    ),
    "a namespace without a project": (
        World().node("n1").job("x", "namespace/web"),
        "namespace web belongs to no project",
    ),
    "of several pools, the one that is nearest to having it": (
        World()
        .node("n1", gpus=1, pool="p1")
        .node("n2", gpus=4, pool="p2")
        .queue("a", 1, pool="p1")
        .queue("a", 1, pool="p2")
        .job("r", "a", 4, on="n2", pools=("p2",))
        .job("x", "a", 2, pools=("p1", "p2")),
        (
            "needs 2 GPUs on one node; the only node of pool p2 has 0 free; "
            "project a holds 4 of the 1 GPU it deserves; 1st of 1 in its queue"
        ),
    ),
}


@pytest.mark.parametrize(("given", "wanted"), CASES.values(), ids=CASES)
def test_who_waits_is_told_why(given: World, wanted: str) -> None:
    assert sentences(given.state())["x"] == wanted


def test_everybody_has_a_place_in_the_queue_by_priority_then_age() -> None:
    full = World().node("n1", gpus=1).queue("a", 1).queue("b", 1).job("r", "a", on="n1", priority=90)
    state = (
        full.job("x", "a", created=1)
        .job("y", "a", created=2)
        .job("z", "a", priority=75, created=3)
        .job("o", "b")
        .state()
    )
    said = {waiting.job: waiting.reason.details for waiting in decide(state, 0.0).waiting}
    assert {job: (details["position"], details["position_of"]) for job, details in said.items()} == {
        "z": (1, 3),
        "x": (2, 3),
        "y": (3, 3),
        "o": (1, 1),
    }


def test_a_reason_stays_the_same_while_only_passing_numbers_change() -> None:
    state = World().node("n1", gpus=4).queue("a", 2).job("r", "a", 2, on="n1", priority=90).job("x", "a", 4).state()
    [before] = decide(state, 0.0).waiting
    for event in World().job("s", "a", 1, on="n1", priority=90).job("w", "a", 4, priority=80).facts:
        state.apply(event)
    after = {waiting.job: waiting.reason for waiting in decide(state, 0.0).waiting}["x"]
    assert after != before.reason
    assert after.same_as(before.reason)
    assert explain(after) != explain(before.reason)


def test_the_freest_node_is_the_first_by_name_and_another_one_is_not_another_answer() -> None:
    world = World().node("n3", "n2", "n1", gpus=4).queue("a", 9).job("r", "a", 1, on="n1", priority=100)
    state = (
        world.job("s", "a", 1, on="n2", priority=100).job("t", "a", 1, on="n3", priority=100).job("x", "a", 4).state()
    )
    [before] = decide(state, 0.0).waiting
    assert before.reason.details["free_best_node"] == "n1"
    for event in World().job("u", "a", 1, on="n1", priority=100).facts:
        state.apply(event)
    [after] = decide(state, 0.0).waiting
    assert after.reason.details["free_best_node"] == "n2"
    assert after.reason.same_as(before.reason)
    assert "the freest of 3 nodes of pool default, n2, has 3 free" in explain(after.reason)


def test_another_rack_with_most_room_is_not_another_answer() -> None:
    state = RACKS.gang("x", "a", close(Topology(("zone", "rack"), "rack")), {"default": 5}).state()
    [before] = decide(state, 0.0).waiting
    for event in World().job("u", "a", 2, on="n1", priority=90).facts:
        state.apply(event)
    [after] = decide(state, 0.0).waiting
    assert (before.reason.details["free_domain"], after.reason.details["free_domain"]) == ("r1", "r2")
    assert after.reason.same_as(before.reason)


def test_a_reason_changes_when_the_answer_does() -> None:
    state = World().node("n1", gpus=1).queue("a", 1).queue("b", 0).job("r", "b", on="n1").job("x", "a").state()
    plan = decide(state, 0.0)
    for event in begun(plan):
        state.apply(event)
    [again] = decide(state, 0.0).waiting
    [first] = plan.waiting
    assert again.reason.same_as(first.reason), "the promise stands"
    for event in World().job("y", "a", 9).facts:
        state.apply(event)
    other = {waiting.job: waiting.reason for waiting in decide(state, 0.0).waiting}["y"]
    assert not other.same_as(again.reason)


def test_what_belongs_to_an_answer_is_told_from_what_comes_and_goes() -> None:
    state = World().node("n1", gpus=1).queue("a", 1).job("r", "a", on="n1", priority=90).job("x", "a").state()
    [waiting] = decide(state, 0.0).waiting
    assert waiting.reason.answer.lasting == {
        "pool": "default",
        "needed_gpu_percent": 100,
        "needed_cpu_milli": 1000,
        "needed_memory_bytes": 1 << 30,
        "nodes": 1,
        "queue": "project a",
        "deserved_gpu_percent": 100,
    }
    assert all(
        name.startswith(PASSING) for name in waiting.reason.details.keys() - waiting.reason.answer.lasting.keys()
    )


def test_every_code_has_a_sentence() -> None:
    said = {
        reason for case, _ in CASES.values() for reason in (w.reason.code for w in decide(case.state(), 0.0).waiting)
    }
    assert said == set(WaitCode)


def test_reasons_are_values() -> None:
    assert Reason.of(WaitCode.GATED, {"pods": 1}) == Reason.of(WaitCode.GATED, {"pods": 1})


@pytest.mark.parametrize(
    ("axis", "amount", "text"),
    [
        (0, 100, "1 GPU"),
        (0, 150, "1.5 GPUs"),
        (0, 0, "0 GPUs"),
        (1, 1000, "1 CPU"),
        (1, 250, "0.25 CPUs"),
        (2, 3 << 29, "1.5 GiB of memory"),
        (2, 100, "100 bytes of memory"),
        (3, 1, "1 pod"),
    ],
)
def test_amounts_are_read_as_people_write_them(axis: int, amount: int, text: str) -> None:
    assert amount_of(axis, amount) == text


@pytest.mark.parametrize(
    ("place", "text"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (12, "12th"), (21, "21st"), (113, "113th")],
)
def test_places_are_read_as_people_write_them(place: int, text: str) -> None:
    assert ordinal(place) == text


TYPE = "run.ai/type"


def demands(*values: str, label: str = TYPE) -> Requirement:
    return Requirement(label, "In", values)


CLASHES: dict[str, tuple[dict[str, str], tuple[NodeTerm, ...], str]] = {
    # a node selector, required terms, what is said
    "a type that the project does not have": (
        {TYPE: "a100"},
        (NodeTerm((demands("dgx-1", "dgx-2"),)),),
        "asks for nodes with run.ai/type a100, but its project leaves it only dgx-1 or dgx-2",
    ),
    "a label that its own affinity excludes": (
        {"zone": "x"},
        (NodeTerm((demands("y", label="zone"),)),),
        "asks for nodes with zone x, but its node affinity allows only y",
    ),
    "two demands of one term": (
        {},
        (NodeTerm((demands("a100"), demands("dgx-1"))),),
        "asks for nodes with run.ai/type a100, but its project leaves it only dgx-1",
    ),
    "one of its terms can be met": (
        {TYPE: "a100"},
        (NodeTerm((demands("dgx-1"),)), NodeTerm((demands("a100"),))),
        (
            "none of 1 node of pool default meets its node affinity and has the labels run.ai/type=a100 "
            "and only taints that it tolerates"
        ),
    ),
}


@pytest.mark.parametrize(("selector", "terms", "wanted"), CLASHES.values(), ids=CLASHES)
def test_who_asks_for_nodes_that_cannot_be_is_told_what_clashes(
    selector: dict[str, str], terms: tuple[NodeTerm, ...], wanted: str
) -> None:
    """cluster-api.md S62: a type of nodes outside of the project's list."""
    world = World().node("n1").queue("a", 1).job("x", "a", selector=selector)
    [task] = [event.task for event in world.facts if isinstance(event, TaskChanged)]
    state = world.state()
    state.apply(TaskChanged(replace(task, affinity=Affinity(node_required=terms))))
    assert sentences(state) == {"x": wanted}


@pytest.mark.parametrize(("began", "said"), [(-60.0, "4 min"), (-250.0, "50 s"), (None, None), (-301.0, None)])
def test_an_owner_is_told_how_long_what_it_is_owed_is_still_left_alone(began: float | None, said: str | None) -> None:
    """scheduling.md 2.8: the job next to it may never be stopped."""
    world = (
        World().node("n1", gpus=2).queue("a", 1).job("r", "b", on="n1").job("fixed", "b", on="n1", preemptible=False)
    )
    [job] = [event.job for event in world.facts if isinstance(event, JobChanged) and event.job.id == "r"]
    share = Share(0)
    queue = Queue("b", "default", gpu=share, reclaim_min_runtime_seconds=300)
    world = World(*world.facts, QueueChanged(queue), JobChanged(replace(job, last_started=began))).job("x", "a")
    plan = decide(world.state(), 0.0)
    if said is None:
        assert [evict.task for evict in plan.evictions] == ["r"]
        return
    [waiting] = plan.waiting
    assert f"holds 2 GPUs and deserves none, some of it protected by min-runtime for {said} more" in explain(
        waiting.reason
    )
