"""The real nodes of the demo: kubelet, containerd and runc as they are, GPUs as a file says they are."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aliquot_lab import Cluster, LabError, RealNode
from aliquot_lab.nodes import fleet
from aliquot_lab.processes import eventually
from demo import platform
from demo.fake_gpus import library, products, state
from demo.fake_gpus.model import GpuProcess

NODES: Final = 2
GPUS: Final = 1
"""Of each node."""
LABELS: Final = {"run.ai/type": "shared", "nvidia.com/gpu.memory": "81559"}
_GPU: Final = "nvidia.com/gpu"
_ROOT: Final = Path(__file__).parent.parent
_SECONDS: Final = 120.0


@dataclass(frozen=True)
class GpuMachine:
    """A real node with a device plugin and, once it was started, an agent.

    Attributes:
        node: the node.
        state: the file that says which GPUs it has.
    """

    node: RealNode
    state: Path

    def start_agent(self, cluster: Cluster) -> platform.OperatorProcess:
        """Start its agent, without waiting for it; the chart has to be installed with `platform.AGENT`."""
        return platform.start_agent(cluster, self.node, library.ensure(), self.state, wait=False)

    def works(self, used_mib: Mapping[str, Mapping[str, int]]) -> None:
        """Let the driver say which containers use its GPUs.

        Args:
            used_mib: memory that each container uses, by the id of the GPU and that of the container.
        """
        node = products.node(self.node.name, GPUS)
        for number, gpu in enumerate(node.gpus):
            processes = [
                GpuProcess(pid=pid, memory_used_mib=mib, sm_percent=20)
                for container, mib in used_mib.get(gpu.uuid, {}).items()
                for pid in self.node.processes_in(container)[:1]
            ]
            used = sum(process.memory_used_mib or 0 for process in processes)
            node = node.with_gpu(
                number, memory_used_mib=used, gpu_percent=20 * len(processes), processes=tuple(processes)
            )
        state.write(self.state, node)


def start(cluster: Cluster) -> list[GpuMachine]:
    """Add the nodes to a lab and wait until their GPUs may be given to pods.

    Raises:
        LabError: this machine cannot have real nodes, lacks a C compiler for the driver's library, or one of the nodes
            does not get ready.
    """
    library.ensure()
    machines = [GpuMachine(node, node.folder / "fake-gpus") for node in fleet.add(cluster, NODES, labels=LABELS)]
    for machine in machines:
        state.write(machine.state, products.node(machine.node.name, GPUS))
        plugin = [sys.executable, "-m", "demo.fake_gpus", "plugin", str(machine.state)]
        plugin += ["--kubelet", str(machine.node.device_plugins)]
        cluster.run(f"fake-gpus-{machine.node.name}", plugin, {"PYTHONPATH": str(_ROOT)})
    waiting = [machine.node.name for machine in machines]
    if not eventually(lambda: all(_offers(cluster, name) for name in waiting), seconds=_SECONDS):
        message = f"the GPUs of {' and '.join(waiting)} are not offered after {_SECONDS:.0f} s"
        raise LabError(message)
    return machines


def _offers(cluster: Cluster, name: str) -> bool:
    status = cluster.api.call("GET", f"/api/v1/nodes/{name}")["status"]
    return bool(status.get("allocatable", {}).get(_GPU) == str(GPUS))
