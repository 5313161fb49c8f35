"""Our own workloads that other operators carry out: MPI by the Training Operator, inference by Knative."""

from typing import Final

import pytest

from aliquot_lab.operators.knative import Knative
from aliquot_lab.operators.kubeflow import TrainingOperator
from tests.support.arena import Arena
from tests.support.foreign import report

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("operators")]

DISTRIBUTED: Final = "DistributedWorkload"
INFERENCE: Final = "InferenceWorkload"


def test_s36_an_mpi_workload_starts_whole_and_ends_with_its_launcher(
    arena: Arena, training_operator: TrainingOperator
) -> None:
    arena.nodes(1, gpus=1)
    namespace = arena.project("a", deserved=8)
    arena.submit(namespace, "dist1", kind=DISTRIBUTED, jobType="MPIJob", workers=2)
    status = arena.until_reason(namespace, "dist1", "NotEnoughResources", kind=DISTRIBUTED)
    assert status["totalAllocatedGPU"] == "0"
    arena.nodes(1, gpus=1)
    arena.until_phase(namespace, "dist1", "Running", kind=DISTRIBUTED)
    arena.until(lambda: arena.running(namespace) == 2, "both workers to run")
    pods = arena.until_running_pods(namespace, 3)
    [launcher] = [pod for pod in pods if "launcher" in pod["metadata"]["name"]]
    variables = {each["name"]: each.get("value") for each in launcher["spec"]["containers"][0]["env"]}
    assert variables["RUNAI_MPI_NUM_WORKERS"] == "2"
    assert report(arena, namespace, "dist1") == {}, "it is no workload of another kind"
    arena.end(namespace, launcher["metadata"]["name"])
    arena.until_phase(namespace, "dist1", "Completed", kind=DISTRIBUTED)
    arena.until(lambda: arena.running(namespace) == 0, "the workers to be cleaned up")


def test_s5_an_inference_workload_is_a_knative_service_with_its_address(arena: Arena, knative: Knative) -> None:
    arena.nodes(1, gpus=4)
    namespace = arena.project("a", deserved=4)
    arena.submit(
        namespace,
        "inference1",
        kind=INFERENCE,
        ports={"items": {"http": {"value": {"container": 8000}}}},
        minScale=1,
        maxScale=2,
        metric="concurrency",
        target=80,
    )
    status = arena.until_phase(namespace, "inference1", "Running", kind=INFERENCE)
    assert [each["kind"] for each in status["createdResources"]] == ["Service"]
    service = f"/apis/serving.knative.dev/v1/namespaces/{namespace}/services/inference1"
    arena.until(lambda: arena.status(namespace, "inference1", INFERENCE).get("externalUrls"), "its address")
    shown = arena.status(namespace, "inference1", INFERENCE)["externalUrls"]
    assert shown == [arena.get(service)["status"]["url"]]
    template = arena.get(service)["spec"]["template"]["metadata"]["annotations"]
    assert template["autoscaling.knative.dev/max-scale"] == "2"
    assert template["autoscaling.knative.dev/target"] == "80"
    arena.delete(arena.path(namespace, "inference1", INFERENCE))
    arena.until(lambda: not arena.get(service), "the Knative Service to go with it")
    arena.until(lambda: not arena.pods(namespace), "its pods to go")
