"""What tasks hold of the devices of their nodes: more than there is cannot be."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from aliquot.core.quantities import PERCENT_PER_DEVICE
from aliquot.core.scheduling.facts import Node, Task
from aliquot.core.scheduling.state.devices import device_units, devices_held
from aliquot.core.simulation.problems import Problems, at


@dataclass(slots=True)
class OnNode:
    """What the tasks on a node hold.

    Attributes:
        whole: whole devices.
        shared: hundredths, per id of a shared device, rounded up.
        extended: other resources, such as MIG devices.
    """

    whole: int = 0
    shared: dict[str, int] = field(default_factory=dict[str, int])
    extended: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def devices(self) -> int:
        """How many devices are held."""
        return self.whole + len(self.shared)

    def add(self, task: Task, units: int) -> None:
        """Count a task; the node's devices are so large."""
        self.whole += task.request.base.gpu_percent // PERCENT_PER_DEVICE
        for name, count in task.request.extended:
            self.extended[name] = self.extended.get(name, 0) + count
        if task.request.part is not None:
            percent = -(-task.request.part.need(units) * PERCENT_PER_DEVICE // units)
            for device in devices_held(task):
                self.shared[device] = self.shared.get(device, 0) + percent


def held_on(nodes: Mapping[str, Node], tasks: Iterable[Task]) -> dict[str, OnNode]:
    """What is held on each node, by name."""
    held: dict[str, OnNode] = {}
    for task in tasks:
        if task.node is not None and task.node in nodes and task.state.uses_node:
            held.setdefault(task.node, OnNode()).add(task, device_units(nodes[task.node]))
    return held


def check_devices(problems: Problems, nodes: Mapping[str, Node], tasks: Mapping[str, Task]) -> None:
    """Note devices that are held more than once, and more devices than nodes have. Both by their paths."""
    paths = {node.name: path for path, node in nodes.items()}
    held = held_on({node.name: node for node in nodes.values()}, tasks.values())
    for path, task in tasks.items():
        for number, device in enumerate(task.devices):
            percent = held[task.node].shared.get(device, 0) if task.node in held else 0
            if percent > PERCENT_PER_DEVICE:
                allowed = f"a device is held to at most 100 %; this one of node {task.node} to {percent} %"
                problems.add(at(path, "devices", number), device, allowed)
    for name, there in sorted(held.items()):
        node = nodes[paths[name]]
        if there.devices > node.allocatable.gpu_percent // PERCENT_PER_DEVICE:
            have = node.allocatable.gpu_percent // PERCENT_PER_DEVICE
            problems.add(at(paths[name], "gpus"), have, f"at least {there.devices}, which the tasks on the node hold")
        for resource, count in sorted(there.extended.items()):
            if count > node.extended.get(resource, 0):
                allowed = f"at least {count} of {resource}, which the tasks on the node hold"
                problems.add(paths[name], node.extended.get(resource, 0), allowed)
