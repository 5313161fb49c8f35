"""A pod as the API server gives it → what decides about its workload."""

from dataclasses import asdict
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aliquot import names
from aliquot.contracts.kubernetes import Pod
from aliquot.core.lifecycle import ObservedPod, PodPhase, observe

OURS = {names.POD_INDEX_LABEL: "3", names.ATTEMPT_LABEL: "1"}


def given_pod(
    phase: str = "Pending",
    node: str = "n1",
    labels: dict[str, str] = OURS,
    deleted: bool = False,
    annotations: dict[str, str] | None = None,
    **status: Any,
) -> Pod:
    return msgspec.convert(
        {
            "metadata": {
                "name": "train-3-1",
                "uid": "u",
                "labels": labels,
                "annotations": {names.FAILED_ATTEMPTS_ANNOTATION: "1", **(annotations or {})},
                "creationTimestamp": "1970-01-01T00:01:40Z",
                **({"deletionTimestamp": "1970-01-01T00:09:00Z"} if deleted else {}),
            },
            "spec": {
                "nodeName": node,
                "containers": [{"name": "train", "resources": {"limits": {names.GPU_RESOURCE: "4", "cpu": "8"}}}],
            },
            "status": {"phase": phase, **status},
        },
        Pod,
    )


def container(**state: Any) -> dict[str, Any]:
    return {"name": "train", "state": state}


def ended(code: int, reason: str, at: str | None = "1970-01-01T00:05:00Z", message: str = "") -> dict[str, Any]:
    return container(terminated={"exitCode": code, "reason": reason, "message": message, "finishedAt": at})


def waits(reason: str, message: str = "") -> dict[str, Any]:
    return container(waiting={"reason": reason, "message": message})


def again(code: int, reason: str) -> dict[str, Any]:
    """A container that ended so, and is started again in a while."""
    last = {"terminated": {"exitCode": code, "reason": reason, "finishedAt": "1970-01-01T00:05:00Z"}}
    return {**waits("CrashLoopBackOff", "back-off 20s restarting failed container=train pod=x"), "lastState": last}


def beside(status: dict[str, Any]) -> dict[str, Any]:
    """The same of a container that is not the pod's main one."""
    return {**status, "name": "train-tensorboard"}


def target(reason: str, status: str = "True") -> dict[str, Any]:
    return {"type": "DisruptionTarget", "status": status, "reason": reason, "message": "why"}


def read(pod: Pod) -> ObservedPod:
    found = observe(pod)
    assert found is not None
    return found


RUNS = container(running={"startedAt": "1970-01-01T00:02:00Z"})
EARLIER = container(running={"startedAt": "1970-01-01T00:01:50Z"})
MAIN = {names.MAIN_CONTAINER_ANNOTATION: "train"}
UNREADY = {"type": "Ready", "status": "False", "lastTransitionTime": "1970-01-01T00:07:00Z"}
UNSEEN: dict[str, Any] = {}

CASES: dict[str, tuple[Pod, dict[str, Any]]] = {
    "waits for a node": (given_pod(node=""), {"phase": PodPhase.WAITING, "node": None}),
    "starts as soon as it has one": (given_pod(), {"phase": PodPhase.STARTING, "node": "n1", "reason": ""}),
    "starts while its containers are made": (
        given_pod(containerStatuses=[waits("ContainerCreating")]),
        {"phase": PodPhase.STARTING, "reason": ""},
    ),
    "cannot pull its image": (
        given_pod(containerStatuses=[waits("ErrImagePull", "not found")]),
        {"phase": PodPhase.STARTING, "reason": "ErrImagePull", "message": "not found"},
    ),
    "an init container cannot start": (
        given_pod(initContainerStatuses=[waits("CreateContainerError")], containerStatuses=[waits("PodInitializing")]),
        {"reason": "CreateContainerError"},
    ),
    "runs": (
        given_pod("Running", containerStatuses=[RUNS]),
        {"phase": PodPhase.RUNNING, "started_at": 120.0, "finished_at": None, "exit_code": None},
    ),
    "runs until the kubelet says that the pod has ended": (
        given_pod("Running", startTime="1970-01-01T00:02:00Z", containerStatuses=[ended(0, "Completed")]),
        {"phase": PodPhase.RUNNING, "started_at": 120.0, "finished_at": None, "exit_code": None},
    ),
    "ended, and its node starts it again": (
        given_pod("Running", startTime="1970-01-01T00:02:00Z", containerStatuses=[again(1, "Error")]),
        {
            "phase": PodPhase.STARTING,
            "reason": "CrashLoopBackOff",
            "message": "its container ended with exit code 1 and is started again",
            "started_at": 120.0,
            "finished_at": None,
        },
    ),
    "ended well, and its node starts it again": (
        given_pod("Running", containerStatuses=[again(0, "Completed")]),
        {
            "reason": "CrashLoopBackOff",
            "message": "its container ended with exit code 0 and is started again",
        },
    ),
    "ran out of memory, and its node starts it again": (
        given_pod("Running", containerStatuses=[again(137, "OOMKilled")]),
        {
            "reason": "CrashLoopBackOff",
            "message": "its container ended with exit code 137 (OOMKilled) and is started again",
        },
    ),
    "one container is started again, another runs": (
        given_pod("Running", containerStatuses=[again(1, "Error"), RUNS]),
        {"phase": PodPhase.RUNNING, "reason": ""},
    ),
    "an init container is started again": (
        given_pod(initContainerStatuses=[again(1, "Error")], containerStatuses=[waits("PodInitializing")]),
        {"phase": PodPhase.STARTING, "reason": "CrashLoopBackOff"},
    ),
    "runs, whatever a container beside it does": (
        given_pod("Running", annotations=MAIN, containerStatuses=[beside(again(1, "Error")), RUNS]),
        {"phase": PodPhase.RUNNING, "reason": "", "started_at": 120.0},
    ),
    "runs, though one beside it cannot start": (
        given_pod("Pending", annotations=MAIN, containerStatuses=[beside(waits("ErrImagePull", "not found")), RUNS]),
        {"phase": PodPhase.RUNNING, "reason": "", "started_at": 120.0},
    ),
    "is started again, though one beside it runs": (
        given_pod("Running", annotations=MAIN, containerStatuses=[again(1, "Error"), beside(EARLIER)]),
        {
            "phase": PodPhase.STARTING,
            "reason": "CrashLoopBackOff",
            "message": "its container ended with exit code 1 and is started again",
        },
    ),
    "cannot start, though one beside it runs": (
        given_pod("Pending", annotations=MAIN, containerStatuses=[beside(EARLIER), waits("ErrImagePull", "not found")]),
        {"phase": PodPhase.STARTING, "reason": "ErrImagePull", "message": "not found", "started_at": None},
    ),
    "neither can start": (
        given_pod(annotations=MAIN, containerStatuses=[beside(waits("ErrImagePull")), waits("ContainerCreating")]),
        {"phase": PodPhase.STARTING, "reason": ""},
    ),
    "failed, and so did one beside it, later": (
        given_pod(
            "Failed",
            annotations=MAIN,
            containerStatuses=[beside(ended(137, "OOMKilled", at="1970-01-01T00:06:00Z")), ended(3, "Error")],
        ),
        {"phase": PodPhase.FAILED, "exit_code": 3, "reason": "Error", "finished_at": 360.0},
    ),
    "names a container that nobody tells of yet": (
        given_pod("Running", annotations=MAIN, containerStatuses=[beside(RUNS)]),
        {"phase": PodPhase.RUNNING, "reason": ""},
    ),
    "succeeded": (
        given_pod("Succeeded", startTime="1970-01-01T00:02:00Z", containerStatuses=[ended(0, "Completed")]),
        {"phase": PodPhase.SUCCEEDED, "started_at": 120.0, "finished_at": 300.0, "exit_code": 0, "reason": ""},
    ),
    "failed": (
        given_pod("Failed", containerStatuses=[ended(3, "Error", message="no such file")]),
        {"phase": PodPhase.FAILED, "disrupted": False, "exit_code": 3, "reason": "Error", "message": "no such file"},
    ),
    "ran out of memory beside a container that ended first": (
        given_pod("Failed", containerStatuses=[ended(1, "Error"), ended(137, "OOMKilled")]),
        {"reason": "OOMKilled", "exit_code": 137},
    ),
    "an init container failed": (
        given_pod("Failed", initContainerStatuses=[ended(2, "Error")], containerStatuses=[waits("PodInitializing")]),
        {"phase": PodPhase.FAILED, "exit_code": 2, "finished_at": 300.0},
    ),
    "failed without a word": (
        given_pod("Failed"),
        {"phase": PodPhase.FAILED, "reason": "Error", "exit_code": None, "finished_at": None},
    ),
    "failed, and only its readiness tells when": (given_pod("Failed", conditions=[UNREADY]), {"finished_at": 420.0}),
    "refused by the kubelet is a failure, as for Jobs": (
        given_pod("Failed", reason="UnexpectedAdmissionError", message="no devices"),
        {"disrupted": False, "reason": "UnexpectedAdmissionError", "message": "no devices"},
    ),
    "used more storage than it may is its own failure": (
        given_pod("Failed", reason="Evicted", message="exceeds", containerStatuses=[ended(137, "Error")]),
        {"disrupted": False, "reason": "Evicted", "message": "exceeds", "exit_code": 137},
    ),
    "evicted by us, still runs": (
        given_pod("Running", conditions=[target("EvictionByAliquot")], containerStatuses=[RUNS], deleted=True),
        {"phase": PodPhase.RUNNING, "deleting": True, "disrupted": True, "reason": "EvictionByAliquot"},
    ),
    "evicted by us, ended": (
        given_pod("Failed", conditions=[target("EvictionByAliquot")], containerStatuses=[ended(143, "Error")]),
        {"phase": PodPhase.FAILED, "disrupted": True, "reason": "EvictionByAliquot", "message": "why"},
    ),
    "an eviction that was called off": (
        given_pod("Failed", conditions=[target("EvictionByAliquot", "False")], containerStatuses=[ended(3, "Error")]),
        {"disrupted": False, "reason": "Error"},
    ),
    "its node was drained": (
        given_pod("Failed", conditions=[target("EvictionByEvictionAPI")]),
        {"disrupted": True, "reason": "EvictionByEvictionAPI"},
    ),
    "its node is gone": (given_pod("Failed", reason="NodeLost"), {"disrupted": True, "reason": "NodeLost"}),
    "deleted by hand, still runs": (
        given_pod("Running", containerStatuses=[RUNS], deleted=True),
        {"phase": PodPhase.RUNNING, "deleting": True, "disrupted": True, "reason": "Deleted"},
    ),
    "deleted by hand, ended": (
        given_pod("Failed", containerStatuses=[ended(143, "Error")], deleted=True),
        {"phase": PodPhase.FAILED, "disrupted": True, "reason": "Deleted"},
    ),
    "succeeded although it was to be evicted": (
        given_pod("Succeeded", conditions=[target("EvictionByAliquot")], deleted=True),
        {"phase": PodPhase.SUCCEEDED, "disrupted": False, "reason": ""},
    ),
    "nobody knows whether it runs": (
        given_pod("Unknown", reason="NodeLost"),
        {"phase": PodPhase.STARTING, "node": "n1", "reason": "NodeLost"},
    ),
    "its GPUs have no work": (
        given_pod("Running", annotations={"aliquot.dev/gpu-idle-since": "1970-01-01T01:02:00+01:00"}),
        {"idle_since": 120.0},
    ),
    "when that was last seen": (
        given_pod("Running", annotations={"aliquot.dev/gpu-idle-seen": "1970-01-01T00:03:00Z"}),
        {"idle_seen": 180.0},
    ),
    "it is at work where that cannot be read": (
        given_pod("Running", annotations={"aliquot.dev/gpu-idle-since": "since lunch"}),
        {"idle_since": None},
    ),
    "times that cannot be read are none": (
        given_pod("Succeeded", containerStatuses=[ended(0, "Completed", at="yesterday")]),
        {"phase": PodPhase.SUCCEEDED, "finished_at": None},
    ),
    "who it is": (
        given_pod(),
        {"name": "train-3-1", "uid": "u", "index": 3, "attempt": 1, "failed_attempts": 1, "gpus": 4, "created": 100.0},
    ),
}


@pytest.mark.parametrize(("pod", "wanted"), CASES.values(), ids=CASES)
def test_a_pod_is_read(pod: Pod, wanted: dict[str, Any]) -> None:
    found = asdict(read(pod))
    assert {name: found[name] for name in wanted} == wanted


@pytest.mark.parametrize(
    "labels",
    [
        {},
        {names.POD_INDEX_LABEL: "0"},
        {names.ATTEMPT_LABEL: "0"},
        {names.POD_INDEX_LABEL: "one", names.ATTEMPT_LABEL: "0"},
        {names.POD_INDEX_LABEL: "-1", names.ATTEMPT_LABEL: "0"},
        {names.POD_INDEX_LABEL: "٣", names.ATTEMPT_LABEL: "0"},
        {names.POD_INDEX_LABEL: "00", names.ATTEMPT_LABEL: "0"},
        {names.POD_INDEX_LABEL: "0", names.ATTEMPT_LABEL: "9" * 30},
    ],
)
def test_a_pod_without_our_labels_is_none_of_ours(labels: dict[str, str]) -> None:
    assert observe(given_pod(labels=labels)) is None


@pytest.mark.parametrize(
    ("containers", "init_containers", "wanted"),
    [
        ([], [], 0),
        (["1", 2], [], 3),
        (["1"], ["4"], 4),
        (["x", "-3"], [], 0),
    ],
)
def test_gpus_are_counted_over_containers(
    containers: list[str | int], init_containers: list[str | int], wanted: int
) -> None:
    def written(amounts: list[str | int]) -> list[dict[str, Any]]:
        return [{"resources": {"limits": {names.GPU_RESOURCE: amount}}} for amount in amounts]

    spec = {"containers": written(containers), "initContainers": written(init_containers)}
    assert read(msgspec.convert({"metadata": {"labels": OURS}, "spec": spec}, Pod)).gpus == wanted


@pytest.mark.parametrize(
    ("written", "wanted"),
    [("0.5", "0.5"), ("1.2", "1.2"), ("half", "0"), ("9" * 5000, "0"), ("-1", "0")],
    ids=["half of one", "parts of two", "no number", "a number without end", "less than none"],
)
def test_parts_of_gpus_count_as_they_are_written_on_the_pod(written: str, wanted: str) -> None:
    metadata = {"labels": OURS, "annotations": {names.NUMBER_OF_GPUS_ANNOTATION: written}}
    assert read(msgspec.convert({"metadata": metadata, "spec": {"containers": []}}, Pod)).gpus == Decimal(wanted)


words = st.sampled_from(["", "Error", "Evicted", "NodeLost", "OOMKilled", "ErrImagePull", "Ready", "DisruptionTarget"])
times = st.sampled_from([None, "", "x", "2026-01-31T12:00:00Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59Z"])
states = st.one_of(
    st.just(UNSEEN),
    st.fixed_dictionaries({"running": st.fixed_dictionaries({"startedAt": times})}),
    st.fixed_dictionaries({"waiting": st.fixed_dictionaries({"reason": words})}),
    st.fixed_dictionaries(
        {
            "terminated": st.fixed_dictionaries(
                {"exitCode": st.integers(-1, 255), "reason": words, "finishedAt": times},
            )
        }
    ),
)
statuses = st.lists(st.fixed_dictionaries({"state": states}), max_size=3)
truths = st.sampled_from(["True", "False", "Unknown", ""])
conditions = st.fixed_dictionaries({"type": words, "status": truths, "lastTransitionTime": times})


@given(
    phase=st.sampled_from(["", "Pending", "Running", "Succeeded", "Failed", "Unknown", "New"]),
    node=st.sampled_from(["", "n1"]),
    deleted=st.booleans(),
    reason=words,
    start=times,
    inits=statuses,
    mains=statuses,
    listed=st.lists(conditions, max_size=3),
)
def test_any_pod_can_be_read(
    phase: str,
    node: str,
    deleted: bool,
    reason: str,
    start: str | None,
    inits: list[dict[str, Any]],
    mains: list[dict[str, Any]],
    listed: list[dict[str, Any]],
) -> None:
    found = read(
        given_pod(
            phase,
            node,
            deleted=deleted,
            reason=reason,
            startTime=start,
            initContainerStatuses=inits,
            containerStatuses=mains,
            conditions=listed,
        )
    )
    assert found.alive == (phase not in ("Succeeded", "Failed"))
    assert not (found.phase is PodPhase.SUCCEEDED and found.disrupted)
    assert found.alive or found.own_failure + found.disrupted + (found.phase is PodPhase.SUCCEEDED) == 1
    assert (found.finished_at is None) or not found.alive
