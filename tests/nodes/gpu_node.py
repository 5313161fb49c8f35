"""A real node whose GPUs are those of a file: the fake device plugin beside its kubelet."""

import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from aliquot_lab import Cluster, RealNode
from aliquot_lab.processes import eventually
from demo.fake_gpus import products, state
from tests.support.arena import MERGE

SECONDS = 120.0
GPU = "nvidia.com/gpu"
MEMORY = "nvidia.com/gpu.memory"
RESERVATIONS = "/api/v1/namespaces/runai-reservation/pods"
_PLUGIN = "fake-gpus"
_ROOT = Path(__file__).parent.parent.parent


class GpuNode:
    """See the module.

    Args:
        cluster: whose node it is.
        node: the node.

    Attributes:
        node: the node.
        file: what its GPUs are like.
    """

    def __init__(self, cluster: Cluster, node: RealNode) -> None:
        self.node = node
        self.file = node.folder / "fake-gpus"
        self._cluster = cluster
        self._state = products.node(node.name, 0)

    @contextmanager
    def running(self, count: int, product: str = "h100") -> Generator[Self]:
        """Have so many GPUs offered for the length of a `with` block."""
        self._state = products.node(self.node.name, count, product=product)
        self.label({MEMORY: str(self._state.gpus[0].memory_total_mib)})
        state.write(self.file, self._state)
        self.until_allocatable(0)  # those of an earlier block are gone
        self._cluster.run(_PLUGIN, self._program(), {"PYTHONPATH": str(_ROOT)})
        try:
            self.until_allocatable(count)
            yield self
        finally:
            self._cluster.stop(_PLUGIN)

    def _program(self) -> list[str]:
        folder = str(self.node.device_plugins)
        return [sys.executable, "-m", "demo.fake_gpus", "plugin", str(self.file), "--kubelet", folder]

    def stop_plugin(self) -> None:
        """End the device plugin."""
        self._cluster.stop(_PLUGIN)

    def start_plugin(self) -> None:
        """Start the device plugin again."""
        self._cluster.start(_PLUGIN)

    @property
    def uuids(self) -> list[str]:
        """What the device plugin calls its GPUs."""
        return [gpu.uuid for gpu in self._state.gpus]

    def label(self, labels: Mapping[str, str]) -> None:
        """Label the node."""
        body = {"metadata": {"labels": dict(labels)}}
        self._cluster.api.call("PATCH", f"/api/v1/nodes/{self.node.name}", body, content_type=MERGE)

    def until_allocatable(self, count: int) -> None:
        """Wait until so many GPUs may be given to pods."""

        def said() -> str:
            status = self._cluster.api.call("GET", f"/api/v1/nodes/{self.node.name}")["status"]
            return str(status.get("allocatable", {}).get(GPU, "0"))

        there = eventually(lambda: said() == str(count), seconds=SECONDS)
        assert there, f"{said()} GPUs\n{self._cluster.log(_PLUGIN).read_text()}\n{self.node.logs()}"

    def reservations(self) -> list[dict[str, Any]]:
        """The pods that hold its GPUs for others."""
        return self._cluster.api.call("GET", RESERVATIONS)["items"]

    def until_free(self) -> None:
        """Wait until nobody holds a GPU for others."""
        assert eventually(lambda: not self.reservations(), seconds=SECONDS), self.reservations()
