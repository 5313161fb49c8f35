"""MPI workloads, carried out by MPIJobs: tests install the kind, and make pods and conditions as its operator would.

The kind stays: tests come one after another, and watches would take their time to find it again.
"""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.arena import MERGE, TRAINING, Arena, names_of
from tests.support.foreign import define_for_all, owned_by, report, undefine

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("mpi")]
DISTRIBUTED = "DistributedWorkload"


def submit(arena: Arena, namespace: str, name: str, **given: Any) -> None:
    whole: dict[str, Any] = {"jobType": "MPIJob", "workers": 2, **given}
    arena.submit(namespace, name, kind=DISTRIBUTED, **whole)


def until_phase(arena: Arena, namespace: str, name: str, phase: str) -> dict[str, Any]:
    return arena.until_phase(namespace, name, phase, kind=DISTRIBUTED)


class MpiOperator:
    """What the MPI Operator does, one step at a time."""

    def __init__(self, arena: Arena) -> None:
        self._arena = arena
        self._jobs = define_for_all(arena, "kubeflow.org", "MPIJob", "v2beta1")

    def job(self, namespace: str, name: str) -> dict[str, Any]:
        """The MPIJob, waited for."""
        path = f"{self._jobs}/namespaces/{namespace}/mpijobs/{name}"
        return self._arena.until(lambda: self._arena.get(path), f"the MPIJob {name}")

    def gone(self, namespace: str, name: str) -> None:
        """Wait until the MPIJob is gone."""
        path = f"{self._jobs}/namespaces/{namespace}/mpijobs/{name}"
        self._arena.until(lambda: not self._arena.get(path), f"the MPIJob {name} to be gone")

    def make_pods(self, namespace: str, name: str) -> None:
        """Make the pods that the MPIJob asks for."""
        job = self.job(namespace, name)
        for role, part in job["spec"]["mpiReplicaSpecs"].items():
            for number in range(part["replicas"]):
                template = part["template"]
                called = f"{name}-{role.lower()}" + (f"-{number}" if role == "Worker" else "")
                labels = {**template["metadata"]["labels"], "training.kubeflow.org/job-role": role.lower()}
                metadata = {**template["metadata"], **owned_by(job), "name": called, "labels": labels}
                spec = {**template["spec"], "restartPolicy": part["restartPolicy"]}
                pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
                self._arena.lab.api.call("POST", f"/api/v1/namespaces/{namespace}/pods", pod)

    def say(self, namespace: str, name: str, kind: str, reason: str = "", message: str = "") -> None:
        """Say in the MPIJob's status that a condition holds."""
        condition = {
            "type": kind,
            "status": "True",
            "reason": reason or f"MPIJob{kind}",
            "message": message or f"MPIJob {name} is {kind}",
            "lastTransitionTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        path = f"{self._jobs}/namespaces/{namespace}/mpijobs/{name}"
        self._arena.lab.api.call("PATCH", path, {"status": {"conditions": [condition]}}, content_type=MERGE)


def test_without_the_kind_it_waits_and_begins_when_it_is_installed(arena: Arena) -> None:
    """cluster-api.md S36."""
    undefine(arena, "kubeflow.org", "MPIJob")
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    submit(arena, namespace, "dist1")
    status = arena.until_reason(namespace, "dist1", "NoMPIJob", kind=DISTRIBUTED)
    assert status["phase"] == "Pending"
    assert "install the MPI Operator" in status["phaseMessage"]
    operator = MpiOperator(arena)
    job = operator.job(namespace, "dist1")
    uid = arena.workload(namespace, "dist1", DISTRIBUTED)["metadata"]["uid"]
    [owner] = job["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["uid"], owner["controller"]) == (DISTRIBUTED, uid, True)
    operator.make_pods(namespace, "dist1")
    operator.say(namespace, "dist1", "Running")
    arena.until(lambda: arena.running(namespace) == 2, "both workers to run")
    status = arena.until_status(
        namespace,
        "dist1",
        lambda status: "3 pods running" in status["phaseMessage"],
        "to say that all three run",
        kind=DISTRIBUTED,
    )
    assert status["phase"] == "Running"
    assert (status["requestedGPU"], status["totalAllocatedGPU"], status["creationStatus"]) == ("2", "2", "Submitted")
    assert [each["kind"] for each in status["createdResources"]] == ["MPIJob"]
    assert report(arena, namespace, "dist1") == {}, "it is no workload of another kind"
    operator.say(namespace, "dist1", "Succeeded")
    status = until_phase(arena, namespace, "dist1", "Completed")
    assert status["requestedGPU"] == "0"
    arena.delete(arena.path(namespace, "dist1", DISTRIBUTED))
    operator.gone(namespace, "dist1")
    arena.until(lambda: not arena.pods(namespace), "its pods to be gone")


def test_launcher_and_workers_start_together_or_not_at_all(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=16)
    arena.submit(namespace, "in-the-way", gpu="1")
    arena.until_phase(namespace, "in-the-way", "Running")
    operator = MpiOperator(arena)
    submit(arena, namespace, "dist1", gpu="4")
    operator.make_pods(namespace, "dist1")
    status = arena.until_reason(namespace, "dist1", "NotEnoughResources", kind=DISTRIBUTED)
    assert (status["phase"], status["pendingPods"], status["totalAllocatedGPU"]) == ("Pending", 3, "0")
    arena.delete(arena.path(namespace, "in-the-way"))
    until_phase(arena, namespace, "dist1", "Running")
    arena.until(lambda: arena.running(namespace) == 8, "both workers to run")


def test_what_fails_has_failed_and_goes_when_it_says_so(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    operator = MpiOperator(arena)
    submit(arena, namespace, "dist1", autoDeletionTimeAfterCompletionSeconds=5)
    operator.make_pods(namespace, "dist1")
    until_phase(arena, namespace, "dist1", "Running")
    operator.say(namespace, "dist1", "Failed", "BackoffLimitExceeded", "the launcher failed")
    arena.until(lambda: not arena.workload(namespace, "dist1", DISTRIBUTED), "the workload to be gone")
    operator.gone(namespace, "dist1")
    arena.event(namespace, "dist1", "BackoffLimitExceeded", "it has failed: the launcher failed")


def test_a_time_limit_ends_it_and_its_job(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=8, members={"trainingJobTimeLimitSecs": 1})
    operator = MpiOperator(arena)
    submit(arena, namespace, "dist1")
    operator.make_pods(namespace, "dist1")
    status = arena.until_reason(namespace, "dist1", "TimedOut", kind=DISTRIBUTED)
    assert status["phase"] == "Failed"
    operator.gone(namespace, "dist1")
    arena.until(lambda: not arena.pods(namespace), "its pods to be gone")
    assert arena.status(namespace, "dist1", DISTRIBUTED)["reason"] == "TimedOut"


def test_training_says_it_in_the_older_way(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    operator = MpiOperator(arena)
    arena.submit(namespace, "solver", mpi=True, processes=2, slotsPerWorker=4)
    job = operator.job(namespace, "solver")
    assert job["spec"]["slotsPerWorker"] == 4
    [owner] = job["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"]) == (TRAINING, "solver")
    operator.make_pods(namespace, "solver")
    arena.until(lambda: arena.running(namespace) == 2, "both workers to run")
    status = arena.until_status(
        namespace,
        "solver",
        lambda status: "3 pods running" in status.get("phaseMessage", ""),
        "to say that all three run",
    )
    assert (status["phase"], status["requestedGPU"], status["totalAllocatedGPU"]) == ("Running", "2", "2")
    assert [each["kind"] for each in status["createdResources"]] == ["MPIJob"]
    assert report(arena, namespace, "solver") == {}, "it is no workload of another kind"
    operator.say(namespace, "solver", "Succeeded")
    arena.until_phase(namespace, "solver", "Completed")
    arena.delete(arena.path(namespace, "solver"))
    operator.gone(namespace, "solver")
    arena.until(lambda: not arena.pods(namespace), "its pods to be gone")


def test_it_ends_when_it_was_preempted_once_too_often(arena: Arena) -> None:
    arena.nodes(1, gpus=2)
    a, b = arena.project("a", deserved=2), arena.project("b", deserved=0)
    operator = MpiOperator(arena)
    submit(arena, b, "dist1", preemptionLimit=1)
    operator.make_pods(b, "dist1")
    arena.until(lambda: arena.running(b) == 2, "both workers to run")
    arena.submit(a, "owner", gpu="2")
    arena.until_phase(a, "owner", "Running")
    arena.until(lambda: not arena.pods(b), "launcher and workers to be gone")
    status = arena.status(b, "dist1", DISTRIBUTED)
    assert (status["preemptions"], status["phase"]) == (1, "Pending"), "the gang is counted, once"

    arena.patch(arena.path(a, "owner"), {"spec": {"active": {"value": False}}})
    arena.until_phase(a, "owner", "Stopped")
    operator.make_pods(b, "dist1")
    arena.until(lambda: arena.running(b) == 2, "both workers to run again")
    arena.patch(arena.path(a, "owner"), {"spec": {"active": {"value": True}}})
    status = arena.until_reason(b, "dist1", "Preempted", kind=DISTRIBUTED)
    operator.gone(b, "dist1")
    arena.until_phase(a, "owner", "Running")
    arena.until(lambda: not arena.pods(b), "its pods to be gone")
    assert status["phase"] == "Failed"
    assert status["phaseMessage"].startswith("preemptions: 2, preemptionLimit: 1; pod dist1-")
    assert f"was stopped for {a.removeprefix('runai-')}/owner" in status["phaseMessage"]
    assert arena.status(b, "dist1", DISTRIBUTED)["preemptions"] == 2
    arena.event(b, "dist1", "Preempted")


def test_a_job_of_somebody_else_is_in_its_way(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    path = f"{define_for_all(arena, 'kubeflow.org', 'MPIJob', 'v2beta1')}/namespaces/{namespace}/mpijobs"
    other = {"apiVersion": "kubeflow.org/v2beta1", "kind": "MPIJob", "metadata": {"name": "dist1"}, "spec": {}}
    arena.lab.api.call("POST", path, other)
    submit(arena, namespace, "dist1")
    status = arena.until_reason(namespace, "dist1", "NameTaken", kind=DISTRIBUTED)
    assert "a MPIJob dist1 exists already and is not the workload's" in status["phaseMessage"]
    arena.delete(f"{path}/dist1")
    arena.until(lambda: arena.get(f"{path}/dist1").get("metadata", {}).get("ownerReferences"), "its own to be made")
    assert names_of(arena.get(path)["items"]) == ["dist1"]
