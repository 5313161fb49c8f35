"""What the operator writes: what a workload that runs through needs, and nothing when nothing has changed.

Counted in the audit log of a lab of its own, where no other test's work is. That nothing was written can only be said
at a moment at which everything would have been: see `Counted.heard`.
"""

import re
import time
from collections import Counter
from collections.abc import Generator
from datetime import UTC, datetime
from typing import Final

import pytest

from aliquot_lab import Options, dedicated
from aliquot_lab.audit import Record
from demo import platform
from tests.support.arena import POOLS, PROJECTS, WORKLOADS, Arena
from tests.support.foreign import report, template, until_reported

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("api calls")]

OPERATOR: Final = "system:serviceaccount:runai:aliquot-operator"
SETTLE_SECONDS: Final = 2
"""Before a status is written."""
REPORT_SETTLE_SECONDS: Final = 1
WATCHED: Final = "sentinel"


class Counted(Arena):
    """An arena whose operator's writes are counted.

    Attributes:
        operator: the operator.
    """

    operator: platform.OperatorProcess

    def writes(self) -> list[Record]:
        """What the operator wrote so far, in order, without what `heard` made it write."""
        return [one for one in self.lab.audit() if one.user == OPERATOR and WATCHED not in one.namespace + one.name]

    def namespace_writes(self) -> int:
        """How often the operator wrote to namespaces, which the audit log leaves out, by its own count."""
        code, text = self.operator.probe("metrics")
        assert code == 200, text
        counts = re.findall(r'^aliquot_api_requests_total\{(.*resource="namespaces".*)\} (\S+)$', text, re.MULTILINE)
        return sum(int(float(value)) for labels, value in counts if not re.search(r'verb="(get|list|watch)"', labels))

    def sentinels(self) -> str:
        """Make what `heard` changes; returns the namespace."""
        label = {"labelKey": "sentinel", "labelValue": "yes"}
        pool = {"apiVersion": "run.ai/v1alpha1", "kind": "NodePool", "metadata": {"name": WATCHED}, "spec": label}
        self.make(POOLS, pool)
        self.lab.add_nodes([WATCHED], gpus=0, labels={"sentinel": "yes"})
        namespace = self.project(WATCHED, deserved=1)
        self.submit(namespace, "restless", gpu=None)
        self.until_phase(namespace, "restless", "Running")
        return namespace

    def heard(self) -> None:
        """Wait until the operator knows all that has happened so far, and has written all that it makes of it.

        A watch tells of things in their order, and what is put off is put off equally long. So a node, a pod and a
        workload are changed, and what the operator writes for them is awaited: it comes after what came before.
        """
        cordoned = not self.get(f"/api/v1/nodes/{WATCHED}")["spec"].get("unschedulable", False)
        self.patch(f"/api/v1/nodes/{WATCHED}", {"spec": {"unschedulable": cordoned}})
        told = f"Ready{',SchedulingDisabled' if cordoned else ''}"
        self.until(
            lambda: [node["status"] for node in self.get(f"{POOLS}/{WATCHED}")["status"]["nodes"]] == [told],
            "the node pool to say how its node is",
        )
        namespace = f"runai-{self.name}-{WATCHED}"
        pod = self.only_pod(namespace, "restless", phase="Running")
        self.delete(f"/api/v1/namespaces/{namespace}/pods/{pod['metadata']['name']}")

        self.only_pod(namespace, "restless", phase="Running", but={pod["metadata"]["uid"]})
        waiting = f"waiting-{pod['metadata']['uid']}"
        self.submit(namespace, waiting, job_name=None, gpu="17")
        self.until_reason(namespace, waiting, "NoSuchNode")
        self.delete(f"{WORKLOADS}/namespaces/{namespace}/trainingworkloads/{waiting}")


def counts(records: list[Record]) -> Counter[str]:
    """Such as `{"create pods": 1}`."""
    return Counter(f"{one.verb} {one.resource}/{one.subresource}".rstrip("/") for one in records)


class Settled:
    """How many statuses there may be of what began when this was made: each is put off for so many seconds."""

    def __init__(self, seconds: float, usual: int) -> None:
        self._seconds, self._usual = seconds, usual
        self._began = time.monotonic()

    def most(self) -> int:
        """As many as usual, or more where it has taken so long that there was time for them."""
        return max(self._usual, int((time.monotonic() - self._began) / self._seconds))


@pytest.fixture(scope="module")
def counted() -> Generator[Counted]:
    with dedicated(Options(audit=True)) as lab:
        platform.install(lab)
        settings = {
            "ALIQUOT_WORKLOADS__STATUS_SETTLE_SECONDS": str(SETTLE_SECONDS),
            "ALIQUOT_FOREIGN__REPORT_SETTLE_SECONDS": str(REPORT_SETTLE_SECONDS),
        }
        arena = Counted(lab, "counted")
        arena.operator = platform.start_operator(lab, settings=settings)
        arena.pool()
        arena.nodes(1)
        arena.sentinels()
        arena.project("a", deserved=8, department=arena.department("d", deserved=8))
        yield arena


@pytest.mark.parametrize("how_long", ["briefly", "for a while"])
def test_a_workload_that_runs_through_costs_one_pod_one_binding_two_statuses_and_one_event(
    counted: Counted, how_long: str
) -> None:
    namespace, name = f"runai-{counted.name}-a", f"job-{how_long.replace(' ', '-')}"
    before, settled = len(counted.writes()), Settled(SETTLE_SECONDS, 2)
    counted.submit(namespace, name, duration="1s" if how_long == "briefly" else None)
    if how_long == "for a while":
        counted.until_phase(namespace, name, "Running")
        counted.end(namespace, name)
    counted.until_phase(namespace, name, "Completed")
    most = settled.most()
    counted.heard()
    written = [one for one in counted.writes()[before:] if one.namespace == namespace]
    assert [one for one in written if one.code >= 300] == []
    found = counts(written)
    assert 1 <= found["update trainingworkloads/status"] <= most
    assert found["create events"] <= 1
    del found["update trainingworkloads/status"], found["create events"]
    assert found == {"create pods": 1, "create pods/binding": 1}


def test_an_interactive_workload_costs_no_more(counted: Counted) -> None:
    namespace, kind = f"runai-{counted.name}-a", "InteractiveWorkload"
    before, settled = len(counted.writes()), Settled(SETTLE_SECONDS, 2)
    counted.submit(namespace, "notebook", kind=kind)
    counted.until_phase(namespace, "notebook", "Running", kind=kind)
    most = settled.most()
    counted.heard()
    found = counts([one for one in counted.writes()[before:] if one.namespace == namespace])
    assert 1 <= found["update interactiveworkloads/status"] <= most
    assert found["create events"] <= 1
    del found["update interactiveworkloads/status"], found["create events"]
    assert found == {"create pods": 1, "create pods/binding": 1}
    counted.delete(counted.path(namespace, "notebook", kind))
    counted.until(lambda: not counted.pods(namespace, "notebook"), "its pod to be gone")
    counted.heard()  # what that makes it write is not the next test's


def test_a_generated_name_costs_one_write_more(counted: Counted) -> None:
    namespace = f"runai-{counted.name}-a"
    before = len(counted.writes())
    counted.submit(namespace, "nameless", job_name=None, duration="1s")
    counted.until_phase(namespace, "nameless", "Completed")
    counted.heard()
    found = counts([one for one in counted.writes()[before:] if one.namespace == namespace])
    assert found["patch trainingworkloads"] == 1


def test_what_a_workload_has_beside_its_pods_costs_one_write_each(counted: Counted) -> None:
    namespace = f"runai-{counted.name}-a"
    before = len(counted.writes())
    ports = {"items": {"api": {"value": {"container": 8000, "serviceType": "ClusterIP"}}}}
    claims = {"items": {"data": {"value": {"size": "1Gi", "path": "/data", "storageClass": "none"}}}}
    counted.submit(namespace, "served", gpu=None, ports=ports, pvcs=claims)
    counted.until_phase(namespace, "served", "Running")
    counted.heard()
    written = [one for one in counted.writes()[before:] if one.namespace == namespace]
    assert [one for one in written if one.code >= 300] == []
    found = counts(written)
    assert (found["create services"], found["create persistentvolumeclaims"]) == (1, 1)
    assert found["patch persistentvolumeclaims"] == 1, "the node where the volume is first used"
    assert not {what for what in found if "update services" in what}


def test_an_access_rule_costs_one_binding_and_one_status(counted: Counted) -> None:
    before = len(counted.writes())
    spec = {"subjectId": "ada", "roleName": "L1 researcher", "scopeName": f"{counted.name}-a"}
    rules = "/apis/run.ai/v1alpha1/accessrules"
    rule = {"apiVersion": "run.ai/v1alpha1", "kind": "AccessRule", "metadata": {"name": "ada"}, "spec": spec}
    counted.make(rules, rule)
    counted.until(lambda: counted.get(f"{rules}/ada").get("status", {}).get("phase") == "Ready", "the rule to be Ready")
    counted.heard()
    found = counts(counted.writes()[before:])
    assert {"create rolebindings": 1, "patch accessrules/status": 1}.items() <= found.items()


def test_the_same_state_again_writes_nothing(counted: Counted) -> None:
    namespace = f"runai-{counted.name}-a"
    counted.submit(namespace, "steady")
    counted.submit(namespace, "waiting", gpu="17")
    counted.until_phase(namespace, "steady", "Running")
    counted.until_reason(namespace, "waiting", "NoSuchNode")
    counted.heard()
    before, namespaces = counts(counted.writes()), counted.namespace_writes()
    for number in range(20):
        touched = {"metadata": {"labels": {"touched": str(number)}, "annotations": {"touched": str(number)}}}
        for pod in ("steady-0-0", "waiting-0-0"):
            counted.patch(f"/api/v1/namespaces/{namespace}/pods/{pod}", touched)
        counted.patch(f"/api/v1/namespaces/{namespace}", {"metadata": {"annotations": {"touched": str(number)}}})
        counted.patch(f"{WORKLOADS}/namespaces/{namespace}/trainingworkloads/steady", touched)
        counted.patch(f"{PROJECTS}/{counted.name}-a", touched)
        counted.patch(f"{POOLS}/{counted.name}", touched)
    counted.heard()
    assert counts(counted.writes()) == before
    assert counted.namespace_writes() == namespaces


def test_a_job_of_another_kind_costs_one_binding_one_report_and_at_most_three_statuses_of_it(counted: Counted) -> None:
    namespace, before = f"runai-{counted.name}-a", len(counted.writes())
    settled = Settled(REPORT_SETTLE_SECONDS, 3)
    pod = template(gpu=1, duration="1s")
    pod["spec"]["restartPolicy"] = "Never"
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "foreign"}, "spec": {"template": pod}}
    counted.make(f"/apis/batch/v1/namespaces/{namespace}/jobs", job)
    until_reported(counted, namespace, "foreign", "Completed")
    most = settled.most()
    counted.heard()
    found = counts([one for one in counted.writes()[before:] if one.namespace == namespace])
    assert found["patch externalworkloads/status"] <= most
    del found["patch externalworkloads/status"]
    assert found == {"create pods/binding": 1, "patch externalworkloads": 1}


def test_what_makes_no_difference_to_a_report_writes_nothing(counted: Counted) -> None:
    namespace = f"runai-{counted.name}-a"
    labels = {"app": "web"}
    spec = {"replicas": 2, "selector": {"matchLabels": labels}, "template": template(gpu=0, labels=labels)}
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    counted.make(path, {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec})
    until_reported(counted, namespace, "web", "Running")
    counted.until(lambda: len(report(counted, namespace, "web")["status"]["observedStatus"]["childIds"]) == 2, "2 pods")
    counted.until(lambda: "2 pods running" in str(report(counted, namespace, "web")), "both to run")
    counted.heard()
    before = counts(counted.writes())
    for number in range(20):
        touched = {"metadata": {"labels": {"touched": str(number)}, "annotations": {"touched": str(number)}}}
        counted.patch(f"{path}/web", touched)
        for pod in counted.pods(namespace):
            if pod["metadata"]["labels"].get("app") == "web":
                counted.patch(f"/api/v1/namespaces/{namespace}/pods/{pod['metadata']['name']}", touched)
    counted.heard()
    assert counts(counted.writes()) == before


def test_heartbeats_and_strangers_pods_write_nothing(counted: Counted) -> None:
    [node] = [node for node in counted.lab.ready_nodes() if node != WATCHED]
    namespace = counted.namespace("strangers")
    counted.pod(namespace, "stranger", gpu=0, schedulerName="default-scheduler", nodeName=node)
    counted.heard()
    before, namespaces = counts(counted.writes()), counted.namespace_writes()
    for number in range(20):
        moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        beat = {"type": "Ready", "status": "True", "reason": "KubeletReady", "lastHeartbeatTime": moment}
        patch = {"status": {"conditions": [{**beat, "message": f"beat {number}"}]}}
        path = f"/api/v1/nodes/{node}/status"
        counted.lab.api.call("PATCH", path, patch, content_type="application/strategic-merge-patch+json")
        label = {"metadata": {"labels": {"touched": str(number)}}}
        counted.patch(f"/api/v1/namespaces/{namespace}/pods/stranger", label)
    counted.heard()
    assert counts(counted.writes()) == before
    assert counted.namespace_writes() == namespaces


def test_an_operator_that_starts_again_writes_nothing(counted: Counted) -> None:
    counted.heard()
    before = counts(counted.writes())
    counted.operator.kill()
    counted.operator.start()
    counted.operator.wait_ready()
    counted.heard()
    assert counts(counted.writes()) == before
