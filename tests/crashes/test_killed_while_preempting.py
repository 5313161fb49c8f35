"""An operator that is killed while others take a workload's GPUs: each preemption is counted, and none twice."""

from typing import Any

import pytest

from aliquot_lab import Act, Answer, ApiRequest, Cut, FaultProxy, Rule
from demo.platform import NAMESPACE
from tests.crashes.stage import Stage, tried
from tests.support.arena import WORKLOADS

pytestmark = [pytest.mark.cluster, pytest.mark.crashes, pytest.mark.xdist_group("crashes-killed")]

POINTS: dict[str, tuple[str, str, bytes, bool]] = {
    "before a pod is marked": ("patch", "pods/status", b"aliquot.dev/MakesRoom", False),
    "when it is marked": ("patch", "pods/status", b"aliquot.dev/MakesRoom", True),
    "when it is counted": ("update", "trainingworkloads/status", b"countedPods", True),
    "when it is deleted": ("delete", "pods", b"", True),
}
"""The first such write is the last of the operator's life; whether it is carried out."""


@pytest.mark.parametrize(("verb", "resource", "said", "done"), POINTS.values(), ids=POINTS)
def test_a_preemption_is_counted_once_though_the_operator_is_killed(
    stage: Stage, proxy: FaultProxy, verb: str, resource: str, said: bytes, done: bool
) -> None:
    stage.nodes(1, gpus=3)
    operator = stage.mortal_operator(proxy)
    a, b = stage.project("a", deserved=3), stage.project("b", deserved=0)
    stage.submit(b, "ends", terminateAfterPreemption=True)
    stage.submit(b, "waits", preemptionLimit=1)
    stage.submit(b, "both", completions=2, parallelism=1)
    stage.until(lambda: stage.running(b) == 3, "the borrowers to run")
    struck: list[ApiRequest] = []

    def is_it(request: ApiRequest) -> bool:
        if not struck and (request.verb, request.resource) == (verb, resource) and said in request.body:
            struck.append(request)
        return bool(struck) and struck[0] is request

    proxy.add(
        Rule(Act(lambda _: operator.kill(), after=done), when=is_it, times=1),
        Rule(Cut(after=done), when=is_it, times=1),
    )
    stage.submit(a, "owner", gpu="3")
    stage.until(tried(lambda: stage.status(a, "owner").get("phase") == "Running"), "the owner to run", seconds=300)
    expected = {"ends": ("Failed", 1), "waits": ("Pending", 1), "both": ("Pending", 1)}

    def seen() -> dict[str, tuple[Any, Any]]:
        found = {name: stage.status(b, name) for name in expected}
        return {name: (status.get("phase"), status.get("preemptions")) for name, status in found.items()}

    stage.until(tried(lambda: seen() == expected), "all three to say what has happened")
    stage.until(
        tried(lambda: not any(stage.status(b, name).get("countedPods") for name in expected)), "nothing left to count"
    )
    assert seen() == expected
    assert struck, "it was never killed"
    assert not operator.ended_by_itself, operator.process.log()[-4000:]


def test_a_status_that_cannot_be_written_holds_nobodys_gpus_up_for_long(stage: Stage, proxy: FaultProxy) -> None:
    stage.nodes(1, gpus=1)
    stage.mortal_operator(proxy)
    a, b = stage.project("a", deserved=1), stage.project("b", deserved=0)
    stage.submit(b, "borrower")
    stage.until_phase(b, "borrower", "Running")

    def is_its_status(request: ApiRequest) -> bool:
        return (request.verb, request.resource) == ("update", "trainingworkloads/status") and request.namespace == b

    proxy.add(Rule(Answer(500), when=is_its_status))
    stage.submit(a, "owner")
    stage.until_phase(a, "owner", "Running")
    assert stage.status(b, "borrower").get("preemptions") is None


def test_s28_a_policy_for_all_projects_and_one_for_a_single_project(stage: Stage) -> None:
    """cluster-api.md S28. It is told here because a policy for all would concern the workloads of other tests."""
    stage.nodes(1, gpus=2)
    stage.operator()
    projects = {name: stage.project(name, deserved=2 if name == "owner" else 0) for name in ("owner", "waits", "ends")}
    for namespace, ends in ((NAMESPACE, True), (projects["waits"], False)):
        policy = {
            "apiVersion": "run.ai/v2alpha1",
            "kind": "TrainingPolicy",
            "metadata": {"name": stage.name},
            "spec": {"terminateAfterPreemption": {"value": ends}},
        }
        policies = f"{WORKLOADS}/namespaces/{namespace}/trainingpolicies"
        stage.make(policies, policy)
        stage.until(
            lambda policies=policies: stage.get(f"{policies}/{stage.name}").get("status"),
            f"the operator to know the policy in {namespace}",
        )
    for name in ("waits", "ends"):
        stage.submit(projects[name], "borrower")
        stage.until_phase(projects[name], "borrower", "Running")
    stage.submit(projects["owner"], "owner", gpu="2")
    assert stage.until_reason(projects["ends"], "borrower", "Preempted")["phase"] == "Failed"
    status = stage.until_phase(projects["waits"], "borrower", "Pending")
    assert status["preemptions"] == 1
