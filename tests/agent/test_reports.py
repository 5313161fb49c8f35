"""From what was read, and from what stands on an object, to what is written on it."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aliquot.agent.attribution import Grant, PodRef, PodUse, Usage
from aliquot.agent.node import OwnedMetadata, OwnNode
from aliquot.agent.nvml import Device, Snapshot
from aliquot.agent.pod_resources import Assignment
from aliquot.agent.publishing import Patch, Reports
from aliquot.agent.settings import Publishing
from aliquot.agent.watching import Findings
from aliquot.clock import timestamp
from aliquot.contracts.kubernetes import (
    AllocatedDevice,
    AllocatedResource,
    ContainerStatus,
    Metadata,
    Pod,
    PodStatus,
)
from aliquot.naming import reservation_name

IDLE = "aliquot.dev/gpu-idle-since"
SEEN = "aliquot.dev/gpu-idle-seen"
OVERUSE = "aliquot.dev/gpu-memory-overuse"
HEALTH = "aliquot.dev/gpu-health"
ANSWER = "run.ai/reserve_for_gpu_index"
NOW = 1_800_000_000.0
UPTIME = 50_000.0
REF = PodRef("team", "a", "u")
CARD = Device(0, "GPU-a", "H100", "", "ok")
MIB = 1 << 20
SETTINGS = Publishing(idle_seconds=60, overuse_percent=0, overuse_mib=10, overuse_seconds=0)


def pod(annotations: Mapping[str, str] | None = None, status: PodStatus = PodStatus(phase="Running")) -> Pod:
    return Pod(
        metadata=Metadata(namespace="team", name="a", uid="u", annotations=dict(annotations or {})), status=status
    )


def node(annotations: Mapping[str, str] | None = None) -> OwnNode:
    labels = {"nvidia.com/gfd.timestamp": "1"}
    return OwnNode(metadata=OwnedMetadata(name="n1", annotations=dict(annotations or {}), labels=labels))


def findings(
    idle_seconds: float | None = 0, used_mib: int = 0, card: Device = CARD, assignments: tuple[Assignment, ...] = ()
) -> Findings:
    use = PodUse(REF, card, "GPU-a", Grant("GPU-a", 50), 1_000 * MIB, used_mib * MIB, 0.0, 1)
    last_work = {} if idle_seconds is None else {REF: UPTIME - idle_seconds}
    snapshot = Snapshot("1", (card,))
    return Findings(snapshot, Usage((use,), ()), assignments, last_work, UPTIME, {"GPU-a": ("GPU-a",)})


class Agent:
    """Reports after one reading."""

    def __init__(self, of: Findings | None, *pods: Pod, on: OwnNode | None = None, resumed: bool = True) -> None:
        self.reports = Reports(SETTINGS)
        self.reports.take(of, on or node(), pods, NOW, UPTIME, resumed=resumed)

    def writes(self, on: Pod) -> Mapping[str, str | None]:
        return self.reports.for_pod(on).annotations


def since(seconds: float) -> str:
    return timestamp(NOW - seconds)


IDLENESS: dict[str, tuple[float | None, str | None, dict[str, str | None]]] = {
    "works": (0, None, {}),
    "not idle for long": (59, None, {}),
    "idle": (60, None, {IDLE: since(60), SEEN: since(0)}),
    "told already": (600, since(600), {}),
    "told already, by a clock that was a little off": (600, since(650), {}),
    "told to be idle for longer than anybody saw": (600, since(700), {IDLE: since(600)}),
    "told to be idle for less": (600, since(100), {IDLE: since(600)}),
    "told from the future on": (600, since(-100), {IDLE: since(600)}),
    "unreadable": (600, "yesterday", {IDLE: since(600)}),
    "without a zone": (600, since(600).removesuffix("Z"), {IDLE: since(600)}),
    "works again": (0, since(600), {IDLE: None, SEEN: None}),
    "nobody knows any more": (None, since(600), {IDLE: None, SEEN: None}),
}


@pytest.mark.parametrize(("idle", "stands", "written"), IDLENESS.values(), ids=IDLENESS)
def test_idleness(idle: float | None, stands: str | None, written: dict[str, str | None]) -> None:
    on = pod(None if stands is None else {IDLE: stands, SEEN: since(299)})
    assert Agent(findings(idle)).writes(on) == written


@pytest.mark.parametrize("seen", [since(300), since(-1), "lately", ""], ids=["old", "of the future", "no time", "none"])
def test_that_it_was_seen_is_said_again(seen: str) -> None:
    assert Agent(findings(600)).writes(pod({IDLE: since(600), SEEN: seen})) == {SEEN: since(0)}


@pytest.mark.parametrize("days", [-30, 30])
def test_a_clock_that_jumps_is_followed_once(days: int) -> None:
    agent = Agent(findings(600))
    jumped = NOW + days * 86_400
    agent.reports.take(findings(600), node(), (), jumped, UPTIME, resumed=True)
    written = agent.writes(pod({IDLE: since(600), SEEN: since(0)}))
    assert written == {IDLE: timestamp(jumped - 600), SEEN: timestamp(jumped)}
    assert agent.writes(pod({IDLE: timestamp(jumped - 600), SEEN: timestamp(jumped)})) == {}


def overuse(used_mib: int, seconds: float = 0) -> str:
    return f'{{"GPU-a":{{"usedMib":{used_mib},"limitMib":1000,"since":"{since(seconds)}"}}}}'


def test_overuse_is_told_and_taken_back() -> None:
    assert Agent(findings(used_mib=2_000)).writes(pod()) == {OVERUSE: overuse(2_000)}
    assert Agent(findings(used_mib=1_000), pod({OVERUSE: overuse(2_000)})).writes(pod({OVERUSE: overuse(2_000)})) == {
        OVERUSE: None
    }


def test_overuse_goes_on_where_another_process_stopped_a_moment_ago() -> None:
    on = pod({OVERUSE: overuse(1_500, 300)})
    assert Agent(findings(used_mib=1_500), on).writes(on) == {}
    assert Agent(findings(used_mib=1_005), on).writes(on) == {OVERUSE: overuse(1_005, 300)}
    assert Agent(findings(used_mib=1_500), on, resumed=False).writes(on) == {OVERUSE: overuse(1_500)}


def test_of_what_is_not_known_any_more_nothing_is_left_on_pods_and_all_on_the_node() -> None:
    lost = '{"GPU-a":{"reason":"lost","since":"2027-01-01T00:00:00Z"}}'
    agent = Agent(findings(600, 2_000), on=node({HEALTH: lost}))
    agent.reports.take(None, node({HEALTH: lost}), (), NOW, UPTIME, resumed=True)
    stands = {IDLE: since(600), SEEN: since(0), OVERUSE: overuse(2_000)}
    assert agent.writes(pod(stands)) == dict.fromkeys(stands)
    assert agent.reports.for_node(node({HEALTH: lost})) == Patch()


@pytest.mark.parametrize("status", [PodStatus(phase="Succeeded"), PodStatus(phase="Failed")])
def test_pods_that_have_ended_are_left_alone(status: PodStatus) -> None:
    assert Agent(findings(600)).writes(pod({OVERUSE: "x"}, status)) == {}


def test_a_gpu_in_trouble_is_told_on_the_node_until_it_is_well() -> None:
    told = f'{{"GPU-a":{{"reason":"lost","since":"{timestamp(NOW)}"}}}}'
    agent = Agent(findings(card=replace(CARD, state="lost")))
    assert agent.reports.for_node(node()).annotations == {HEALTH: told}
    assert agent.reports.for_node(node({HEALTH: told})) == Patch()
    agent.reports.take(findings(), node({HEALTH: told}), (), NOW, UPTIME, resumed=True)
    assert agent.reports.for_node(node({HEALTH: told})).annotations == {HEALTH: None}
    assert agent.reports.for_node(node()) == Patch()


def test_a_patch_names_the_object_that_is_meant() -> None:
    body = Patch({IDLE: None}, {}).body("u")
    assert body == {"metadata": {"uid": "u", "annotations": {IDLE: None}}}


NAME = reservation_name("n1/0")
HELD = Assignment("runai-reservation", NAME, "reservation", "nvidia.com/gpu", ("GPU-b",))
SAYS_IT = ContainerStatus(
    allocated_resources_status=(
        AllocatedResource(name="nvidia.com/gpu", resources=(AllocatedDevice(resource_id="GPU-b"),)),
    )
)


def reservation(*statuses: ContainerStatus, answer: str = "", gone: bool = False, phase: str = "Pending") -> Pod:
    annotations = {"aliquot.dev/shared-gpus": "n1/0", **({ANSWER: answer} if answer else {})}
    metadata = Metadata(
        namespace="runai-reservation",
        name=NAME,
        uid="r",
        annotations=annotations,
        deletion_timestamp="2027-01-01T00:00:00Z" if gone else None,
    )
    return Pod(metadata=metadata, status=PodStatus(phase=phase, container_statuses=statuses))


ANSWERS: dict[str, tuple[Pod, tuple[Assignment, ...], dict[str, str | None]]] = {
    "its status does not say it": (reservation(ContainerStatus()), (HELD,), {ANSWER: "GPU-b"}),
    "its status says it": (reservation(SAYS_IT), (HELD,), {}),
    "its kubelet has said nothing yet": (reservation(), (HELD,), {}),
    "the kubelet has given none": (reservation(ContainerStatus()), (), {}),
    "another pod's": (reservation(ContainerStatus()), (replace(HELD, pod="other"),), {}),
    "another namespace's": (reservation(ContainerStatus()), (replace(HELD, namespace="team"),), {}),
    "another resource": (reservation(ContainerStatus()), (replace(HELD, resource="x.com/gpu"),), {}),
    "answered": (reservation(ContainerStatus(), answer="GPU-b"), (HELD,), {}),
    "answered, and no answer now": (reservation(ContainerStatus(), answer="GPU-b"), (), {}),
    "another one since": (reservation(ContainerStatus(), answer="GPU-a"), (HELD,), {ANSWER: "GPU-b"}),
    "it goes": (reservation(ContainerStatus(), gone=True), (HELD,), {}),
    "it has ended": (reservation(ContainerStatus(), phase="Failed"), (HELD,), {}),
}


@pytest.mark.parametrize(("on", "assignments", "written"), ANSWERS.values(), ids=ANSWERS)
def test_answers_to_reservations(on: Pod, assignments: tuple[Assignment, ...], written: dict[str, str | None]) -> None:
    agent = Agent(findings(assignments=assignments))
    assert agent.writes(on) == written
    assert Agent(None).reports.for_pod(on, assignments).annotations == written


def test_a_pod_of_a_user_is_no_reservation() -> None:
    mine = pod({"aliquot.dev/shared-gpus": "n1/0"}, PodStatus(container_statuses=(ContainerStatus(),)))
    held = replace(HELD, namespace="team", pod="a")
    assert Agent(findings(assignments=(held,))).writes(mine) == {}


times = st.integers(-10_000, 10_000).map(since) | st.sampled_from(["", "yesterday"])
uses = st.integers(0, 3_000).map(overuse) | st.just("{}")


@given(
    st.none() | st.floats(0, 10_000),
    st.integers(0, 3_000),
    st.dictionaries(st.sampled_from([IDLE, SEEN]), times),
    st.dictionaries(st.just(OVERUSE), uses),
    st.booleans(),
)
def test_when_it_is_written_there_is_nothing_left_to_write(
    idle: float | None, used_mib: int, idle_stands: dict[str, str], overuse_stands: dict[str, str], resumed: bool
) -> None:
    stands = {**idle_stands, **overuse_stands, "mine": "x"}
    agent = Agent(findings(idle, used_mib), pod(stands), resumed=resumed)
    written = {**stands, **agent.writes(pod(stands))}
    after = {key: value for key, value in written.items() if value is not None}
    assert agent.writes(pod(after)) == {}
    assert after["mine"] == "x"
    agent.reports.take(findings(idle, used_mib), node(), (pod(after),), NOW, UPTIME, resumed=resumed)
    assert agent.writes(pod(after)) == {}, "the next reading says the same"
