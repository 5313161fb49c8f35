"""What an API server lets the agent change, by its rights and policies: asked with the token of a pod of its."""

import secrets
from collections.abc import Generator
from typing import Any, Final

import pytest
import yaml

from aliquot_lab import Cluster
from aliquot_lab.api import Api, ApiError
from aliquot_lab.kubeconfig import Access
from aliquot_lab.processes import eventually
from demo import platform
from tests.chart.chart_support import CHART, COMPONENT
from tests.support.arena import MERGE, PATIENCE_SECONDS

pytestmark = pytest.mark.cluster

RBAC: Final = "/apis/rbac.authorization.k8s.io/v1"
ADMISSION: Final = "/apis/admissionregistration.k8s.io/v1"
KINDS: Final = {
    "ServiceAccount": "",
    "ClusterRole": f"{RBAC}/clusterroles",
    "ClusterRoleBinding": f"{RBAC}/clusterrolebindings",
    "ValidatingAdmissionPolicy": f"{ADMISSION}/validatingadmissionpolicies",
    "ValidatingAdmissionPolicyBinding": f"{ADMISSION}/validatingadmissionpolicybindings",
}
SAFE_POD: Final = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
CONTAINER: Final = {
    "name": "c",
    "image": "localhost/x:1",
    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
}
Change = tuple[str, dict[str, Any]]
"""Which object, and a merge patch."""


class Agents:
    """A release's agent on a node of its own, and pods here and there."""

    def __init__(self, lab: Cluster, release: str) -> None:
        self.lab = lab
        self.release = release
        self.account = f"{release}-aliquot-agent"
        self.here, self.elsewhere = f"{release}-here", f"{release}-elsewhere"

    def pod(self, name: str, node: str, namespace: str, **spec: Any) -> dict[str, Any]:
        body = {
            "metadata": {
                "name": name,
                "annotations": {"mine": "x", "aliquot.dev/gpu-ids": "GPU-a"},
                "labels": {"app": "x"},
            },
            "spec": {"nodeName": node, "securityContext": SAFE_POD, "containers": [CONTAINER], **spec},
        }
        return self.lab.api.call("POST", f"/api/v1/namespaces/{namespace}/pods", body)

    def api(self, node: str) -> Api:
        """The API server as an agent of a node meets it."""
        pod = self.pod(f"agent-{node}", node, self.release, serviceAccountName=self.account)
        bound = {"kind": "Pod", "apiVersion": "v1", "name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"]}
        return self._with_token({"boundObjectRef": bound})

    def api_without_a_node(self) -> Api:
        return self._with_token({})

    def _with_token(self, spec: dict[str, Any]) -> Api:
        path = f"/api/v1/namespaces/{self.release}/serviceaccounts/{self.account}/token"
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        token = self.lab.api.call("POST", path, request)["status"]["token"]
        return Api(Access(self.lab.server, self.lab.access.authority, token=token))

    def path(self, what: str) -> str:
        """Of an object of this test by a short name."""
        return {
            "pod": f"/api/v1/namespaces/{self.release}/pods/sharer",
            "pod elsewhere": f"/api/v1/namespaces/{self.release}/pods/stranger",
            "reservation": f"/api/v1/namespaces/runai-reservation/pods/{self.release}",
            "node": f"/api/v1/nodes/{self.here}",
            "node elsewhere": f"/api/v1/nodes/{self.elsewhere}",
            "status of the pod": f"/api/v1/namespaces/{self.release}/pods/sharer/status",
        }[what]

    def refusal(self, api: Api, what: str, patch: dict[str, Any]) -> str:
        """Why a change is refused; empty: it is not."""
        try:
            api.call("PATCH", f"{self.path(what)}?dryRun=All", patch, content_type=MERGE)
        except ApiError as refused:
            return str(refused)
        return ""


@pytest.fixture(scope="module")
def agents(lab: Cluster, operator: platform.OperatorProcess) -> Generator[Agents]:
    del operator  # the platform is installed, and with it the namespace of reservations
    agents = Agents(lab, f"t{secrets.token_hex(4)}")
    known = "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy"
    chosen = ("--set", "agent.enabled=true,crds.enabled=false", "--api-versions", known)
    rendered = lab.helm("template", agents.release, str(CHART), "--namespace", agents.release, *chosen)
    found = [each for each in yaml.safe_load_all(rendered) if each and each["kind"] in KINDS]
    mine = [each for each in found if each["metadata"]["labels"].get(COMPONENT) == "agent"]
    lab.add_namespace(agents.release)
    lab.add_nodes([agents.here, agents.elsewhere])
    paths = KINDS | {"ServiceAccount": f"/api/v1/namespaces/{agents.release}/serviceaccounts"}
    try:
        for each in mine:
            lab.api.call("POST", paths[each["kind"]], each)
        agents.pod("sharer", agents.here, agents.release)
        agents.pod("stranger", agents.elsewhere, agents.release)
        agents.pod(agents.release, agents.here, "runai-reservation")
        yield agents
    finally:
        for each in mine:
            lab.api.call("DELETE", f"{paths[each['kind']]}/{each['metadata']['name']}")
        lab.api.call("DELETE", f"/api/v1/namespaces/runai-reservation/pods/{agents.release}?gracePeriodSeconds=0")
        lab.remove_namespace(agents.release)
        for node in (agents.here, agents.elsewhere):
            lab.remove_node(node)


@pytest.fixture(scope="module")
def api(agents: Agents) -> Api:
    """As the agent here; the policies are in force."""
    api = agents.api(agents.here)
    for what in ("pod", "node"):
        in_force = eventually(lambda: agents.refusal(api, what, labels(x="y")) != "", seconds=PATIENCE_SECONDS)  # noqa: B023
        assert in_force, f"nothing holds the agent back from a {what}"
    return api


def annotations(**values: str | None) -> dict[str, Any]:
    """A patch; names of ours are those after the domain."""
    ours = {f"aliquot.dev/{key.replace('_', '-')}": value for key, value in values.items()}
    return {"metadata": {"annotations": ours}}


def labels(**values: str | None) -> dict[str, Any]:
    return {"metadata": {"labels": values}}


GPU_LABELS: Final = {f"nvidia.com/{key}": "1" for key in ("gpu.count", "gpu.memory", "gpu.product", "mig.strategy")}
ANSWER: Final = {"metadata": {"annotations": {"run.ai/reserve_for_gpu_index": "GPU-a"}}}
ALLOWED: dict[str, Change] = {
    "idleness": ("pod", annotations(gpu_idle_since="x")),
    "that it is seen": ("pod", annotations(gpu_idle_seen="x")),
    "overuse": ("pod", annotations(gpu_memory_overuse="x")),
    "both of a reservation": ("reservation", annotations(gpu_memory_overuse="x", gpu_idle_since="x")),
    "an answer": ("reservation", ANSWER),
    "health": ("node", annotations(gpu_health="x")),
    "taking back what is not there": ("pod", annotations(gpu_idle_since=None)),
    "labels of GPUs": ("node", {"metadata": {"labels": GPU_LABELS}}),
}
REFUSED: dict[str, Change] = {
    "devices of a pod": ("pod", annotations(gpu_ids="GPU-b")),
    "devices of a pod, taken away": ("pod", annotations(gpu_ids=None)),
    "an annotation of others": ("pod", {"metadata": {"annotations": {"mine": "y"}}}),
    "an answer to who is no reservation": ("pod", ANSWER),
    "health of a pod": ("pod", annotations(gpu_health="x")),
    "a label of a pod": ("pod", labels(app="y")),
    "a label of a pod, taken away": ("pod", labels(app=None)),
    "a new label of a pod": ("pod", labels(new="y")),
    "the image of a pod": ("pod", {"spec": {"containers": [{**CONTAINER, "image": "localhost/y:1"}]}}),
    "a pod's deadline": ("pod", {"spec": {"activeDeadlineSeconds": 1}}),
    "a finalizer": ("pod", {"metadata": {"finalizers": ["x.com/y"]}}),
    "an owner": (
        "pod",
        {"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": "n", "uid": "u"}]}},
    ),
    "the status of a pod": ("status of the pod", {"status": {"message": "x"}}),
    "a pod of another node": ("pod elsewhere", annotations(gpu_idle_since="x")),
    "another node": ("node elsewhere", annotations(gpu_health="x")),
    "taints of the node": ("node", {"spec": {"taints": [{"key": "x", "effect": "NoSchedule"}]}}),
    "closing the node": ("node", {"spec": {"unschedulable": True}}),
    "another label of the node": ("node", labels(x="y")),
    "an annotation of a pod on the node": ("node", annotations(gpu_idle_since="x")),
}


@pytest.mark.parametrize("name", ALLOWED)
def test_the_agent_changes_what_it_has_to(name: str, agents: Agents, api: Api) -> None:
    assert agents.refusal(api, *ALLOWED[name]) == ""


@pytest.mark.parametrize("name", REFUSED)
def test_the_agent_changes_nothing_else(name: str, agents: Agents, api: Api) -> None:
    assert " 403 " in agents.refusal(api, *REFUSED[name]) or " 422 " in agents.refusal(api, *REFUSED[name])


@pytest.mark.parametrize("what", ["pod", "reservation", "node"])
def test_a_token_that_is_for_no_node_changes_nothing(what: str, agents: Agents, api: Api) -> None:
    del api  # the policies are in force
    told = annotations(gpu_health="x") if what == "node" else annotations(gpu_idle_since="x")
    assert "the node that its token is for" in agents.refusal(agents.api_without_a_node(), what, told)


def test_it_makes_and_deletes_nothing(agents: Agents, api: Api) -> None:
    for what in ("pod", "node"):
        with pytest.raises(ApiError, match="403 Forbidden"):
            api.call("DELETE", f"{agents.path(what)}?dryRun=All")


def test_nobody_else_is_asked(agents: Agents, api: Api) -> None:
    del api  # the policies are in force
    assert agents.refusal(agents.lab.api, "pod", labels(app="y")) == ""
