"""Labels of nodes that make no sense: told once, on the node, to whoever labels nodes.

The node stays in use as far as it is understood. The status of its node pool says it for as long as it lasts.
"""

from collections.abc import Callable, Sequence

from aliquot.cluster.mirror.mirror import Mirror
from aliquot.contracts.kubernetes import Node
from aliquot.core.intake import node_problems


class NodeProblems:
    """Follows the mirror; `start` once it is filled.

    Args:
        mirror: knows the nodes.
        tell: takes a node with what is wrong with it, each time that this is news.
    """

    def __init__(self, mirror: Mirror, tell: Callable[[Node, Sequence[str]], None]) -> None:
        self._mirror = mirror
        self._tell = tell
        self._told: dict[str, tuple[str, ...]] = {}

    def start(self) -> None:
        """Tell of every node that is there, then of every change."""
        for node in self._mirror.nodes:
            self._node_changed(None, node)
        self._mirror.listeners.node.append(self._node_changed)

    def _node_changed(self, old: Node | None, new: Node | None) -> None:
        if new is None:
            assert old is not None
            self._told.pop(old.metadata.uid, None)
            return
        if old is not None and old.metadata.labels == new.metadata.labels:
            return
        found = node_problems(new)
        if found and found != self._told.get(new.metadata.uid):
            self._tell(new, found)
        self._told[new.metadata.uid] = found
