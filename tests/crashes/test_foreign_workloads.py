"""Workloads of other kinds when operators die, and when the operator may not read what it should."""

from typing import Any, Final

import pytest

from tests.crashes.stage import Stage
from tests.crashes.test_missing_things import without
from tests.support.foreign import active, define, owned_by, report, until_reported

pytestmark = [pytest.mark.cluster, pytest.mark.crashes, pytest.mark.xdist_group("crashes-broken")]

_MAY_READ: Final = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/aliquot-kind-reader"


def torch(stage: Stage, namespace: str, name: str, workers: int) -> dict[str, Any]:
    """Make a PyTorchJob, without its pods."""
    job = {
        "apiVersion": "kubeflow.org/v1",
        "kind": "PyTorchJob",
        "metadata": {"name": name},
        "spec": {"pytorchReplicaSpecs": {"Worker": {"replicas": workers}}},
    }
    return stage.make(f"/apis/kubeflow.org/v1/namespaces/{namespace}/pytorchjobs", job)


def worker(stage: Stage, owner: dict[str, Any], number: int) -> None:
    """Make one of its pods, as the training operator would."""
    metadata = {**owned_by(owner), "labels": {"training.kubeflow.org/replica-type": "worker"}}
    name = f"{owner['metadata']['name']}-worker-{number}"
    stage.pod(owner["metadata"]["namespace"], name, metadata=metadata)


def test_a_gang_is_the_same_gang_for_the_next_operator(stage: Stage) -> None:
    define(stage, "kubeflow.org", "PyTorchJob")
    operator = stage.operator()
    stage.nodes(1, gpus=4)
    mine = stage.project("mine", deserved=4)
    theirs = stage.project("theirs", deserved=0)
    running = torch(stage, theirs, "running", 2)
    for number in range(2):
        worker(stage, running, number)
    until_reported(stage, theirs, "running", "Running")
    half = torch(stage, theirs, "half", 2)
    worker(stage, half, 0)
    until_reported(stage, theirs, "half", "Pending")
    operator.kill()
    stage.delete(f"/apis/run.ai/v1alpha1/namespaces/{theirs}/externalworkloads")
    operator.start()
    operator.wait_ready()
    until_reported(stage, theirs, "running", "Running")
    until_reported(stage, theirs, "half", "Pending")
    assert len(active(stage.pods(theirs))) == 2, "one of two workers is there, and is not started alone"
    stage.submit(mine, "first", gpu="3")
    stage.until_phase(mine, "first", "Running")
    stage.until(lambda: stage.running(theirs) == 0, "the gang to go as one, though one GPU would have been enough")


def test_what_may_not_be_read_holds_nobody_up(stage: Stage) -> None:
    define(stage, "kubeflow.org", "PyTorchJob")
    stage.nodes(1, gpus=1)
    with without(stage, _MAY_READ):
        operator = stage.operator(settings={"ALIQUOT_FOREIGN__FILL_SECONDS": "3"})
        namespace = stage.project("a", deserved=8)
        job = torch(stage, namespace, "unread", 2)
        for number in range(2):
            worker(stage, job, number)
        stage.until(lambda: stage.running(namespace) == 1, "one of two to run, as nobody knows how many are needed")
        until_reported(stage, namespace, "unread", "Running")
        stage.until(lambda: "may not read a kind" in operator.log(), "the operator to say so")
    stage.until(
        lambda: report(stage, namespace, "unread")["spec"].get("requestedPods") == {"replicas": 2},
        "the report to say what was read once that was allowed",
    )
