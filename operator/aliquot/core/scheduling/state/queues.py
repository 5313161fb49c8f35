"""The queues of one pool: a tree of shares, and what is held against each at every level.

Amounts are `[GPU in hundredths of a device, milli-CPU, bytes]`. What the jobs of a queue hold counts for the queue and
for all above it. Jobs may name a queue that is not there (yet, or any more): they are counted, and added to the tree
when it comes.
"""

from dataclasses import dataclass, field
from typing import Final, Literal

from aliquot.core.quantities import ZERO, Request, Vector, quantify
from aliquot.core.scheduling.facts import Queue, Share

RESOURCES: Final = ("gpu", "cpu", "memory")
"""What queues have shares of, in the order of amounts."""

Amount = tuple[int, int, int]
Kind = Literal["held", "releasing", "waiting"]


def amount(request: Request, device_memory_mib: int) -> Amount:
    """The part of a request that queues pay for; see `quantify`."""
    counts = quantify(request, device_memory_mib)
    return (counts.gpu_percent, counts.cpu_milli, counts.memory_bytes)


def shares(queue: Queue) -> tuple[Share, Share, Share]:
    """Its shares in the order of amounts."""
    return (queue.gpu, queue.cpu, queue.memory)


def _nothing() -> list[int]:
    return [0, 0, 0]


@dataclass(slots=True)
class Usage:
    """What counts against a queue.

    Attributes:
        held: by tasks that have a node and keep it.
        held_non_preemptible: the part of `held` that may not be stopped.
        releasing: by tasks that are stopping.
        waiting: asked for by tasks without a node.
    """

    held: list[int] = field(default_factory=_nothing)
    held_non_preemptible: list[int] = field(default_factory=_nothing)
    releasing: list[int] = field(default_factory=_nothing)
    waiting: list[int] = field(default_factory=_nothing)

    def add(self, kind: Kind, change: Amount, sign: int, *, preemptible: bool) -> None:
        """Count the amount (`sign` 1) or no longer (-1)."""
        ledgers = [self.held if kind == "held" else self.releasing if kind == "releasing" else self.waiting]
        if kind == "held" and not preemptible:
            ledgers.append(self.held_non_preemptible)
        for ledger in ledgers:
            for axis in range(3):
                ledger[axis] += sign * change[axis]

    def join(self, other: "Usage") -> None:
        """Add another's amounts."""
        for mine, theirs in zip(self.ledgers(), other.ledgers(), strict=True):
            for axis in range(3):
                mine[axis] += theirs[axis]

    def ledgers(self) -> tuple[list[int], list[int], list[int], list[int]]:
        """All amounts, in a fixed order."""
        return (self.held, self.held_non_preemptible, self.releasing, self.waiting)

    def is_zero(self) -> bool:
        """Whether nothing counts."""
        return not any(map(any, self.ledgers()))


@dataclass(frozen=True, slots=True)
class QueueUsage:
    """What counts against a queue and those below it, in one pool. GPU in hundredths of a device, CPU in milli, bytes.

    Attributes:
        allocated: held by tasks that have a node and keep it; stopping tasks no longer count.
        allocated_non_preemptible: the part of it that may not be stopped.
        requested: allocated, and asked for by waiting tasks.
    """

    allocated: Vector = ZERO
    allocated_non_preemptible: Vector = ZERO
    requested: Vector = ZERO

    @staticmethod
    def of(usage: Usage) -> "QueueUsage":
        """As it is now."""
        held = Vector(*usage.held)
        return QueueUsage(held, Vector(*usage.held_non_preemptible), held + Vector(*usage.waiting))


class QueueTree:
    """The queues of one pool.

    Attributes:
        queues: by name.
        usage: what counts against each, its children included.
        direct: what the jobs of a queue itself hold, also of one that is not there.
    """

    def __init__(self) -> None:
        self.queues: dict[str, Queue] = {}
        self.usage: dict[str, Usage] = {}
        self.direct: dict[str, Usage] = {}
        self._chains: dict[str, tuple[Queue, ...]] = {}

    def put(self, queue: Queue) -> None:
        """Take the queue in, or take over what has changed of it."""
        before = self.queues.get(queue.name)
        self.queues[queue.name] = queue
        self._chains.clear()
        if before is None or before.parent != queue.parent:
            self._roll_up()

    def remove(self, name: str) -> None:
        """Forget the queue, if it is there."""
        if self.queues.pop(name, None) is not None:
            self._chains.clear()
            self._roll_up()

    def chain(self, name: str) -> tuple[Queue, ...]:
        """The queue and those above it, root last; empty when there is no such queue."""
        chain = self._chains.get(name)
        if chain is None:
            found: list[Queue] = []
            queue = self.queues.get(name)
            while queue is not None and queue not in found:  # a ring of parents ends where it closes
                found.append(queue)
                queue = self.queues.get(queue.parent) if queue.parent is not None else None
            chain = self._chains[name] = tuple(found)
        return chain

    def count(self, name: str, kind: Kind, change: Amount, sign: int, *, preemptible: bool) -> None:
        """Count what a job of the queue holds or asks for, at every level (`sign` 1), or no longer (-1)."""
        direct = self.direct.setdefault(name, Usage())
        direct.add(kind, change, sign, preemptible=preemptible)
        if sign < 0 and direct.is_zero():
            del self.direct[name]
        for queue in self.chain(name):
            self.usage[queue.name].add(kind, change, sign, preemptible=preemptible)

    def _roll_up(self) -> None:
        self.usage = {name: Usage() for name in self.queues}
        for name, direct in self.direct.items():
            for queue in self.chain(name):
                self.usage[queue.name].join(direct)
