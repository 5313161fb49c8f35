"""What a real node is, as all of its processes know it.

Seen from inside, all is where it is on any machine: the node's folder is mounted as `/var/lib`, its folders `run` and
`log` as `/run` and `/var/log`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, cast

from aliquot_lab.nodes.network import Addresses
from aliquot_lab.nodes.programs import Programs

SOCKET: Final = "/run/containerd/containerd.sock"
HOLD: Final = "kubelet.hold"  # as long as this file is in a node's folder, its kubelet is not started
KUBELET_LOG: Final = "log/kubelet.log"
RECORD: Final = "node.json"


@dataclass(frozen=True)
class Machine:
    """One real node.

    Attributes:
        directory: The lab's.
        name: Of its Node.
        number: From 1; its addresses are made from it.
        network: Number of the lab's network of real nodes.
        programs: What runs on it.
        labels: Of its Node.
        taints: Of its Node, as in `spec.taints`.
    """

    directory: str
    name: str
    number: int
    network: int
    programs: Programs
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    taints: Sequence[Mapping[str, str]] = ()

    @property
    def folder(self) -> Path:
        """Everything of it, seen from outside."""
        return Path(self.directory) / "nodes" / self.name

    @property
    def addresses(self) -> Addresses:
        """Of the lab's real nodes."""
        return Addresses(self.network)

    @property
    def ip(self) -> str:
        """Its address."""
        return self.addresses.node(self.number)

    def write(self) -> None:
        """Write it into its folder."""
        (self.folder / RECORD).write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, folder: Path) -> "Machine":
        """The node whose folder it is."""
        document = cast("dict[str, Any]", json.loads((folder / RECORD).read_text()))
        programs = Programs(**document.pop("programs"))
        return cls(programs=programs, **document)

    def kubelet_arguments(self) -> list[str]:
        """The command line of its kubelet."""
        arguments = [
            self.programs.path("kubelet"),
            "--config=/var/lib/kubelet.yaml",
            "--kubeconfig=/var/lib/kubelet.kubeconfig",
            f"--hostname-override={self.name}",
            f"--node-ip={self.ip}",
            "--v=2",
        ]
        if self.labels:
            labels = ",".join(f"{name}={value}" for name, value in self.labels.items())
            arguments.append(f"--node-labels={labels}")
        return arguments
