"""GPUs of which pods hold more than there is: told once, on the node. Nobody else gets a part of them meanwhile."""

from collections.abc import Callable, Sequence

from aliquot.cluster.mirror.cache import Key
from aliquot.cluster.mirror.mirror import Mirror
from aliquot.contracts.kubernetes import Node, Pod
from aliquot.core.intake import device_problems, devices_of


class DeviceProblems:
    """Follows the mirror; `start` once it is filled.

    Args:
        mirror: knows nodes and pods.
        tell: takes a node with what is wrong with its devices, each time that this is news.
    """

    def __init__(self, mirror: Mirror, tell: Callable[[Node, Sequence[str]], None]) -> None:
        self._mirror = mirror
        self._tell = tell
        self._holders: dict[str, dict[str, Pod]] = {}
        self._told: dict[str, tuple[str, ...]] = {}

    def start(self) -> None:
        """Tell of what is there, then of every change."""
        for pod in self._mirror.pods:
            self._pod_changed(None, pod)
        self._mirror.listeners.pod.append(self._pod_changed)

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        held = new if new is not None and _holds(new) else None
        if held is not None and old is not None and self._is_known(old, held):
            self._holders[held.spec.node_name][held.metadata.uid] = held
            return
        if old is not None and self._drop(old) and held is None:
            self._look_at(old.spec.node_name)
        if held is not None:
            self._holders.setdefault(held.spec.node_name, {})[held.metadata.uid] = held
            self._look_at(held.spec.node_name)

    def _is_known(self, old: Pod, new: Pod) -> bool:
        """Whether what the pod has is looked at already."""
        same = old.spec.node_name == new.spec.node_name and old.metadata.annotations == new.metadata.annotations
        return same and old.metadata.uid in self._holders.get(old.spec.node_name, {})

    def _drop(self, pod: Pod) -> bool:
        there = self._holders.get(pod.spec.node_name, {})
        if there.pop(pod.metadata.uid, None) is None:
            return False
        if not there:
            del self._holders[pod.spec.node_name]
        return True

    def _look_at(self, name: str) -> None:
        node = self._mirror.nodes.get(Key("", name))
        found = () if node is None else device_problems(node, self._holders.get(name, {}).values())
        if node is not None and found and found != self._told.get(name):
            self._tell(node, found)
        if found:
            self._told[name] = found
        else:
            self._told.pop(name, None)


def _holds(pod: Pod) -> bool:
    """Whether the pod is on a node and names devices that it has parts of."""
    return (
        bool(pod.spec.node_name) and pod.status.phase not in ("Succeeded", "Failed") and bool(devices_of(pod.metadata))
    )
