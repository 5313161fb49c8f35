"""The nodes of one pool as rows of int64 arrays, and which of them a task may use at all.

A table is `[nodes x columns]`: those of `AXES`, and one for each other resource that a node offers or a task holds.
Rows of removed nodes are used again. The first column has whole devices only: one of which tasks hold parts counts as
gone from it, and is kept in `shared`. `free` is what is allocatable less everything that is there, `releasing` the part
of what is there that is stopping, so `free + releasing` is the room to come. Both may be negative: pods of other
schedulers and shrinking nodes ask nobody.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from aliquot.core.quantities import AXES, Request, is_mig, mig_percent, on_every_node
from aliquot.core.scheduling.facts import Node, NodeTerm, Task
from aliquot.core.scheduling.state.affinity import suits
from aliquot.core.scheduling.state.crowd import Crowd
from aliquot.core.scheduling.state.devices import (
    NOTHING_HELD,
    OPENING,
    OPENS,
    Held,
    device_units,
    devices_held,
    part_held,
)
from aliquot.core.scheduling.state.queues import Amount
from aliquot.core.scheduling.state.signature import Signature

Amounts = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_MOST_SIGNATURES: Final = 256
"""Eligibility masks kept at once; the one made first goes first. A mask is one vector expression to make again."""
_MOST_REQUESTS: Final = 4096
"""Requests whose amounts are kept at once."""


def _values(node: Node, labels: tuple[str, ...]) -> tuple[str, ...] | None:
    """What the node has of the labels; None when it lacks one of them."""
    found = tuple(node.labels[label] for label in labels if label in node.labels)
    return found if len(found) == len(labels) else None


def _numbered(values: Sequence[tuple[str, ...] | None], depth: int) -> Amounts:
    names = sorted({value[:depth] for value in values if value is not None})
    number = {name: place for place, name in enumerate(names)}
    return np.array([-1 if value is None else number[value[:depth]] for value in values], np.int64)


class NodeTable:
    """The nodes of one pool.

    Attributes:
        row: number of a node's row, by its name.
        columns: number of the column of each resource beside `AXES`, by its name.
        allocatable: what pods may use, in the units of `AXES`.
        free: what is left of it.
        releasing: what stopping tasks still use.
        others: GPU, CPU and memory of tasks that no queue pays for, those that are stopping left out.
        usable: ready and not cordoned.
        units: how large one device of the node is.
        shared: per row, the devices of which tasks hold parts.
        broken: per row that has some, how many devices cannot be used.
        crowd: which tasks are on the nodes.
    """

    def __init__(self) -> None:
        self.columns: dict[str, int] = {}
        self.units: Amounts = np.zeros(0, np.int64)
        self.shared: dict[int, dict[str, Held]] = {}
        self.broken: dict[int, int] = {}
        self.crowd = Crowd()
        self.row: dict[str, int] = {}
        self.allocatable: Amounts = np.zeros((0, len(AXES)), np.int64)
        self.free: Amounts = self.allocatable.copy()
        self.releasing: Amounts = self.allocatable.copy()
        self.others: Amounts = np.zeros((0, 3), np.int64)
        self.usable: Mask = np.zeros(0, np.bool_)
        self._nodes: list[Node | None] = []
        self._everywhere: dict[int, int] = {}
        self._empty: list[int] = []
        self._masks: dict[Signature, Mask] = {}
        self._domains: dict[tuple[str, ...], list[Amounts]] = {}
        self._rank: Amounts | None = None
        self._smallest: int | None = None
        self._tree: dict[tuple[str, ...], list[Amounts]] = {}
        self._amounts: dict[Request, Amounts] = {}

    @property
    def nodes(self) -> Mapping[str, Node]:
        """The nodes by name; made anew each time, see `get`."""
        return {node.name: node for node in self._nodes if node is not None}

    def get(self, name: str) -> Node | None:
        """The node of that name; None when it is not here."""
        row = self.row.get(name)
        return None if row is None else self._nodes[row]

    def at(self, row: int) -> Node:
        """The node in a row."""
        node = self._nodes[row]
        assert node is not None, f"row {row} holds no node"
        return node

    def name(self, row: int) -> str:
        """Name of the node in a row."""
        return self.at(row).name

    def put(self, node: Node) -> None:
        """Take the node in, or take over what has changed of it. A new one is empty."""
        row = self.row.get(node.name)
        if row is None:
            row = self._new_row()
            self.row[node.name] = row
            self._rank = None
        wanted = self._counted(node.allocatable.as_tuple(), node.extended.items())
        for column, everywhere in self._everywhere.items():
            wanted[column] = everywhere
        self.units[row] = device_units(node)
        self._smallest = None
        self.free[row] += wanted - self.allocatable[row]
        self.allocatable[row] = wanted
        self.usable[row] = node.ready and node.schedulable
        self.broken.pop(row, None)
        if node.broken:
            self.broken[row] = node.broken
        before, self._nodes[row] = self._nodes[row], node
        if before is None or (before.labels, before.taints, before.mig) != (node.labels, node.taints, node.mig):
            for signature, mask in self._masks.items():
                mask[row] = signature.allows(node)
            self._domains.clear()

    def remove(self, name: str) -> None:
        """Forget the node; whatever used it must have been taken away before."""
        row = self.row.pop(name)
        assert (self.free[row] == self.allocatable[row]).all(), f"node {name} goes while tasks are counted on it"
        assert not self.others[row].any(), f"node {name} goes while tasks of others are counted on it"
        self.allocatable[row] = self.free[row] = 0
        self.broken.pop(row, None)
        self.usable[row] = False
        self._nodes[row] = None
        for mask in self._masks.values():
            mask[row] = False
        self._empty.append(row)
        self._rank = None
        self._smallest = None
        self._domains.clear()

    def use(self, name: str, task: Task, sign: int, *, stopping: bool) -> None:
        """Count a task on the node (`sign` 1) or no longer (-1)."""
        row = self.row[name]
        amount = self._counted(task.request.base.as_tuple(), task.request.extended) * sign
        self.free[row] -= amount
        if stopping:
            self.releasing[row] += amount
        self.crowd.count(row, task, sign, stopping=stopping)
        part = task.request.part
        if part is None:
            return
        shared, need = self.shared.setdefault(row, {}), part_held(part, int(self.units[row])) * sign
        for device in devices_held(task):
            before = shared.get(device, NOTHING_HELD)
            after = shared[device] = before.plus(need, now=True, later=not stopping)
            if after == NOTHING_HELD:
                del shared[device]
            opened, kept = (after.now > 0) - (before.now > 0), (after.later > 0) - (before.later > 0)
            if opened:
                self.free[row, OPENING] -= OPENS * opened
            if opened != kept:
                self.releasing[row, OPENING] += OPENS * (opened - kept)
        if not shared:
            del self.shared[row]

    def count_others(self, name: str, change: Amount, sign: int) -> None:
        """Count what a task on the node has that no queue pays for (`sign` 1), or no longer (-1)."""
        self.others[self.row[name]] += np.array(change, np.int64) * sign

    def amounts(self, request: Request) -> Amounts | None:
        """The request in columns, parts of devices left out; None: it asks for something that is nowhere here."""
        amounts = self._amounts.get(request)
        if amounts is None and all(name in self.columns or on_every_node(name) for name, _ in request.extended):
            if len(self._amounts) >= _MOST_REQUESTS:
                self._amounts.clear()
            amounts = self._counted(request.base.as_tuple(), request.extended)
            self._amounts[request] = amounts
        return amounts

    def _counted(self, base: tuple[int, ...], extended: Iterable[tuple[str, int]]) -> Amounts:
        """Amounts in columns; a resource that is new gets one."""
        places = [(self._column(name), amount) for name, amount in extended]
        amounts = np.zeros(self.allocatable.shape[1], np.int64)
        amounts[: len(base)] = base
        for column, amount in places:
            amounts[column] = amount
        return amounts

    def _column(self, name: str) -> int:
        if name not in self.columns:
            self.columns[name] = self.allocatable.shape[1]
            more = ((0, 0), (0, 1))
            self.allocatable = np.pad(self.allocatable, more)
            self.free = np.pad(self.free, more)
            self.releasing = np.pad(self.releasing, more)
            self._amounts.clear()
            if everywhere := on_every_node(name):
                self._everywhere[self.columns[name]] = everywhere
                for row in self.row.values():
                    self.allocatable[row, -1] = self.free[row, -1] = everywhere
        return self.columns[name]

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

    def with_gpus(self) -> Mask:
        """Per row, whether its node has GPUs, whole or as MIG devices."""
        columns = [0, *(column for name, column in self.columns.items() if is_mig(name))]
        return np.any(self.allocatable[:, columns] > 0, axis=1)

    def domains(self, label: str) -> Amounts:
        """Per row, a number for the value that its node has of a label, from 0; -1 where it has none."""
        return self.domains_within((label,))[0]

    def weights(self, preferred: Iterable[tuple[int, NodeTerm]]) -> Amounts:
        """Per row, the sum of the weights of the terms that its node meets."""
        sums = np.zeros(len(self.usable), np.int64)
        for weight, term in preferred:
            for row, node in enumerate(self._nodes):
                if node is not None and suits(term, node):
                    sums[row] += weight
        return sums

    def rank(self) -> Amounts:
        """Per row, the place of its node in the order of names."""
        if self._rank is None:
            self._rank = np.zeros(len(self.usable), np.int64)
            for place, name in enumerate(sorted(self.row)):
                self._rank[self.row[name]] = place
        return self._rank

    def device_memory_mib(self, row: int) -> int:
        """Memory of one device of the node in a row; 0: not known."""
        node = self._nodes[row]
        return node.device_memory_mib if node is not None else 0

    def domains_within(self, levels: tuple[str, ...]) -> list[Amounts]:
        """Per level, the number of each row's domain; -1 for nodes that lack one of the labels. Numbered by name."""
        found = self._domains.get(levels)
        if found is None:
            values = [None if node is None else _values(node, levels) for node in self._nodes]
            found = self._domains[levels] = [_numbered(values, depth) for depth in range(1, len(levels) + 1)]
        return found

    def smallest_device_mib(self) -> int:
        """Memory of the smallest device of any node; 0: no node says."""
        if self._smallest is None:
            known = [node.device_memory_mib for node in self._nodes if node is not None and node.device_memory_mib]
            self._smallest = min(known, default=0)
        return self._smallest

    def total(self) -> Amount:
        """GPU, CPU and memory that queues share: of all nodes that are ready and not cordoned, less what others have.

        What others have beyond what a node offers is taken from that node only (scheduling.md 1.5).
        """
        there = self.allocatable[self.usable, :3]
        for name, column in self.columns.items():
            if is_mig(name):
                there[:, 0] += mig_percent(name) * self.allocatable[self.usable, column]
        gpu, cpu, memory = np.maximum(there - self.others[self.usable], 0).sum(axis=0).tolist()
        return gpu, cpu, memory

    def _new_row(self) -> int:
        if not self._empty:
            had = len(self.usable)
            more = max(16, had)
            blank = np.zeros((more, self.allocatable.shape[1]), np.int64)
            self.units = np.concatenate([self.units, np.zeros(more, np.int64)])
            self.allocatable = np.concatenate([self.allocatable, blank])
            self.free = np.concatenate([self.free, blank])
            self.releasing = np.concatenate([self.releasing, blank])
            self.others = np.concatenate([self.others, np.zeros((more, 3), np.int64)])
            self.usable = np.concatenate([self.usable, np.zeros(more, np.bool_)])
            self._nodes.extend([None] * more)
            self._empty = list(range(had + more - 1, had - 1, -1))
            self._masks.clear()
            self._domains.clear()
        return self._empty.pop()
