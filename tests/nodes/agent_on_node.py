"""The agent of a real node: its process beside the node's kubelet, on the fake library and the machine's processes."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import yaml

from aliquot_lab import Cluster, RealNode
from demo.fake_gpus import library, products, state
from demo.fake_gpus.model import NodeState
from tests.agent.agent_process import AgentProcess, running

_GATES: Final = ("ResourceHealthStatus", "ResourceHealthStatusMessage")
"""Of the kubelet; the second needs the first."""


class AgentOnNode:
    """Starts agents of a node, one after the other, which remember what the one before saw.

    Args:
        cluster: whose node it is.
        node: the node.
        count: how many GPUs it has.
        folder: of the agent's own files.

    Attributes:
        cards: what its GPUs are like.
    """

    def __init__(self, cluster: Cluster, node: RealNode, count: int, folder: Path) -> None:
        self.cards = products.node(node.name, count)
        self._cluster = cluster
        self._node = node
        self._folder = folder

    @contextmanager
    def running(self, **settings: str) -> Generator[AgentProcess]:
        """An agent for the length of a `with` block; killed at its end."""
        environment = {
            "ALIQUOT_IDENTITY__NODE": self._node.name,
            "ALIQUOT_SOURCES__PODS": "api",
            "ALIQUOT_SOURCES__KUBELET_SOCKET": str(self._node.pod_resources),
            "ALIQUOT_READINGS__INTERVAL_SECONDS": "1",
            "ALIQUOT_PUBLISHING__LAST_LOOK": str(self._folder / "last-look"),
            "ALIQUOT_PUBLISHING__IDLE_SECONDS": "1",
            "ALIQUOT_PUBLISHING__OVERUSE_SECONDS": "0",
            "ALIQUOT_PUBLISHING__GAP_SECONDS": "600",
            "KUBECONFIG": str(self._cluster.kubeconfig),
            **settings,
        }
        with running(self._node.folder / "fake-gpus", library.ensure(), **environment) as agent:
            yield agent

    def has(self, cards: NodeState) -> None:
        """From now on its GPUs are like this."""
        self.cards = cards
        state.write(self._node.folder / "fake-gpus", cards)


@contextmanager
def without_devices_in_status(node: RealNode) -> Generator[None]:
    """For the length of a `with` block its kubelet does not say in the status of pods which devices they have."""
    file = node.folder / "kubelet.yaml"
    usual = file.read_text()
    changed: dict[str, Any] = {**yaml.safe_load(usual), "featureGates": dict.fromkeys(_GATES, False)}
    file.write_text(yaml.safe_dump(changed, sort_keys=False))
    node.restart_kubelet()
    try:
        yield
    finally:
        file.write_text(usual)
        node.restart_kubelet()


def pid_in(pod_uid: str) -> int:
    """A process of a pod's, by its id on the machine; whichever container it is in."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"pod{pod_uid}" in (folder / "cgroup").read_text():
                return int(folder.name)
        except OSError:
            continue
    raise LookupError(f"the pod {pod_uid} has no process")
