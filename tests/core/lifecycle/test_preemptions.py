"""Preemptions: what counts, that each is counted once whatever happens in between, and when one ends a workload."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aliquot.contracts.kinds.status import MAX_COUNTED_PODS, WorkloadStatus
from aliquot.core.lifecycle import ObservedPod, Record, Steps, happenings, has_unsaved, plan, record_of, status
from aliquot.core.lifecycle.preemptions import Preemptions, each_alone, tally
from aliquot.core.submission import Valid, ValidInteractive
from tests.core.lifecycle.lifecycle_world import (
    NEW,
    RETRY,
    WHY_TAKEN,
    facts,
    failed,
    gang,
    going,
    running,
    spec,
    succeeded,
    taken,
    waiting,
)

NOTEBOOK = ValidInteractive(pod=spec().pod)
RIGID = gang(clean_pod_policy="None")
ELASTIC = gang(elastic=(2, 4))
THREE = spec(completions=3, parallelism=3)


def moved(pod: ObservedPod) -> ObservedPod:
    return replace(pod, disrupted=True, reason="EvictionByAliquot", message="moved for b/job")


def counted(count: int, *pods: ObservedPod) -> Record:
    return Record(preemptions=Preemptions(count, tuple(pod.uid for pod in pods)))


def after(asked: Valid, pods: list[ObservedPod], before: WorkloadStatus = NEW, now: float = 300) -> WorkloadStatus:
    return status(facts(*pods, spec=asked), before, now)


COUNTS: dict[str, tuple[Valid, list[ObservedPod], int]] = {
    "nobody": (spec(), [running()], 0),
    "a pod": (spec(), [taken(running())], 1),
    "one that ends already": (spec(), [taken(running(), deleting=True)], 1),
    "one that has ended, not by itself": (spec(), [taken(failed())], 1),
    "a move is none": (spec(), [moved(running())], 0),
    "a deletion is none": (spec(), [going(running())], 0),
    "each pod of training": (THREE, [taken(running(0)), running(1), taken(running(2))], 2),
    "an interactive one": (NOTEBOOK, [taken(running())], 1),
    "a gang, once": (RIGID, [taken(running(0)), taken(running(1)), taken(running(2))], 1),
    "a gang of which one is marked so far": (RIGID, [running(0), running(1), taken(running(2))], 1),
    "what an elastic gang can do without": (ELASTIC, [running(0), running(1), taken(running(2))], 0),
    "an elastic gang": (ELASTIC, [taken(running(0)), taken(running(1))], 1),
}


@pytest.mark.parametrize(("asked", "pods", "count"), COUNTS.values(), ids=COUNTS)
def test_what_counts(asked: Valid, pods: list[ObservedPod], count: int) -> None:
    found = after(asked, pods)
    assert (found.preemptions or 0) == count
    marked = {pod.uid for pod in pods if pod.preempted}
    assert marked <= set(found.counted_pods), "what is marked may go now"
    again = after(asked, pods, found)
    assert again.preemptions == found.preemptions
    assert not has_unsaved(asked, pods, record_of(again))


def test_of_which_nobody_can_tell_what_it_asks_for_nothing_is_counted_and_its_pods_may_go() -> None:
    pods = [taken(running())]
    found = status(replace(facts(*pods), spec=None), NEW.model_copy(update={"preemptions": 3}), 300)
    assert (found.preemptions, found.counted_pods) == (3, (pods[0].uid,))


def test_a_preemption_is_to_be_written_at_once() -> None:
    assert has_unsaved(spec(), [taken(running())], Record())


def test_at_most_so_many_are_named_and_the_others_wait() -> None:
    pods = [taken(running(index)) for index in range(MAX_COUNTED_PODS + 5)]
    found = tally(Preemptions(), pods, each_alone(pods))
    assert (found.count, len(found.counted)) == (MAX_COUNTED_PODS, MAX_COUNTED_PODS)
    left = [pod for pod in pods if pod.uid not in found.counted]
    assert tally(found, left, each_alone(left)) == Preemptions(len(pods), tuple(sorted(pod.uid for pod in left)))


# What is deleted, and when it ends

FIRST = taken(running(0))
PLANS: dict[str, tuple[Valid, list[ObservedPod], Record, Steps]] = {
    "the rest of a gang goes, but not what is counted by itself alone": (
        RIGID,
        [FIRST, running(1), running(2)],
        Record(),
        Steps(delete=("train-1-0", "train-2-0"), look_again_at=301),
    ),
    "… until it is counted": (
        RIGID,
        [FIRST, running(1), running(2)],
        counted(1, FIRST, running(1), running(2)),
        Steps(delete=("train-0-0", "train-1-0", "train-2-0")),
    ),
    "nor when it is suspended": (spec(active=False), [FIRST], Record(), Steps(look_again_at=301)),
    "it bears any number of preemptions": (spec(), [FIRST], counted(9), Steps()),
    "the last that it bears": (spec(preemption_limit=2), [FIRST], counted(1), Steps()),
    "one more: its status says so first": (
        replace(THREE, preemption_limit=0),
        [FIRST, running(1)],
        Record(),
        Steps(look_again_at=301, outcome="Failed"),
    ),
    "… then all that lives goes": (
        replace(THREE, preemption_limit=0),
        [FIRST, running(1)],
        replace(counted(1, FIRST), finished="Failed", preempted=True, completed_at=300),
        Steps(delete=("train-0-0", "train-1-0"), outcome="Failed"),
    ),
    "… of a gang, too, whatever is to stay of it otherwise": (
        replace(RIGID, preemption_limit=0),
        [FIRST, running(1), running(2)],
        replace(counted(1, FIRST), finished="Failed", preempted=True, completed_at=300),
        Steps(delete=("train-0-0", "train-1-0", "train-2-0"), outcome="Failed"),
    ),
    "… and an interactive one is not made again": (
        replace(NOTEBOOK, preemption_limit=0),
        [],
        replace(counted(1), finished="Failed", preempted=True, completed_at=300),
        Steps(outcome="Failed"),
    ),
    "a limit that is set later waits for the next": (
        replace(NOTEBOOK, preemption_limit=0),
        [running()],
        counted(3),
        Steps(),
    ),
    "what was counted and is still there is no new one": (
        replace(THREE, preemption_limit=0, completions=1),
        [FIRST],
        counted(3, FIRST),
        Steps(),
    ),
    "what is done is done": (
        spec(preemption_limit=0),
        [taken(failed(0, 0)), succeeded(0, 1)],
        Record(),
        Steps(outcome="Completed"),
    ),
    "nobody's other deletion ends it": (spec(preemption_limit=0), [going(running())], Record(), Steps()),
    "nor a move": (spec(preemption_limit=0), [moved(running())], Record(), Steps()),
}


@pytest.mark.parametrize(("asked", "pods", "record", "steps"), PLANS.values(), ids=PLANS)
def test_what_a_preemption_leads_to(asked: Valid, pods: list[ObservedPod], record: Record, steps: Steps) -> None:
    assert plan(asked, pods, record, 300, RETRY) == steps


ENDS: dict[str, tuple[Valid, int, str]] = {
    "terminates": (spec(preemption_limit=0), 0, "it was preempted, and is not to wait for its next turn"),
    "interactive": (replace(NOTEBOOK, preemption_limit=0), 0, "it was preempted, and is not to wait for its next turn"),
    "limit": (spec(preemption_limit=2), 2, "preemptions: 3, preemptionLimit: 2"),
}


@pytest.mark.parametrize(("asked", "before", "sentence"), ENDS.values(), ids=ENDS)
def test_it_ends_for_good_and_says_how_often_and_for_whom(asked: Valid, before: int, sentence: str) -> None:
    known = after(asked, [running()], WorkloadStatus(preemptions=before or None))
    over = after(asked, [taken(running())], known)
    assert (over.phase, over.reason) == ("Failed", "Preempted")
    assert over.phase_message == f"{sentence}; pod train-0-0 was {WHY_TAKEN}"
    assert record_of(over).preempted
    [event] = happenings(known, over)
    assert (event.type, event.reason, event.message) == ("Warning", "Preempted", over.phase_message)
    gone = after(asked, [], over, 400)
    assert (gone.phase, gone.reason, gone.phase_message) == ("Failed", "Preempted", over.phase_message)
    assert (gone.counted_pods, gone.requested_gpu, gone.preemptions) == ((), "0", before + 1)
    generous = after(replace(asked, preemption_limit=None), [], gone, 500)
    assert generous.phase == "Failed", "it does not rise again"
    leaving = status(facts(spec=asked, deleting=True), gone, 600)
    assert (leaving.phase, record_of(leaving).preempted) == ("Terminating", True)


def test_it_goes_on_while_it_bears_it() -> None:
    found = after(spec(preemption_limit=1), [taken(running())])
    assert (found.phase, found.reason, found.preemptions) == ("Pending", "Evicted", 1)
    assert after(spec(preemption_limit=1), [waiting(0, 1)], found).preemptions == 1


# Whatever happens, in whatever order

Move = tuple[str, int]
MOVES = st.lists(st.tuples(st.sampled_from(["mark", "write", "delete", "vanish"]), st.integers(0, 2)), max_size=40)


@given(MOVES)
def test_each_pod_is_counted_once(moves: list[Move]) -> None:
    """Pods are deleted only when they are counted; the next of an index may have the name of the last."""
    pods, known, marks, born = {index: running(index) for index in range(3)}, NEW, 0, 3
    for what, index in [*moves, ("write", 0)]:
        pod = pods[index]
        if what == "mark" and not pod.preempted:
            pods[index], marks = taken(pod), marks + 1
        elif what == "write":
            known = after(THREE, list(pods.values()), known)
        elif (what == "delete" and pod.uid in known.counted_pods) or (what == "vanish" and not pod.preempted):
            pods[index], born = running(index, uid=f"uid-{born}"), born + 1
    assert (known.preemptions or 0) == marks


@given(MOVES)
def test_each_gang_is_counted_once(moves: list[Move]) -> None:
    """Its pods are marked, counted and deleted in any order, and the next gang comes when all are gone."""
    generation, known, preempted = 0, NEW, 0
    pods = {rank: running(rank) for rank in range(3)}
    for what, rank in [*moves, ("write", 0)]:
        pod = pods.get(rank)
        if what == "write":
            known = after(RIGID, list(pods.values()), known)
        elif pod is None:
            continue
        elif what == "mark" and not pod.preempted:
            preempted += not any(other.uid in known.counted_pods or other.preempted for other in pods.values())
            pods[rank] = taken(pod)
        elif what == "delete" and pod.name in plan(RIGID, list(pods.values()), record_of(known), 300, RETRY).delete:
            del pods[rank]
        if not pods:
            generation += 1
            pods = {rank: running(rank, uid=f"uid-{generation}-{rank}") for rank in range(3)}
    assert (known.preemptions or 0) == preempted
