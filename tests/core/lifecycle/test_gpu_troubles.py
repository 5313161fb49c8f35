"""What is wrong with GPUs of a workload's pods: in its status; and a pod that is stopped for using too much of one."""

import pytest

from aliquot import names
from aliquot.contracts.kubernetes import Condition, Metadata, Pod, PodSpec, PodStatus
from aliquot.core.lifecycle import observe, status
from aliquot.core.lifecycle.account import failures_of
from aliquot.core.lifecycle.pods import ObservedPod
from aliquot.core.lifecycle.preemptions import NEVER, each_alone, tally, uncounted
from tests.core.lifecycle.lifecycle_world import NEW, facts, running

STOPPED = (names.DISRUPTION_TARGET_CONDITION, "True", names.GPU_OVERUSE_REASON, "stopped, as it uses 9000 MiB")
MOVED = (names.DISRUPTION_TARGET_CONDITION, "True", names.EVICTED_BY_ALIQUOT_REASON, "stopped, to start again")


def seen(*conditions: tuple[str, str, str, str], phase: str = "Running", deleting: bool = False) -> ObservedPod:
    pod = Pod(
        metadata=Metadata(
            name="p",
            uid="p",
            labels={names.POD_INDEX_LABEL: "0", names.ATTEMPT_LABEL: "0"},
            deletion_timestamp="2026-01-31T12:00:00Z" if deleting else None,
        ),
        spec=PodSpec(node_name="n"),
        status=PodStatus(
            phase=phase,
            conditions=tuple(
                Condition(type=kind, status=status, reason=reason, message=message)
                for kind, status, reason, message in conditions
            ),
        ),
    )
    found = observe(pod)
    assert found is not None
    return found


ENDS: dict[str, tuple[ObservedPod, bool, bool]] = {
    "stopped for using too much": (seen(STOPPED), True, False),
    "and it is going": (seen(STOPPED, deleting=True), True, False),
    "and it has failed": (seen(STOPPED, phase="Failed", deleting=True), True, False),
    "but it had succeeded": (seen(STOPPED, phase="Succeeded"), False, False),
    "moved off a broken GPU": (seen(MOVED, deleting=True), False, True),
    "and it has failed by that": (seen(MOVED, phase="Failed", deleting=True), False, True),
}


@pytest.mark.parametrize(("pod", "failure", "disrupted"), ENDS.values(), ids=ENDS)
def test_whose_failure_it_is(pod: ObservedPod, failure: bool, disrupted: bool) -> None:
    assert (pod.own_failure, pod.disrupted) == (failure, disrupted)
    assert failures_of([pod])[0] == ({0: 1} if failure else {})


def test_one_that_is_stopped_for_using_too_much_goes_when_that_is_counted_and_is_no_preemption() -> None:
    pods = [seen(STOPPED)]
    assert uncounted(NEVER, pods) == {"p"}
    counted = tally(NEVER, pods, each_alone(pods))
    assert (counted.count, counted.counted) == (0, ("p",))
    assert not uncounted(counted, pods)


def test_what_is_wrong_with_its_gpus_is_seen_while_it_is() -> None:
    sick = (names.GPUS_HEALTHY_CONDITION, "False", "GpuBroken", "it has GPUs of node n that cannot be used")
    cured = (names.GPU_MEMORY_KEPT_CONDITION, "True", "Cured", "")
    assert seen(sick, cured).gpu_troubles == (
        (names.GPUS_HEALTHY_CONDITION, "GpuBroken", "it has GPUs of node n that cannot be used"),
    )


def test_the_status_has_the_first_of_each_kind_while_it_lasts() -> None:
    told = (names.GPU_MEMORY_KEPT_CONDITION, names.GPU_OVERUSE_REASON, "it uses 9000 MiB")
    sick = status(facts(running(1, gpu_troubles=(told,)), running(2, gpu_troubles=(told,))), NEW, 1000)
    [condition] = [each for each in sick.conditions if each.type == "GpuMemoryKept"]
    assert (condition.status, condition.reason) == ("False", "GpuMemoryOveruse")
    assert condition.message == "pod train-1-0: it uses 9000 MiB"
    later = status(facts(running(1, gpu_troubles=(told,)), running(2)), sick, 2000)
    assert [each for each in later.conditions if each.type == "GpuMemoryKept"] == [condition]
    well = status(facts(running(1), running(2)), later, 3000)
    assert "GpuMemoryKept" not in {each.type for each in well.conditions}
