"""Jobs of the real Kubeflow Training Operator, applied by a user: gangs under Aliquot's scheduler, and shown."""

import json
from typing import Any, Final

import pytest

from aliquot_lab.api import ApiError
from aliquot_lab.operators.kubeflow import TrainingOperator
from tests.support.arena import Arena
from tests.support.foreign import active, report, template, until_reported

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("operators")]

KUBEFLOW: Final = "/apis/kubeflow.org/v1/namespaces"


def replicas(container: str, count: int, *, gpu: int, **more: Any) -> dict[str, Any]:
    """One entry of a job's replicas, whose pods run until they are told to end."""
    pods = template(gpu=gpu)
    del pods["spec"]["restartPolicy"]  # the operator sets it
    pods["spec"]["containers"][0]["name"] = container
    return {"replicas": count, "template": pods, **more}


def pytorch(name: str, workers: int, **run_policy: Any) -> dict[str, Any]:
    """A PyTorchJob with a master, each of its pods with one GPU."""
    roles = {
        "Master": replicas("pytorch", 1, gpu=1, restartPolicy="OnFailure"),
        "Worker": replicas("pytorch", workers, gpu=1, restartPolicy="OnFailure"),
    }
    spec = {"runPolicy": {"cleanPodPolicy": "Running", **run_policy}, "pytorchReplicaSpecs": roles}
    return {"apiVersion": "kubeflow.org/v1", "kind": "PyTorchJob", "metadata": {"name": name}, "spec": spec}


def mpi(name: str, workers: int) -> dict[str, Any]:
    """An MPIJob whose workers have one GPU each, and whose launcher has none."""
    roles = {"Launcher": replicas("mpi", 1, gpu=0), "Worker": replicas("mpi", workers, gpu=1)}
    spec = {"slotsPerWorker": 1, "runPolicy": {"cleanPodPolicy": "Running"}, "mpiReplicaSpecs": roles}
    return {"apiVersion": "kubeflow.org/v1", "kind": "MPIJob", "metadata": {"name": name}, "spec": spec}


def submit(arena: Arena, namespace: str, job: dict[str, Any]) -> str:
    """Make a job; returns its path."""
    path = f"{KUBEFLOW}/{namespace}/{job['kind'].lower()}s"
    arena.make(path, job)
    return f"{path}/{job['metadata']['name']}"


def until_says(arena: Arena, path: str, condition: str) -> None:
    """Wait until the job itself says so: that is the Training Operator's word."""
    arena.until(lambda: condition in said(arena, path), f"the Training Operator to say {condition}")


def said(arena: Arena, path: str) -> set[str]:
    conditions = arena.get(path).get("status", {}).get("conditions") or ()
    return {each["type"] for each in conditions if each["status"] == "True"}


def end(arena: Arena, namespace: str, pod: str) -> None:
    """Let a running pod end by itself, with exit code 0."""
    arena.patch(
        f"/api/v1/namespaces/{namespace}/pods/{pod}", {"metadata": {"annotations": {"lab.aliquot.dev/duration": "1ms"}}}
    )


def test_a_pytorch_job_starts_whole_or_not_at_all_and_ends_with_its_master(
    arena: Arena, training_operator: TrainingOperator
) -> None:
    arena.nodes(1, gpus=2)
    namespace = arena.project("a", deserved=8)
    path = submit(arena, namespace, pytorch("resnet", 2))
    arena.until(lambda: len(arena.pods(namespace)) == 3, "the Training Operator to make a master and two workers")
    arena.until(
        lambda: "3 pods" in json.dumps(report(arena, namespace, "resnet").get("status", {})),
        "the report to name the gang",
    )
    until_reported(arena, namespace, "resnet", "Pending")
    assert active(arena.pods(namespace)) == [], "two GPUs are free, and none is taken"
    arena.nodes(1, gpus=1)
    shown = until_reported(arena, namespace, "resnet", "Running")["spec"]
    arena.until(lambda: arena.running(namespace) == 3, "all three to run")
    assert (shown["type"], shown["projectName"]) == ("PyTorchJob", f"{arena.name}-a")
    assert (shown["requestedPods"], shown["priorityClassName"]) == ({"replicas": 3}, "train")
    until_says(arena, path, "Running")
    end(arena, namespace, "resnet-master-0")
    until_says(arena, path, "Succeeded")
    until_reported(arena, namespace, "resnet", "Completed")
    arena.until(lambda: arena.running(namespace) == 0, "the Training Operator to clean up the workers")


def test_an_mpi_job_is_one_gang_of_its_launcher_and_its_workers(
    arena: Arena, training_operator: TrainingOperator
) -> None:
    arena.nodes(1, gpus=1)
    namespace = arena.project("a", deserved=8)
    path = submit(arena, namespace, mpi("horovod", 2))
    arena.until(lambda: len(arena.pods(namespace)) == 3, "the Training Operator to make a launcher and two workers")
    arena.until(
        lambda: "3 pods" in json.dumps(report(arena, namespace, "horovod").get("status", {})),
        "the report to name the gang",
    )
    assert active(arena.pods(namespace)) == [], "neither the launcher nor a worker waits on a node for the others"
    arena.nodes(1, gpus=1)
    shown = until_reported(arena, namespace, "horovod", "Running")["spec"]
    assert (shown["type"], shown["requestedPods"]) == ("MPIJob", {"replicas": 3})
    arena.until(lambda: len(active(arena.pods(namespace))) == 3, "all three to start")
    until_says(arena, path, "Running")
    end(arena, namespace, "horovod-launcher")
    until_says(arena, path, "Succeeded")
    until_reported(arena, namespace, "horovod", "Completed")
    arena.until(lambda: arena.running(namespace) == 0, "the Training Operator to clean up the workers")


def test_a_gang_that_gave_its_gpus_back_starts_again_as_a_whole(
    arena: Arena, training_operator: TrainingOperator
) -> None:
    arena.nodes(1, gpus=2)
    mine = arena.project("mine", deserved=2)
    theirs = arena.project("theirs", deserved=0)
    path = submit(arena, theirs, pytorch("lent", 1))
    until_reported(arena, theirs, "lent", "Running")
    arena.submit(mine, "owner", gpu="1")
    arena.until_phase(mine, "owner", "Running")
    arena.until(lambda: arena.running(theirs) == 0, "the gang to go as one, though one GPU would have been enough")
    arena.until(
        lambda: len(arena.pods(theirs)) == 2 and not active(arena.pods(theirs)),
        "the Training Operator to make both pods anew",
    )
    arena.delete(arena.path(mine, "owner"))
    until_reported(arena, theirs, "lent", "Running")
    arena.until(lambda: arena.running(theirs) == 2, "both to run again")
    assert "Failed" not in said(arena, path)


def test_a_suspended_job_gives_its_gpus_back_and_takes_them_again(
    arena: Arena, training_operator: TrainingOperator
) -> None:
    arena.nodes(1, gpus=2)
    namespace = arena.project("a", deserved=2)
    path = submit(arena, namespace, pytorch("paused", 1))
    until_reported(arena, namespace, "paused", "Running")
    arena.patch(path, {"spec": {"runPolicy": {"suspend": True}}})
    until_reported(arena, namespace, "paused", "Stopped")
    arena.until(lambda: not arena.pods(namespace), "the Training Operator to delete its pods")
    arena.patch(path, {"spec": {"runPolicy": {"suspend": False}}})
    until_reported(arena, namespace, "paused", "Running")
    arena.until(lambda: arena.running(namespace) == 2, "both to run again")


def test_what_the_training_operator_refuses_is_refused(arena: Arena, training_operator: TrainingOperator) -> None:
    namespace = arena.project("a", deserved=1)
    job = pytorch("wrong", 1)
    job["spec"]["pytorchReplicaSpecs"]["Master"]["template"]["spec"]["containers"][0]["name"] = "main"
    with pytest.raises(ApiError, match="must have at least one container with name pytorch"):
        submit(arena, namespace, job)
