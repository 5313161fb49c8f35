"""The second story of the demo: pods with parts of GPUs on real nodes, and what the agents tell of them."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from prometheus_client.parser import text_string_to_metric_families

from aliquot import names
from aliquot_lab import Cluster, LabError
from demo.gpu_nodes import GpuMachine
from demo.platform import OperatorProcess

PROJECT: Final = "fractions/1-project.yaml"
_FULL_CARD: Final = "fractions/2-one-card.yaml"
_ONE_MORE: Final = "fractions/3-four-gigabytes.yaml"
_NAMESPACE: Final = "runai-lab"
_PODS: Final = f"/api/v1/namespaces/{_NAMESPACE}/pods"
_SHARING: Final = ("notebook-0-0", "shell-a-0-0", "shell-b-0-0")
_ALONE: Final = "viewer-0-0"
_USED_MIB: Final = {"notebook-0-0": 30_000, "shell-a-0-0": 9_000, "shell-b-0-0": 12_000, _ALONE: 3_000}
"""What their processes are said to use: nothing computes here."""
_VARIABLE: Final = "NVIDIA_VISIBLE_DEVICES"
_USED: Final = "aliquot_pod_gpu_memory_used_bytes"
_MIB: Final = 1 << 20
_LONGEST_SECONDS: Final = 180.0


@dataclass(frozen=True)
class Guest:
    """A pod with a part of a GPU.

    Attributes:
        pod: its name.
        node: where it is; empty while it waits.
        part: of the GPU, as the pod says it.
        card: the GPU that it was given.
        sees: the GPU that its container sees; empty until it was asked.
        uses_mib: memory that its processes use, as the node's agent says it; None: it has not said it.
        container: its container's id, once it runs.
    """

    pod: str
    node: str
    part: str
    card: str
    sees: str = ""
    uses_mib: int | None = None
    container: str = ""


class Sharing:
    """Applies the examples of fractions and follows what becomes of them.

    Args:
        cluster: where the chart and `PROJECT` are.
        examples: the folder of the examples.
        machines: the real nodes.
        agents: those of them, in the same order.
    """

    def __init__(
        self, cluster: Cluster, examples: Path, machines: Sequence[GpuMachine], agents: Sequence[OperatorProcess]
    ) -> None:
        self._cluster = cluster
        self._examples = examples
        self._machines = machines
        self.agents = agents
        self._begun = time.monotonic()
        self._steps: list[tuple[Callable[[], bool], Callable[[], None]]] = [
            (self._namespace_there, lambda: self._apply(_FULL_CARD)),
            (lambda: self._run(_SHARING), lambda: self._apply(_ONE_MORE)),
            (lambda: self._run((*_SHARING, _ALONE)), self._ask),
            (self._agents_tell, self._judge),
        ]
        self.guests: list[Guest] = []

    @property
    def over(self) -> bool:
        """Whether everything was seen."""
        return not self._steps

    def go_on(self) -> None:
        """Look how things stand, and take the next step if its time has come.

        Raises:
            LabError: something was refused, took too long, or is not as it should be.
        """
        if self.over:
            return
        self._look()
        if time.monotonic() - self._begun > _LONGEST_SECONDS:
            message = (
                f"the pods with parts of GPUs are not where they belong after {_LONGEST_SECONDS:.0f} s: {self.guests}"
            )
            raise LabError(message)
        ready, step = self._steps[0]
        if ready():
            step()
            self._steps.pop(0)

    def _look(self) -> None:
        before = {guest.pod: guest for guest in self.guests}
        found = (_guest(pod) for pod in self._cluster.api.call("GET", _PODS)["items"])
        known = ((guest, before.get(guest.pod, guest)) for guest in found)
        self.guests = sorted(
            (replace(guest, sees=old.sees, uses_mib=old.uses_mib) for guest, old in known), key=lambda guest: guest.pod
        )

    def _namespace_there(self) -> bool:
        return self._cluster.api.answers(f"/api/v1/namespaces/{_NAMESPACE}/serviceaccounts/default")

    def _run(self, pods: Sequence[str]) -> bool:
        return {*pods} <= {guest.pod for guest in self.guests if guest.container}

    def _apply(self, file: str) -> None:
        self._cluster.kubectl("apply", "-f", str(self._examples / file))

    def _ask(self) -> None:
        """Ask the containers what they see, and let the driver say that they work."""
        self.guests = [replace(guest, sees=self._seen_in(guest.pod)) for guest in self.guests]
        for machine in self._machines:
            used: dict[str, dict[str, int]] = {}
            for guest in self.guests:
                if guest.node == machine.node.name:
                    used.setdefault(guest.card, {})[guest.container] = _USED_MIB[guest.pod]
            machine.works(used)

    def _seen_in(self, pod: str) -> str:
        said = self._cluster.kubectl("exec", "-n", _NAMESPACE, pod, "--", "sh", "-c", f"echo ${_VARIABLE}")
        return said.strip()

    def _agents_tell(self) -> bool:
        if any(agent.probe("readyz")[0] != 200 for agent in self.agents):
            return False
        told = {pod: mib for agent in self.agents for pod, mib in _told(agent)}
        self.guests = [replace(guest, uses_mib=told.get(guest.pod)) for guest in self.guests]
        return all(guest.uses_mib == _USED_MIB[guest.pod] for guest in self.guests)

    def _judge(self) -> None:
        cards = {guest.pod: guest.card for guest in self.guests}
        shared = {cards[pod] for pod in _SHARING}
        if len(shared) != 1 or cards[_ALONE] in shared or any(guest.sees != guest.card for guest in self.guests):
            message = f"pods are on other GPUs than expected: {self.guests}"
            raise LabError(message)


def _guest(pod: dict[str, Any]) -> Guest:
    metadata, status = pod["metadata"], pod["status"]
    annotations = metadata.get("annotations", {})
    running = [each for each in status.get("containerStatuses", ()) if "running" in each["state"]]
    return Guest(
        pod=metadata["name"],
        node=pod["spec"].get("nodeName", ""),
        part=annotations.get(names.GPU_PORTION_ANNOTATION, ""),
        card=annotations.get(names.GPU_IDS_ANNOTATION, ""),
        container=running[0]["containerID"].rpartition("/")[2] if running else "",
    )


def _told(agent: OperatorProcess) -> Iterator[tuple[str, int]]:
    """The memory that pods use, as an agent tells it; in MiB."""
    for family in text_string_to_metric_families(agent.probe("metrics")[1]):
        for sample in family.samples:
            if sample.name == _USED:
                yield sample.labels["pod"], int(sample.value) // _MIB
