"""Services of the real Knative Serving, applied by a user: their pods use the project's quota, and they are shown."""

import json
from typing import Any, Final

import pytest

from aliquot_lab.operators.knative import Knative
from tests.support.arena import Arena
from tests.support.foreign import active, report, template, until_reported

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("operators")]

SERVING: Final = "/apis/serving.knative.dev/v1/namespaces"


AUTOSCALING: Final = "autoscaling.knative.dev/"


def service(name: str, *, scale: int, **autoscaling: str) -> dict[str, Any]:
    """A Knative Service of so many pods at least, each with one GPU."""
    said = {"min-scale": str(scale), **autoscaling}
    pods = template(gpu=1, annotations={f"{AUTOSCALING}{key}": value for key, value in said.items()})
    del pods["spec"]["restartPolicy"]  # Knative's own
    spec = {"template": pods}
    return {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def ready(arena: Arena, path: str) -> str:
    """What Knative says of a Service: True, False, Unknown; empty: nothing yet."""
    conditions = arena.get(path).get("status", {}).get("conditions") or ()
    return next((each["status"] for each in conditions if each["type"] == "Ready"), "")


def test_a_services_pods_start_together_in_the_quota_of_their_project(arena: Arena, knative: Knative) -> None:
    [node] = arena.nodes(1, gpus=4)
    namespace = arena.project("a", deserved=2)
    services = f"{SERVING}/{namespace}/services"
    arena.make(services, service("chat", scale=2))
    arena.until(lambda: ready(arena, f"{services}/chat") == "True", "Knative to call the Service ready")
    running = until_reported(arena, namespace, "chat", "Running")["spec"]
    arena.until(lambda: arena.running(namespace) == 2, "both pods to run")
    assert {pod["spec"]["nodeName"] for pod in arena.pods(namespace)} == {node}
    assert (running["type"], running["projectName"], running["priorityClassName"]) == (
        "Service",
        f"{arena.name}-a",
        "inference",
    )
    arena.delete(f"{services}/chat")
    arena.until(lambda: not arena.pods(namespace), "its pods to go")
    arena.until(lambda: report(arena, namespace, "chat") == {}, "the report to go with it")


def test_a_service_beyond_the_quota_waits_as_a_whole_though_gpus_are_idle(arena: Arena, knative: Knative) -> None:
    """Inference is not preemptible, so it borrows nothing."""
    arena.nodes(1, gpus=4)
    namespace = arena.project("a", deserved=2)
    services = f"{SERVING}/{namespace}/services"
    arena.make(services, service("large", scale=3))
    arena.until(
        lambda: "NonPreemptibleOverQuota" in json.dumps(report(arena, namespace, "large").get("status", {})),
        "the report to say why it waits",
    )
    assert active(arena.pods(namespace)) == [], "two of three would fit in the quota, and the revision needs three"
    assert ready(arena, f"{services}/large") != "True"
    project = f"/apis/run.ai/v2/projects/{arena.name}-a"
    queues = arena.get(project)["spec"]["queues"]
    queues[0]["resources"]["gpu"]["deserved"] = 3
    arena.patch(project, {"spec": {"queues": queues}})
    until_reported(arena, namespace, "large", "Running")
    arena.until(lambda: ready(arena, f"{services}/large") == "True", "Knative to call the Service ready")
    arena.until(lambda: arena.running(namespace) == 3, "all three pods to run")


def test_a_service_of_a_horizontal_autoscaler_starts_with_its_least_scale(arena: Arena, knative: Knative) -> None:
    arena.nodes(1, gpus=4)
    namespace = arena.project("a", deserved=4)
    services = f"{SERVING}/{namespace}/services"
    autoscaled = {"class": f"hpa.{AUTOSCALING.rstrip('/')}", "metric": "cpu", "max-scale": "3"}
    arena.make(services, service("busy", scale=2, **autoscaled))
    arena.until(lambda: ready(arena, f"{services}/busy") == "True", "Knative to call the Service ready")
    until_reported(arena, namespace, "busy", "Running")
    arena.until(lambda: arena.running(namespace) == 2, "both pods to run")
