"""Inference without Knative where the cluster has a metric: the autoscaler of Kubernetes' own controllers scales it.

It is told here because the API of such metrics is the whole cluster's.
"""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from tests.crashes.stage import Stage
from tests.support.pod_metrics import SERVICES, PodMetrics

pytestmark = [pytest.mark.cluster, pytest.mark.crashes, pytest.mark.xdist_group("crashes-broken")]

INFERENCE = "InferenceWorkload"
METRIC = "inference_requests_in_flight"
PORT = {"items": {"http": {"value": {"container": 8000}}}}


@pytest.fixture
def metrics(stage: Stage, tmp_path: Path) -> Generator[PodMetrics]:
    """A server of the metric that an autoscaler of concurrency follows, known to the API server."""
    namespace = stage.namespace("metrics")
    external = {"type": "ExternalName", "externalName": "localhost"}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "metrics"}, "spec": external}
    with PodMetrics(stage.lab.api, METRIC, tmp_path) as metrics:
        stage.lab.api.call("POST", f"/api/v1/namespaces/{namespace}/services", service)
        made = stage.lab.api.call("POST", SERVICES, metrics.manifest(namespace, "metrics"))
        path = f"{SERVICES}/{made['metadata']['name']}"
        try:
            stage.until(lambda: condition(stage.get(path), "Available")[0] == "True", "the metrics to be served")
            yield metrics
        finally:
            stage.delete(path)


def condition(written: dict[str, Any], kind: str) -> tuple[str, str]:
    """Status and reason of a condition; empty: there is none."""
    found = [each for each in written.get("status", {}).get("conditions", []) if each["type"] == kind]
    return (found[0]["status"], found[0]["reason"]) if found else ("", "")


def test_the_number_of_pods_follows_the_metric_and_the_workload_says_how_many(
    stage: Stage, metrics: PodMetrics
) -> None:
    stage.operator()
    stage.nodes(1)
    namespace = stage.project("a", deserved=8)
    given: dict[str, Any] = {"metric": "concurrency", "target": 10, "minScale": 1, "maxScale": 3}
    stage.submit(namespace, "chat", kind=INFERENCE, ports=PORT, **given)
    scaler = f"/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers/chat"
    stage.until(lambda: condition(stage.get(scaler), "ScalingActive")[0] == "True", "the autoscaler to be at work")
    made = stage.get(scaler)
    spec, [followed] = made["spec"], made["spec"]["metrics"]
    assert spec["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "chat"}
    assert (spec["minReplicas"], spec["maxReplicas"]) == (1, 3)
    assert followed["pods"]["metric"]["name"] == METRIC
    assert followed["pods"]["target"] == {"type": "AverageValue", "averageValue": "10"}
    uid = stage.workload(namespace, "chat", INFERENCE)["metadata"]["uid"]
    [owner] = made["metadata"]["ownerReferences"]
    assert (owner["uid"], owner["controller"]) == (uid, True)

    def runs(count: int) -> bool:
        status = stage.status(namespace, "chat", INFERENCE)
        counts = (status.get("requestedGPU"), status.get("totalAllocatedGPU"), status.get("runningPods"))
        return counts == (str(count), str(count), count) and len(stage.running_pods(namespace, "chat")) <= count

    def message() -> str:
        return str(stage.status(namespace, "chat", INFERENCE).get("phaseMessage", ""))

    stage.until(lambda: runs(1), "one pod to run, and the workload to say so")
    stage.until(lambda: "does not follow the load" not in message(), "its first moments without a value to be over")

    stage.patch(stage.path(namespace, "chat", INFERENCE), {"spec": {"minScale": {"value": 2}}})
    stage.until(lambda: runs(2), "two pods to run once it asks for two at least")
    assert stage.get(scaler)["spec"]["minReplicas"] == 2

    metrics.load = 30
    stage.until(lambda: runs(3), "three pods to run under the load of three")

    metrics.load = None
    stage.until(lambda: "does not follow the load" in message(), "the workload to say that nobody scales it")
    assert METRIC in message()
    assert condition(stage.get(scaler), "ScalingActive") == ("False", "FailedGetPodsMetric")
    assert runs(3), "its pods stay"

    metrics.load = 30
    stage.until(lambda: "does not follow the load" not in message(), "the workload to say no more of it")
    assert stage.status(namespace, "chat", INFERENCE)["phase"] == "Running"
