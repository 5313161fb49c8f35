"""Workloads that other objects carry out, when operators die, and when Knative comes late."""

from typing import Any

import pytest

from aliquot_lab import Act, FaultProxy, Rule
from tests.crashes.stage import Stage
from tests.crashes.test_killed_operator import Killer
from tests.support.arena import MERGE, names_of
from tests.support.foreign import define, define_for_all, undefine

pytestmark = [pytest.mark.cluster, pytest.mark.crashes, pytest.mark.xdist_group("crashes-killed")]

INFERENCE = "InferenceWorkload"
PORT = {"items": {"http": {"value": {"container": 8000}}}}
DISTRIBUTED = "DistributedWorkload"


def submit(stage: Stage, namespace: str, name: str, **given: Any) -> None:
    stage.submit(namespace, name, kind=INFERENCE, ports=PORT, **given)


def listed(stage: Stage, path: str, namespace: str, plural: str) -> list[str]:
    return names_of(stage.get(f"{path}/namespaces/{namespace}/{plural}").get("items", []))


@pytest.mark.parametrize("nth", [1, 3])
def test_a_killed_operator_makes_nothing_twice(stage: Stage, proxy: FaultProxy, nth: int) -> None:
    define_for_all(stage, "kubeflow.org", "MPIJob", "v2beta1")
    killer = Killer(proxy, operator := stage.mortal_operator(proxy), nth)
    stage.nodes(1)
    namespace = stage.project("a", deserved=8)
    names = ["chat-0", "chat-1"]
    for name in names:
        submit(stage, namespace, name, minScale=2, maxScale=2)
    stage.submit(namespace, "dist1", kind=DISTRIBUTED, jobType="MPIJob", workers=2)

    def left() -> list[str]:
        said = {name: stage.status(namespace, name, INFERENCE) for name in names}
        jobs = listed(stage, "/apis/kubeflow.org/v2beta1", namespace, "mpijobs")
        return [
            *(f"{name}: {each}" for name, each in said.items() if "2 pods running" not in each.get("phaseMessage", "")),
            *([f"MPIJobs: {jobs}"] if jobs != ["dist1"] else []),
        ]

    stage.until_nothing(left)
    assert listed(stage, "/apis/apps/v1", namespace, "deployments") == names
    assert listed(stage, "/api/v1", namespace, "services") == names
    assert len(stage.pods(namespace)) == 4
    struck = {request.resource for request in killer.struck}
    assert nth > 1 or struck & {"deployments", "services", "mpijobs"}, struck
    assert not operator.ended_by_itself, operator.process.log()[-4000:]


def test_what_is_made_while_its_kind_goes_is_not_taken_to_be_there(stage: Stage, proxy: FaultProxy) -> None:
    """Its making is answered, and nobody ever tells that it is gone again."""
    define_for_all(stage, "kubeflow.org", "MPIJob", "v2beta1")
    stage.operator(proxy=proxy)
    stage.nodes(1)
    namespace = stage.project("a", deserved=8)

    def remove_kind(_: object) -> None:
        proxy.silence_watches("mpijobs")
        undefine(stage, "kubeflow.org", "MPIJob")

    proxy.add(Rule(Act(remove_kind, after=True), verb="create", resource="mpijobs", times=1))
    stage.submit(namespace, "beside")
    stage.submit(namespace, "dist1", kind=DISTRIBUTED, jobType="MPIJob", workers=2)
    said = stage.until_reason(namespace, "dist1", "NoMPIJob", kind=DISTRIBUTED)
    assert said["phase"] == "Pending"
    define_for_all(stage, "kubeflow.org", "MPIJob", "v2beta1")
    path = f"/apis/kubeflow.org/v2beta1/namespaces/{namespace}/mpijobs/dist1"
    stage.until(lambda: stage.get(path), "the MPIJob to be made")


def test_what_began_without_knative_stays_so_and_later_ones_use_it(stage: Stage) -> None:
    operator = stage.operator()
    stage.nodes(1)
    namespace = stage.project("a", deserved=8)
    submit(stage, namespace, "early")
    stage.until_phase(namespace, "early", "Running", kind=INFERENCE)
    knative = define(stage, "serving.knative.dev", "Service")
    stage.until(lambda: stage.get(knative).get("resources"), "the API server to name the kind")
    path = f"{knative}/namespaces/{namespace}/services"
    submit(stage, namespace, "late", minScale=0, maxScale=2)
    stage.until(lambda: stage.get(f"{path}/late"), "a Knative Service")
    template = stage.get(f"{path}/late")["spec"]["template"]["metadata"]
    assert template["annotations"]["autoscaling.knative.dev/max-scale"] == "2"
    ready = {"type": "Ready", "status": "True"}
    status = {"url": "http://late.example.com", "conditions": [ready]}
    stage.lab.api.call("PATCH", f"{path}/late", {"status": status}, content_type=MERGE)
    said = stage.until_phase(namespace, "late", "Running", kind=INFERENCE)
    assert (said["externalUrls"], said["requestedGPU"]) == (["http://late.example.com"], "0")
    assert "the first request starts one" in said["phaseMessage"]
    operator.kill()
    stage.patch(stage.path(namespace, "early", INFERENCE), {"spec": {"minScale": {"value": 2}}})
    stage.patch(stage.path(namespace, "late", INFERENCE), {"spec": {"minScale": {"value": 1}}})
    operator.start()
    operator.wait_ready()
    stage.until(lambda: stage.running(namespace) == 2, "the early one to have two pods")
    minimum = "autoscaling.knative.dev/min-scale"

    def asked() -> str:
        spec = stage.get(f"{path}/late")["spec"]
        return str(spec["template"]["metadata"]["annotations"].get(minimum, ""))

    stage.until(lambda: asked() == "1", "the Knative Service to ask for one pod")
    assert names_of(stage.get(path)["items"]) == ["late"]
    assert listed(stage, "/apis/apps/v1", namespace, "deployments") == ["early"]
