"""The nodes of one pool as rows of int64 arrays, and which of them a task may use at all.

A row is `[nodes x AXES]`; rows of removed nodes are used again. `free` is what is allocatable less everything that is
there, `releasing` the part of what is there that is stopping, so `free + releasing` is the room to come. Both may be
negative: pods of other schedulers and shrinking nodes ask nobody.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from aliquot.core.quantities import AXES, Vector
from aliquot.core.scheduling.facts import Node, Taint, Toleration

Amounts = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_REPELLING: Final = ("NoSchedule", "NoExecute")
_MOST_SIGNATURES: Final = 256
"""Eligibility masks kept at once; the one made first goes first. A mask is one vector expression to make again."""


@dataclass(frozen=True, slots=True)
class Signature:
    """What decides which nodes a task may use, whatever they hold.

    Attributes:
        node_selector: labels that the node must have, sorted.
        tolerations: taints that the task bears.
    """

    node_selector: tuple[tuple[str, str], ...] = ()
    tolerations: tuple[Toleration, ...] = ()

    def allows(self, node: Node) -> bool:
        """Whether labels and taints of the node let the task in."""
        labels = node.labels
        return all(labels.get(key) == value for key, value in self.node_selector) and all(
            any(_bears(toleration, taint) for toleration in self.tolerations)
            for taint in node.taints
            if taint.effect in _REPELLING
        )


def _bears(toleration: Toleration, taint: Taint) -> bool:
    if toleration.effect and toleration.effect != taint.effect:
        return False
    if not toleration.key:
        return toleration.operator == "Exists"
    return toleration.key == taint.key and (toleration.operator == "Exists" or toleration.value == taint.value)


class NodeTable:
    """The nodes of one pool.

    Attributes:
        row: number of a node's row, by its name.
        allocatable: what pods may use, in the units of `AXES`.
        free: what is left of it.
        releasing: what stopping tasks still use.
        usable: ready and not cordoned.
    """

    def __init__(self) -> None:
        self.row: dict[str, int] = {}
        self.allocatable: Amounts = np.zeros((0, len(AXES)), np.int64)
        self.free: Amounts = self.allocatable.copy()
        self.releasing: Amounts = self.allocatable.copy()
        self.usable: Mask = np.zeros(0, np.bool_)
        self._nodes: list[Node | None] = []
        self._empty: list[int] = []
        self._masks: dict[Signature, Mask] = {}
        self._rank: Amounts | None = None

    @property
    def nodes(self) -> Mapping[str, Node]:
        """The nodes by name."""
        return {node.name: node for node in self._nodes if node is not None}

    def name(self, row: int) -> str:
        """Name of the node in a row."""
        node = self._nodes[row]
        assert node is not None, f"row {row} holds no node"
        return node.name

    def put(self, node: Node) -> None:
        """Take the node in, or take over what has changed of it. A new one is empty."""
        row = self.row.get(node.name)
        if row is None:
            row = self._new_row()
            self.row[node.name] = row
            self._rank = None
        wanted = np.array(node.allocatable.as_tuple(), np.int64)
        self.free[row] += wanted - self.allocatable[row]
        self.allocatable[row] = wanted
        self.usable[row] = node.ready and node.schedulable
        before, self._nodes[row] = self._nodes[row], node
        if before is None or (before.labels, before.taints) != (node.labels, node.taints):
            for signature, mask in self._masks.items():
                mask[row] = signature.allows(node)

    def remove(self, name: str) -> None:
        """Forget the node; whatever used it must have been taken away before."""
        row = self.row.pop(name)
        assert (self.free[row] == self.allocatable[row]).all(), f"node {name} goes while tasks are counted on it"
        self.allocatable[row] = self.free[row] = 0
        self.usable[row] = False
        self._nodes[row] = None
        for mask in self._masks.values():
            mask[row] = False
        self._empty.append(row)
        self._rank = None

    def use(self, name: str, request: Vector, sign: int, *, stopping: bool) -> None:
        """Count a task on the node (`sign` 1) or no longer (-1)."""
        row = self.row[name]
        amount = np.array(request.as_tuple(), np.int64) * sign
        self.free[row] -= amount
        if stopping:
            self.releasing[row] += amount

    def matching(self, signature: Signature) -> Mask:
        """Per row, whether labels and taints let such a task in. To read only; later changes of nodes show in it."""
        mask = self._masks.get(signature)
        if mask is None:
            if len(self._masks) >= _MOST_SIGNATURES:
                del self._masks[next(iter(self._masks))]
            mask = np.fromiter((node is not None and signature.allows(node) for node in self._nodes), np.bool_)
            mask.resize(len(self.usable))
            self._masks[signature] = mask
        return mask

    def rank(self) -> Amounts:
        """Per row, the place of its node in the order of names."""
        if self._rank is None:
            self._rank = np.zeros(len(self.usable), np.int64)
            for place, name in enumerate(sorted(self.row)):
                self._rank[self.row[name]] = place
        return self._rank

    def total(self) -> tuple[int, int, int]:
        """GPU, CPU and memory of all nodes that are ready and not cordoned."""
        gpu, cpu, memory, _ = self.allocatable[self.usable].sum(axis=0).tolist()
        return gpu, cpu, memory

    def _new_row(self) -> int:
        if not self._empty:
            had = len(self.usable)
            more = max(16, had)
            blank = np.zeros((more, len(AXES)), np.int64)
            self.allocatable = np.concatenate([self.allocatable, blank])
            self.free = np.concatenate([self.free, blank])
            self.releasing = np.concatenate([self.releasing, blank])
            self.usable = np.concatenate([self.usable, np.zeros(more, np.bool_)])
            self._nodes.extend([None] * more)
            self._empty = list(range(had + more - 1, had - 1, -1))
            self._masks.clear()
        return self._empty.pop()
