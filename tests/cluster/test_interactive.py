"""Interactive workloads: one pod that never finishes by itself, on a real API server."""

from typing import Any

import pytest

from aliquot import names
from aliquot_lab import hollow
from tests.cluster.conftest import DOMAIN
from tests.support.arena import Arena, names_of

pytestmark = pytest.mark.cluster
INTERACTIVE = "InteractiveWorkload"


def submit(arena: Arena, namespace: str, name: str, **given: Any) -> None:
    arena.submit(namespace, name, kind=INTERACTIVE, **given)


def until_phase(arena: Arena, namespace: str, name: str, phase: str) -> dict[str, Any]:
    return arena.until_phase(namespace, name, phase, kind=INTERACTIVE)


def restarts(pod: dict[str, Any]) -> int:
    return sum(each.get("restartCount", 0) for each in pod["status"].get("containerStatuses", ()))


def uids(arena: Arena, namespace: str) -> set[str]:
    return {pod["metadata"]["uid"] for pod in arena.pods(namespace)}


def test_s31_a_build_runs_until_it_is_deleted(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    submit(arena, namespace, "build1", command="sleep", arguments="infinity")
    status = until_phase(arena, namespace, "build1", "Running")
    assert (status["requestedGPU"], status["totalAllocatedGPU"], status["creationStatus"]) == ("1", "1", "Submitted")
    assert {each["type"]: each["status"] for each in status["conditions"]} == {
        "Submitted": "True",
        "PodsScheduled": "True",
        "Running": "True",
    }
    pod = arena.only_pod(namespace, "build1")
    assert pod["metadata"]["name"] == "build1-0-0"
    [owner] = pod["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["controller"]) == (INTERACTIVE, "build1", True)
    assert (pod["spec"]["priorityClassName"], pod["spec"]["restartPolicy"]) == ("build", "Always")
    assert pod["spec"]["containers"][0]["command"] == ["sleep"]
    arena.delete(arena.path(namespace, "build1", INTERACTIVE))
    arena.until(lambda: not arena.pods(namespace), "its pod to be gone")


@pytest.mark.parametrize("code", ["0", "3"])
def test_s67_what_ends_is_started_again_in_its_place(arena: Arena, code: str) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    submit(arena, namespace, "crash", duration="300ms", annotations={"exit-code": code})
    status = arena.until_reason(namespace, "crash", "CrashLoopBackOff", kind=INTERACTIVE)
    assert (status["phase"], status["totalAllocatedGPU"]) == ("Initializing", "1")
    assert f"exit code {code}" in status["phaseMessage"]
    assert [each["status"] for each in status["conditions"] if each["type"] == "Running"] == ["False"]
    before = uids(arena, namespace)
    arena.until(lambda: restarts(arena.pods(namespace)[0]) >= 3, "its container to be started again")
    assert uids(arena, namespace) == before
    status = arena.status(namespace, "crash", INTERACTIVE)
    assert status["phase"] in ("Initializing", "Running")
    assert (status.get("failedPods", 0), status.get("succeededPods", 0)) == (0, 0)
    arena.event(namespace, "crash", "CrashLoopBackOff")


def test_s50_it_stays_within_its_quota_unless_it_is_preemptible(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=1)
    submit(arena, namespace, "first")
    until_phase(arena, namespace, "first", "Running")
    submit(arena, namespace, "second")
    status = arena.until_reason(namespace, "second", "NonPreemptibleOverQuota", kind=INTERACTIVE)
    assert status["phase"] == "Pending"
    submit(arena, namespace, "third", preemptible=True)
    until_phase(arena, namespace, "third", "Running")
    pod = arena.only_pod(namespace, "third")
    assert pod["spec"]["priorityClassName"] == "interactive-preemptible"


def test_s49_it_comes_before_training(arena: Arena) -> None:
    arena.nodes(1, gpus=1)
    namespace = arena.project("a", deserved=1)
    arena.submit(namespace, "training")
    arena.until_phase(namespace, "training", "Running")
    submit(arena, namespace, "build1")
    until_phase(arena, namespace, "build1", "Running")
    arena.until_phase(namespace, "training", "Pending")


def test_s69_a_preemptible_one_gives_its_gpus_back_and_waits_for_its_next_turn(arena: Arena) -> None:
    arena.nodes(1, gpus=1)
    poor, owner = arena.project("poor", deserved=0), arena.project("owner", deserved=1)
    submit(arena, poor, "guest", preemptible=True)
    until_phase(arena, poor, "guest", "Running")
    arena.submit(owner, "job-1")
    arena.until_phase(owner, "job-1", "Running")
    status = until_phase(arena, poor, "guest", "Pending")
    assert status.get("failedPods", 0) == 0
    arena.delete(arena.path(owner, "job-1"))
    until_phase(arena, poor, "guest", "Running")


def test_a_notebook_says_where_it_is(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    submit(arena, namespace, "notebook", job_name=None, namePrefix="jupyter", jupyter=True, image=None)
    status = until_phase(arena, namespace, "notebook", "Running")
    assert status["jobName"] == "jupyter-0"
    pod = arena.only_pod(namespace, "notebook")
    [container] = pod["spec"]["containers"]
    assert container["image"] == "quay.io/jupyter/scipy-notebook:latest"
    assert container["args"] == ["start-notebook.py", f"--ServerApp.base_url=/{arena.name}-a/jupyter-0"]
    assert [port["containerPort"] for port in container["ports"]] == [8888]


def test_tensorboard_runs_beside_it_and_does_not_say_how_it_is_doing(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    runs = {"items": {"runs": {"value": {"claimName": "runs", "size": "1Gi", "path": "/runs", "ephemeral": True}}}}
    submit(arena, namespace, "lab", tensorboard=True, tensorboardLogdir="/runs/today", pvcs=runs)
    status = until_phase(arena, namespace, "lab", "Running")
    own = f"/{arena.name}-a/lab"
    assert status["externalUrls"] == [f"https://{DOMAIN}{own}"]
    assert (status["requestedGPU"], status["totalAllocatedGPU"]) == ("1", "1")
    pod = arena.only_pod(namespace, "lab")
    main, board = pod["spec"]["containers"]
    assert (main["name"], board["name"], board["image"]) == ("lab", "lab-tensorboard", names.TENSORBOARD_IMAGE)
    assert board["args"] == ["--logdir=/runs/today", "--bind_all", "--port=6006", f"--path_prefix={own}"]
    path = f"/api/v1/namespaces/{namespace}/pods/lab-0-0"
    # Or the hollow kubelet would start the container again a second later, which a busy operator may not see.
    arena.patch(path, {"metadata": {"annotations": {hollow.FROZEN: "true"}}})

    def told(**waiting: str) -> None:
        """Have the kubelet say which containers wait; the others run."""
        running = {"running": {"startedAt": pod["metadata"]["creationTimestamp"]}}
        statuses = [
            {
                "name": each["name"],
                "image": each["image"],
                "imageID": "",
                "ready": each["name"] not in waiting,
                "restartCount": 1,
                "state": {"waiting": {"reason": waiting[each["name"]]}} if each["name"] in waiting else running,
            }
            for each in (main, board)
        ]
        arena.patch(f"{path}/status", {"status": {"containerStatuses": statuses}})

    told(lab="CrashLoopBackOff")
    assert arena.until_reason(namespace, "lab", "CrashLoopBackOff", kind=INTERACTIVE)["phase"] == "Initializing"
    told(**{"lab-tensorboard": "CrashLoopBackOff"})
    status = until_phase(arena, namespace, "lab", "Running")
    assert status["phaseMessage"] == "1 pod running"
    assert arena.only_pod(namespace, "lab")["metadata"]["uid"] == pod["metadata"]["uid"]


def test_suspended_it_gives_its_gpus_back_and_resumes(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    submit(arena, namespace, "build1")
    until_phase(arena, namespace, "build1", "Running")
    path = arena.path(namespace, "build1", INTERACTIVE)
    arena.patch(path, {"spec": {"active": {"value": False}}})
    until_phase(arena, namespace, "build1", "Stopped")
    arena.until(lambda: not arena.pods(namespace), "its pod to be gone")

    def holds() -> tuple[str, str]:
        status = arena.status(namespace, "build1", INTERACTIVE)
        return status["totalAllocatedGPU"], status["requestedGPU"]

    arena.until(lambda: holds() == ("0", "0"), "its GPU to be given back")
    arena.patch(path, {"spec": {"active": {"value": True}}})
    until_phase(arena, namespace, "build1", "Running")


def test_a_pod_that_is_deleted_comes_back(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    submit(arena, namespace, "build1")
    until_phase(arena, namespace, "build1", "Running")
    before = uids(arena, namespace)
    arena.delete(f"/api/v1/namespaces/{namespace}/pods/build1-0-0")
    arena.only_pod(namespace, phase="Running", but=before)
    assert until_phase(arena, namespace, "build1", "Running").get("failedPods", 0) == 0


def test_a_pod_that_fails_as_a_whole_is_made_again_and_the_last_one_stays(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    submit(arena, namespace, "build1")
    for attempt in range(3):
        name = f"build1-0-{attempt}"
        path = f"/api/v1/namespaces/{namespace}/pods/{name}"
        arena.until(
            lambda path=path: arena.get(path).get("status", {}).get("phase") == "Running", f"the pod {name} to run"
        )
        refused = {"phase": "Failed", "reason": "UnexpectedAdmissionError", "message": "no devices"}
        arena.patch(f"{path}/status", {"status": refused})
    until_phase(arena, namespace, "build1", "Running")
    arena.until(
        lambda: names_of(arena.pods(namespace)) == ["build1-0-2", "build1-0-3"], "all but the last failed pod to go"
    )
    arena.until(
        lambda: arena.status(namespace, "build1", INTERACTIVE)["failedPods"] == 3, "its status to count three failures"
    )


@pytest.mark.parametrize(
    ("kind", "given", "conditions"),
    [
        (INTERACTIVE, {}, ["Submitted", "PodsScheduled", "Running"]),
        ("TrainingWorkload", {"duration": "500ms"}, ["Submitted", "Completed"]),
    ],
)
def test_kubectl_waits_for_conditions(arena: Arena, kind: str, given: dict[str, Any], conditions: list[str]) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    arena.submit(namespace, "awaited", kind=kind, **given)
    for condition in conditions:
        what = f"{kind.lower()}/awaited"
        said = arena.lab.kubectl("wait", "-n", namespace, what, f"--for=condition={condition}", "--timeout=120s")
        assert "condition met" in said


def test_a_name_is_used_once_by_workloads_of_all_kinds(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    submit(arena, namespace, "same")
    until_phase(arena, namespace, "same", "Running")
    arena.submit(namespace, "same")
    status = arena.until_reason(namespace, "same", "NameTaken")
    assert "taken by the InteractiveWorkload same" in status["phaseMessage"]
    submit(arena, namespace, "nameless", job_name=None)
    arena.submit(namespace, "nameless", job_name=None)
    until_phase(arena, namespace, "nameless", "Running")
    arena.until_phase(namespace, "nameless", "Running")
    arena.delete(arena.path(namespace, "same", INTERACTIVE))
    arena.until_phase(namespace, "same", "Running")
    assert names_of(arena.pods(namespace)) == ["job-0-0-0", "job-1-0-0", "same-0-0"]


def test_what_cannot_be_carried_out_is_said(arena: Arena) -> None:
    namespace = arena.project("a", deserved=8)
    submit(arena, namespace, "wrong", notebookToken="secret", tensorboard=True)
    status = arena.until_reason(namespace, "wrong", "InvalidSpec", kind=INTERACTIVE)
    assert status["phase"] == "Failed"
    for word in ("spec.notebookToken.value", "spec.tensorboard"):
        assert word in status["phaseMessage"]


def test_a_template_creates_nothing(arena: Arena) -> None:
    arena.nodes(1)
    namespace = arena.project("a", deserved=8)
    template = {"image": {"value": "x"}, "usage": "Template"}
    manifest = {"apiVersion": "run.ai/v2alpha1", "kind": INTERACTIVE, "metadata": {"name": "s14"}, "spec": template}
    arena.make(arena.path(namespace, kind=INTERACTIVE), manifest)
    submit(arena, namespace, "after")
    until_phase(arena, namespace, "after", "Running")
    assert names_of(arena.pods(namespace)) == ["after-0-0"]
    assert "status" not in arena.workload(namespace, "s14", INTERACTIVE)
