"""Inference workloads without Knative: a Deployment and its Service carry them out, on a real API server."""

from typing import Any

import pytest

from tests.support.arena import Arena, names_of
from tests.support.foreign import report

pytestmark = pytest.mark.cluster
INFERENCE = "InferenceWorkload"
PORT = {"items": {"http": {"value": {"container": 8000}}}}


def submit(arena: Arena, namespace: str, name: str, **given: Any) -> None:
    arena.submit(namespace, name, kind=INFERENCE, ports=PORT, **given)


def until_phase(arena: Arena, namespace: str, name: str, phase: str) -> dict[str, Any]:
    return arena.until_phase(namespace, name, phase, kind=INFERENCE)


def until_says(arena: Arena, namespace: str, name: str, words: str) -> dict[str, Any]:
    """Wait until the status has these words in its sentence; returns it."""
    return arena.until_status(
        namespace, name, lambda status: words in status.get("phaseMessage", ""), f"to say {words!r}", kind=INFERENCE
    )


def deployment(namespace: str, name: str = "") -> str:
    return f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}".rstrip("/")


def service(namespace: str, name: str) -> str:
    return f"/api/v1/namespaces/{namespace}/services/{name}"


def carried_out_by(arena: Arena, pod: dict[str, Any]) -> str:
    """The uid of the Deployment that a pod is of."""
    metadata = pod["metadata"]
    sets = arena.get(f"/apis/apps/v1/namespaces/{metadata['namespace']}/replicasets")["items"]
    [uid] = [owner["uid"] for owner in metadata["ownerReferences"]]
    [replicas] = [each for each in sets if each["metadata"]["uid"] == uid]
    return str(replicas["metadata"]["ownerReferences"][0]["uid"])


def test_s5_a_model_is_served_by_as_many_pods_as_it_asks_for(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    submit(arena, namespace, "chat", minScale=2, maxScale=2, gpu="2")
    arena.until(lambda: arena.running(namespace) == 4, "both of its pods to run")
    status = until_says(arena, namespace, "chat", "2 pods running")
    assert status["phase"] == "Running"
    assert (status["requestedGPU"], status["totalAllocatedGPU"], status["creationStatus"]) == ("4", "4", "Submitted")
    assert "reason" not in status
    assert f"http://chat.{namespace}.svc" in status["phaseMessage"]
    conditions = {each["type"]: each["status"] for each in status["conditions"]}
    assert conditions == {"Submitted": "True", "PodsScheduled": "True", "Running": "True"}
    assert [each["kind"] for each in status["createdResources"]] == ["Service", "Deployment"]
    pods = arena.pods(namespace)
    assert {pod["spec"]["priorityClassName"] for pod in pods} == {"inference"}
    served = arena.get(service(namespace, "chat"))["spec"]
    assert [(port["port"], port["targetPort"]) for port in served["ports"]] == [(80, 8000)]
    assert all(served["selector"].items() <= pod["metadata"]["labels"].items() for pod in pods)
    uid = arena.workload(namespace, "chat", INFERENCE)["metadata"]["uid"]
    [owner] = arena.get(deployment(namespace, "chat"))["metadata"]["ownerReferences"]
    assert (owner["uid"], owner["controller"]) == (uid, True)
    assert report(arena, namespace, "chat") == {}, "it is no workload of another kind"


def test_s8_its_pods_stay_within_the_quota_and_it_says_which_waits(arena: Arena) -> None:
    """Each pod is a job of its own: what fits runs."""
    arena.nodes(1)
    namespace = arena.project("a", deserved=2)
    submit(arena, namespace, "chat", minScale=3, maxScale=3)
    arena.until(lambda: arena.running(namespace) == 2, "two of three pods to run")
    arena.until_reason(namespace, "chat", "NonPreemptibleOverQuota", kind=INFERENCE)
    status = until_says(arena, namespace, "chat", "2 of 3 pods running")
    assert (status["requestedGPU"], arena.running(namespace)) == ("3", 2)
    arena.patch(arena.path(namespace, "chat", INFERENCE), {"spec": {"minScale": {"value": 1}}})
    arena.patch(arena.path(namespace, "chat", INFERENCE), {"spec": {"maxScale": {"value": 1}}})
    arena.until(lambda: len(arena.pods(namespace)) == 1, "it to shrink to one pod")
    arena.until_status(
        namespace,
        "chat",
        lambda status: (status["phase"], status["requestedGPU"]) == ("Running", "1") and "reason" not in status,
        "to ask for one GPU, and nothing to wait any more",
        kind=INFERENCE,
    )


def test_without_knative_it_says_what_is_not_possible(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    submit(arena, namespace, "chat", minScale=0, maxScale=3, target=10)
    message = until_phase(arena, namespace, "chat", "Running")["phaseMessage"]
    assert "scaling to zero needs Knative" in message
    assert "no metric inference_requests_in_flight of pods" in message
    scalers = f"/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers"
    assert arena.get(scalers)["items"] == []
    assert arena.only_pod(namespace, phase="Running")


def test_what_is_changed_or_deleted_by_hand_is_put_back(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    submit(arena, namespace, "chat", minScale=1, maxScale=1)
    until_phase(arena, namespace, "chat", "Running")
    where = deployment(namespace, "chat")
    made = arena.get(where)
    image = {"name": "chat", "image": "registry.example.com/other:1"}
    body = {"spec": {"replicas": 4, "template": {"spec": {"containers": [image]}}}}
    arena.lab.api.call("PATCH", where, body, content_type="application/strategic-merge-patch+json")
    arena.until(lambda: arena.get(where)["spec"] == made["spec"], "the Deployment to be as it was made")
    arena.delete(where)
    arena.delete(service(namespace, "chat"))

    def another() -> str:
        uid = str(arena.get(where)["metadata"]["uid"])
        return uid if uid != made["metadata"]["uid"] else ""

    remade = arena.until(another, "another Deployment")
    arena.until(lambda: arena.get(service(namespace, "chat")), "another Service")

    def its_pod() -> dict[str, Any]:
        [pod] = [pod for pod in arena.running_pods(namespace) if carried_out_by(arena, pod) == remade]
        return pod

    pod = arena.until(its_pod, "its pod to run")["metadata"]
    arena.delete(f"/api/v1/namespaces/{namespace}/pods/{pod['name']}")
    arena.until(lambda: its_pod()["metadata"]["uid"] != pod["uid"], "another pod to run")
    arena.delete(arena.path(namespace, "chat", INFERENCE))
    for kind, path in (("pods", f"/api/v1/namespaces/{namespace}/pods"), ("Deployments", deployment(namespace))):
        arena.until(lambda path=path: not arena.get(path)["items"], f"its {kind} to be gone")
    arena.until(lambda: not arena.get(service(namespace, "chat")), "its Service to be gone")


def test_an_update_never_needs_more_than_its_pods(arena: Arena) -> None:
    """The quota has no room for one pod more: a version that surged would wait for ever."""
    arena.nodes(1)
    namespace = arena.project("a", deserved=2)
    submit(arena, namespace, "chat", minScale=2, maxScale=2)
    arena.until(lambda: arena.running(namespace) == 2, "both of its pods to run")
    before = {pod["metadata"]["uid"] for pod in arena.pods(namespace)}
    body = {"spec": {"template": {"metadata": {"annotations": {"example.com/restarted": "now"}}}}}
    arena.patch(deployment(namespace, "chat"), body)

    def replaced() -> bool:
        pods = arena.pods(namespace)
        assert len([pod for pod in pods if pod["status"]["phase"] in ("Pending", "Running")]) <= 3
        return len(pods) == 2 and not before & {pod["metadata"]["uid"] for pod in pods}

    arena.until(replaced, "both pods to be replaced")
    arena.until(lambda: arena.running(namespace) == 2, "both of the new pods to run")
    annotations = arena.get(deployment(namespace, "chat"))["spec"]["template"]["metadata"]["annotations"]
    assert annotations["example.com/restarted"] == "now", "what others add stays"


def test_a_deployment_of_somebody_else_is_in_its_way(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    container = {"name": "main", "image": "x"}
    labels = {"app": "other"}
    arena.lab.api.call(
        "POST",
        deployment(namespace),
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "chat"},
            "spec": {
                "replicas": 0,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
            },
        },
    )
    submit(arena, namespace, "chat")
    status = arena.until_reason(namespace, "chat", "NameTaken", kind=INFERENCE)
    assert "a Deployment chat exists already and is not the workload's" in status["phaseMessage"]
    arena.delete(deployment(namespace, "chat"))
    until_phase(arena, namespace, "chat", "Running")
    assert names_of(arena.get(deployment(namespace))["items"]) == ["chat"]
