"""Hollow nodes: what they offer, and how they are lost and come back."""

from collections.abc import Callable
from typing import Any

import pytest

from aliquot_lab import Cluster, LabError
from aliquot_lab.api import Api, ApiError
from aliquot_lab.hollow import ANNOTATIONS, NodeSpec, address
from aliquot_lab.kubeconfig import read
from aliquot_lab.processes import eventually
from aliquot_lab.pytest_plugin import NodeMaker

SECONDS = 120.0
Document = dict[str, Any]


def test_a_node_offers_what_it_was_given() -> None:
    spec = NodeSpec("n", gpus=4, cpu="8", memory="1Gi", labels={"type": "other", "pool": "a"}, capacity={"pods": "7"})
    manifest = spec.manifest(address=address(0))
    assert manifest["status"]["allocatable"] == {
        "cpu": "8", "memory": "1Gi", "pods": "7", "ephemeral-storage": "1Ti", "nvidia.com/gpu": "4",
    }  # fmt: skip
    assert manifest["metadata"]["labels"]["pool"] == "a"
    assert manifest["metadata"]["labels"]["type"] == "other"
    assert manifest["metadata"]["labels"]["nvidia.com/gpu.count"] == "4"


def test_a_node_without_gpus_says_nothing_of_gpus() -> None:
    manifest = NodeSpec("n", gpus=0).manifest(address=address(0))
    assert "nvidia" not in str(manifest)


def test_addresses_differ() -> None:
    assert len({address(number) for number in range(5000)}) == 5000


@pytest.mark.cluster
def test_nodes_are_ready_with_their_gpus_labels_and_taints(lab: Cluster, lab_nodes: NodeMaker) -> None:
    taint = {"key": "a.example.com/only", "value": "us", "effect": "NoSchedule"}
    names = lab_nodes(2, gpus=3, labels={"pool": "a"}, taints=[taint])
    nodes = {node["metadata"]["name"]: node for node in lab.nodes()}
    for name in names:
        assert nodes[name]["status"]["allocatable"]["nvidia.com/gpu"] == "3"
        assert nodes[name]["metadata"]["labels"]["pool"] == "a"
        assert taint in nodes[name]["spec"]["taints"]
    assert set(names) <= lab.ready_nodes()


@pytest.mark.cluster
def test_adding_a_node_that_exists_leaves_it_as_it_is(lab: Cluster, lab_nodes: NodeMaker) -> None:
    [name] = lab_nodes(1, gpus=2)
    assert lab.add_nodes([name], gpus=5) == [name]
    [node] = [node for node in lab.nodes() if node["metadata"]["name"] == name]
    assert node["status"]["allocatable"]["nvidia.com/gpu"] == "2"


@pytest.mark.cluster
def test_a_node_that_the_api_server_refuses_is_an_error(lab: Cluster) -> None:
    with pytest.raises(ApiError, match="Invalid"):
        lab.add_nodes(["Not_A_Name"])


class Node:
    """A node with one pod."""

    def __init__(self, lab: Cluster, namespace: str, name: str) -> None:
        self.lab, self.name = lab, name
        self._pods = f"/api/v1/namespaces/{namespace}/pods"

    def run(self, **annotations: str) -> None:
        self.run_elsewhere(self.name, "pod", **annotations)
        assert self.eventually(lambda: self.phase() == "Running")

    def run_elsewhere(self, node: str, pod: str, **annotations: str) -> None:
        spec = {
            "nodeName": node,
            "restartPolicy": "Never",
            "tolerations": [{"operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 3600}],
            "containers": [{"name": "main", "image": "example.com/train"}],
        }
        marks = {ANNOTATIONS + key: value for key, value in annotations.items()}
        self.lab.api.call("POST", self._pods, {"metadata": {"name": pod, "annotations": marks}, "spec": spec})

    def pod(self, name: str = "pod") -> Document:
        return self.lab.api.call("GET", f"{self._pods}/{name}")

    def phase(self, name: str = "pod") -> str:
        return self.pod(name)["status"]["phase"]

    def pod_exists(self) -> bool:
        return self.lab.api.answers(f"{self._pods}/pod")

    def end_pod(self) -> None:
        patch = {"metadata": {"annotations": {f"{ANNOTATIONS}duration": "1ms"}}}
        self.lab.api.call("PATCH", f"{self._pods}/pod", patch, content_type="application/merge-patch+json")

    def delete_pod(self, api: Api | None = None) -> None:
        (api or self.lab.api).call("DELETE", f"{self._pods}/pod")

    def ready(self) -> str:
        conditions = self.lab.api.call("GET", f"/api/v1/nodes/{self.name}")["status"]["conditions"]
        return next(condition["status"] for condition in conditions if condition["type"] == "Ready")

    def taints(self) -> list[str]:
        taints = self.lab.api.call("GET", f"/api/v1/nodes/{self.name}")["spec"].get("taints", [])
        return [f"{taint['key']}:{taint['effect']}" for taint in taints]

    @staticmethod
    def eventually(holds: Callable[[], bool]) -> bool:
        return eventually(holds, seconds=SECONDS)


@pytest.fixture
def node(lab: Cluster, lab_namespace: str, lab_nodes: NodeMaker) -> Node:
    # The controller manager evicts nobody when most nodes of a small cluster are lost: company keeps one a minority.
    return Node(lab, lab_namespace, lab_nodes(4)[0])


@pytest.mark.cluster
def test_a_lost_node_is_not_ready_its_pods_stand_still_and_go_on_when_it_is_back(
    lab: Cluster, node: Node, lab_nodes: NodeMaker
) -> None:
    node.run()
    lab.lose_node(node.name)
    node.end_pod()
    assert node.ready() == "Unknown"
    assert node.eventually(lambda: "node.kubernetes.io/unreachable:NoExecute" in node.taints())
    assert node.name not in lab.ready_nodes()
    node.run_elsewhere(lab_nodes(1)[0], "clock", duration="1s")  # told to end later, and runs for longer
    assert node.eventually(lambda: node.phase("clock") == "Succeeded")
    assert node.phase() == "Running"
    lab.restore_node(node.name)
    assert node.eventually(lambda: node.name in lab.ready_nodes())
    assert node.eventually(lambda: node.phase() == "Succeeded")


@pytest.mark.cluster
def test_a_pod_deleted_on_a_lost_node_stays_until_the_node_is_back(lab: Cluster, node: Node) -> None:
    node.run()
    lab.lose_node(node.name)
    node.delete_pod()
    assert node.eventually(lambda: "node.kubernetes.io/unreachable:NoExecute" in node.taints())
    assert node.pod()["metadata"]["deletionTimestamp"]
    lab.restore_node(node.name)
    assert node.eventually(lambda: not node.pod_exists())


@pytest.mark.cluster
def test_a_hollow_kubelet_removes_no_pod_that_nobody_has_asked_to_go(lab: Cluster, node: Node) -> None:
    """It deletes by name, and another pod may have the name by then."""
    node.run()
    with pytest.raises(ApiError, match="nobody has asked it to go"):
        node.delete_pod(Api(read(lab.directory / "kwok.kubeconfig")))
    assert "deletionTimestamp" not in node.pod()["metadata"]
    node.delete_pod()
    assert node.eventually(lambda: not node.pod_exists())


@pytest.mark.cluster
def test_a_removed_node_is_gone_and_may_be_removed_again(lab: Cluster, lab_nodes: NodeMaker) -> None:
    [name] = lab_nodes(1)
    for _ in range(2):
        lab.remove_node(name)
        assert eventually(lambda: name not in {node["metadata"]["name"] for node in lab.nodes()}, seconds=10)


@pytest.mark.cluster
def test_losing_a_node_that_is_not_there_is_an_error(lab: Cluster) -> None:
    with pytest.raises(LabError, match="404"):
        lab.lose_node("no-such-node")
