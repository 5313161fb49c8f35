"""What happened before an operator was killed still counts for the next one: times, marks, usage, what was told."""

import json
import re
import time
from datetime import datetime
from typing import Any, Final

import pytest

from aliquot_lab import hollow
from demo.platform import NAMESPACE, OperatorProcess
from tests.crashes.stage import SHORT_LEASE, Stage
from tests.support.arena import PROJECTS
from tests.support.scheduler_state import queues_of

pytestmark = [pytest.mark.cluster, pytest.mark.crashes, pytest.mark.xdist_group("crashes-broken")]

USAGE: Final = f"/api/v1/namespaces/{NAMESPACE}/configmaps/aliquot-usage"


def condition(pod: dict[str, Any], kind: str) -> dict[str, Any]:
    """A condition of a pod; empty when it has none of the kind."""
    found: list[dict[str, Any]] = pod["status"].get("conditions", [])
    return {key: value for each in found if each["type"] == kind for key, value in each.items()}


def moment(written: str) -> float:
    return datetime.fromisoformat(written).timestamp()


def member(stage: Stage, namespace: str, name: str, minimum: int) -> None:
    annotations = {"pod-group-name": "ring", "aliquot.dev/min-member": str(minimum)}
    stage.pod(namespace, name, metadata={"annotations": annotations})


def restart(operator: OperatorProcess) -> None:
    operator.kill()
    operator.start()
    operator.wait_ready()


def test_what_began_lately_is_left_alone_by_the_next_operator_too(stage: Stage) -> None:
    """scheduling.md 2.8: and once it has had its time it goes, though nothing else happens."""
    stage.nodes(1, gpus=2)
    operator = stage.operator(settings=SHORT_LEASE)
    a = stage.project("a", deserved=2)
    b = stage.project("b", deserved=0, reclaimMinRuntimeSecs=600)
    stage.submit(b, "borrower", gpu="2")
    stage.until_phase(b, "borrower", "Running")
    before = stage.only_pod(b)
    restart(operator)
    stage.submit(a, "owner", gpu="2")
    stage.until_reason(a, "owner", "NotEnoughResources")
    pod = stage.only_pod(b)
    assert pod["metadata"]["uid"] == before["metadata"]["uid"]
    bound = moment(condition(pod, "PodScheduled")["lastTransitionTime"])
    queues = stage.get(f"{PROJECTS}/{stage.name}-b")["spec"]["queues"]
    queues[0]["reclaimMinRuntimeSecs"] = seconds = int(time.time() - bound) + 10
    stage.patch(f"{PROJECTS}/{stage.name}-b", {"spec": {"queues": queues}})
    stage.until_phase(a, "owner", "Running")
    owner = stage.only_pod(a)
    assert moment(condition(owner, "PodScheduled")["lastTransitionTime"]) >= bound + seconds


def test_a_gang_that_lost_a_pod_is_stopped_when_it_has_been_short_for_so_long(stage: Stage) -> None:
    """scheduling.md 2.12, cluster-api.md S54: the time counts from the loss, whoever leads."""
    grace = "ALIQUOT_SCHEDULING__STALE_GANG_GRACE_SECONDS"
    stage.nodes(1, gpus=3)
    patient = stage.operator("patient", settings={**SHORT_LEASE, grace: "3600"})
    namespace = stage.project("a", deserved=3)
    for name in ("one", "two", "three"):
        member(stage, namespace, name, 3)
    stage.until(lambda: stage.running(namespace) == 3, "the gang to run")
    stage.delete(f"/api/v1/namespaces/{namespace}/pods/three")

    def mark() -> str:
        pods = [pod for pod in stage.pods(namespace) if pod["metadata"]["name"] != "three"]
        [when] = {condition(pod, "aliquot.dev/GangComplete")["lastTransitionTime"] for pod in pods}
        return str(when)

    marked = moment(stage.until(mark, "both pods to be marked"))
    patient.kill()
    stage.until(stage.lease_is_over, "the lease to be over, so that nobody has counted for a while")
    started = time.time()
    stage.operator("strict", settings={**SHORT_LEASE, grace: "5"})
    stage.until(lambda: stage.pods(namespace) == [], "what is left of the gang to be stopped")
    event = stage.event(namespace, "one", "Evicted")
    told = re.search(r"incomplete for (\d+) s: 2 pods of the 3", event["note"])
    assert told, event["note"]
    began = moment(event["eventTime"]) - int(told[1])
    assert int(told[1]) >= int(started - marked)
    assert began < started, "it has begun to count anew"


def test_a_gang_that_is_complete_again_loses_its_mark(stage: Stage) -> None:
    stage.nodes(1, gpus=2)
    stage.operator(settings={**SHORT_LEASE, "ALIQUOT_SCHEDULING__STALE_GANG_GRACE_SECONDS": "3600"})
    namespace = stage.project("a", deserved=2)
    for name in ("one", "two"):
        member(stage, namespace, name, 2)
    stage.until(lambda: stage.running(namespace) == 2, "the gang to run")
    stage.delete(f"/api/v1/namespaces/{namespace}/pods/two")
    path = f"/api/v1/namespaces/{namespace}/pods/one"

    def complete() -> tuple[str, str]:
        found = condition(stage.get(path), "aliquot.dev/GangComplete")
        return found.get("status", ""), found.get("reason", "")

    stage.until(lambda: complete() == ("False", "TooFewPods"), "a mark")
    member(stage, namespace, "three", 2)
    stage.until(lambda: complete()[0] == "True", "the mark to be lifted")
    stage.until(lambda: stage.running(namespace) == 2, "both to run")
    assert condition(stage.get(path), "PodScheduled")["status"] == "True", "other conditions stay"


def test_what_was_used_lately_is_known_to_the_next_operator(stage: Stage) -> None:
    """scheduling.md 2.7: who has used much gets less of what nobody deserves, and a restart forgets nothing."""
    stage.nodes(1, gpus=4)
    settings = {
        **SHORT_LEASE,
        "ALIQUOT_SCHEDULING__USAGE_FACTOR": "1",
        "ALIQUOT_SCHEDULING__USAGE_INTERVAL_SECONDS": "0.5",
    }
    operator = stage.operator(settings=settings)
    a, b = stage.project("a", deserved=0), stage.project("b", deserved=0)

    def used(name: str) -> float:
        queue = queues_of(operator, stage.name)[f"{stage.name}-{name}"]
        return float(queue.get("gpu", {}).get("usage", 0))

    for number in range(4):
        stage.submit(a, f"a{number}")
    stage.until(lambda: used("a") > 0.5, "a to have used most of the GPUs")

    def kept() -> dict[str, Any]:
        return json.loads(stage.get(USAGE).get("data", {}).get(stage.name, "{}"))

    stage.until(lambda: list(kept().get("queues", {})) == [f"{stage.name}-a"], "that to be written down")
    operator.kill()
    # A few seconds of use would be made up for in as many: so that it lasts, it is made far more.
    month = {queue: [1000 * hours for hours in used] for queue, used in kept()["queues"].items()}
    entry = {**kept(), "queues": month, "capacity": [1000 * hours for hours in kept()["capacity"]]}
    stage.patch(USAGE, {"data": {stage.name: json.dumps(entry)}})
    operator.start()
    operator.wait_ready()
    stage.until(lambda: used("a") > 0.5, "the next operator to know it")
    assert used("b") == 0
    for number in range(4):
        stage.submit(b, f"b{number}")
    stage.until(lambda: stage.running(b) > 2, "b to get more than its half, as a has had so much")


def test_what_makes_no_sense_is_told_once_whoever_leads(stage: Stage) -> None:
    stage.nodes(1)
    operator = stage.operator(settings=SHORT_LEASE)
    namespace = stage.project("a", deserved=8)
    stage.pod(namespace, "odd", gpu=0, metadata={"annotations": {"gpu-fraction": "1.5"}})
    stage.event(namespace, "odd", "InvalidRequest")
    restart(operator)
    stage.pod(namespace, "later", gpu=0, metadata={"annotations": {"gpu-fraction": "2"}})
    stage.event(namespace, "later", "InvalidRequest")
    [event] = stage.events(namespace, "odd")
    assert (event["reason"], "series" in event) == ("InvalidRequest", False)


def freeze(stage: Stage, pod: dict[str, Any], *, stays: bool) -> None:
    """Have a pod stand still as it is, though it is being deleted, or let it go on."""
    mark = {hollow.FROZEN: "true" if stays else None}
    stage.patch(path_of(pod), {"metadata": {"annotations": mark}})


@pytest.mark.parametrize("when", ["while they stop", "when they have gone"])
def test_room_is_kept_for_whom_others_were_stopped_though_the_operator_is_killed(stage: Stage, when: str) -> None:
    """Not one victim more, and nobody else takes the room: not even who is older, and would have the first turn."""
    stage.nodes(2, gpus=2)
    operator = stage.operator(settings=SHORT_LEASE)
    a, b = stage.project("a", deserved=2), stage.project("b", deserved=0)
    older = stage.pod(a, "older", gpu=2, schedulingGates=[{"name": "example.com/later"}])
    for name in ("first", "second"):
        stage.submit(b, name, gpu="2")
        stage.until_phase(b, name, "Running")
        freeze(stage, stage.only_pod(b, name), stays=True)
    stage.submit(a, "owner", gpu="2")

    def stopping() -> list[dict[str, Any]]:
        return [pod for pod in stage.pods(b) if "deletionTimestamp" in pod["metadata"]]

    [victim] = stage.until(stopping, "somebody to be stopped for the owner")
    owner = stage.only_pod(a, "owner")
    assert condition(victim, "aliquot.dev/MakesRoom")["message"] == owner["metadata"]["uid"]

    def nominated() -> str:
        return str(stage.get(path_of(owner))["status"].get("nominatedNodeName", ""))

    stage.until(lambda: nominated() == victim["spec"]["nodeName"], "the owner to say what it was promised")
    operator.kill()
    stage.patch(path_of(older), {"spec": {"schedulingGates": None}})
    if when == "when they have gone":
        freeze(stage, victim, stays=False)
        stage.until(lambda: not stopping(), "the victim to go")
    operator.start()
    operator.wait_ready()
    if when == "while they stop":
        stage.until(lambda: stage.events(a, "older"), "the older one to be told that it waits")
        freeze(stage, victim, stays=False)
    stage.until_phase(a, "owner", "Running")
    stage.until(lambda: stage.events(a, "older"), "the older one to be told that it waits")
    assert stage.only_pod(a, "owner")["spec"]["nodeName"] == victim["spec"]["nodeName"]
    assert "nodeName" not in stage.get(path_of(older))["spec"]
    assert len([pod for pod in stage.pods(b) if pod["status"]["phase"] == "Running"]) == 1, "and nobody else stops"
    assert not stopping()


def path_of(pod: dict[str, Any]) -> str:
    return f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"
