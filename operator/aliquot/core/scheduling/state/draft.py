"""A round's own copy of what it may change in one pool, with a journal: every change can be taken back in O(changes).

Simulation and decision are the same code on the same draft; the state itself is never touched.
"""

import numpy as np

from aliquot.core.quantities import Vector
from aliquot.core.scheduling.state.nodes import Amounts
from aliquot.core.scheduling.state.pool import PoolState
from aliquot.core.scheduling.state.queues import Amount


class Draft:
    """One pool as it will be when everything decided so far has been done.

    Attributes:
        nodes: the pool's nodes; to read only.
        tree: the pool's queues; to read only.
        free: per row, what is free at this moment and not given yet.
        future: per row, what will be free when all that is stopping has gone, less what is given or promised. A task
            that starts now needs both; one that can wait for others to go needs only this.
        held: per queue, what its tasks hold, those included that were given or promised room here.
        held_non_preemptible: the part of it that may not be stopped.
        capacity: GPU, CPU and memory of the pool.
        touched: rows that changed, in order, undone changes included; for those who follow the draft.
    """

    def __init__(self, pool: PoolState) -> None:
        self.nodes = pool.nodes
        self.tree = pool.queues
        self.free: Amounts = pool.nodes.free.copy()
        self.future: Amounts = pool.nodes.free + pool.nodes.releasing
        self.held = {name: list(usage.held) for name, usage in pool.queues.usage.items()}
        self.held_non_preemptible = {
            name: list(usage.held_non_preemptible) for name, usage in pool.queues.usage.items()
        }
        self.capacity: Amount = pool.nodes.total()
        self.touched: list[int] = []
        self._journal: list[tuple[int, Amounts, bool] | tuple[str, Amount, bool]] = []

    def checkpoint(self) -> int:
        """A mark to roll back to."""
        return len(self._journal)

    def rollback(self, mark: int) -> None:
        """Take back everything since the mark."""
        while len(self._journal) > mark:
            where, change, flag = self._journal.pop()
            if isinstance(where, int):
                assert isinstance(change, np.ndarray)
                self._change_room(where, -change, now=flag)
            else:
                assert isinstance(change, tuple)
                self._change_queue(where, (-change[0], -change[1], -change[2]), preemptible=flag)

    def take(self, row: int, request: Vector, count: int, *, now: bool) -> None:
        """Give room on a node to so many equal tasks, or promise it to them (not `now`)."""
        change = np.array(request.as_tuple(), np.int64) * -count
        self._change_room(row, change, now=now)
        self._journal.append((row, change, now))

    def release(self, row: int, request: Vector) -> None:
        """A task on the node is going to stop: its room comes."""
        change = np.array(request.as_tuple(), np.int64)
        self._change_room(row, change, now=False)
        self._journal.append((row, change, False))

    def charge(self, queue: str, change: Amount, sign: int, *, preemptible: bool) -> None:
        """The queue holds so much more (`sign` 1) or less (-1), and so do all above it."""
        change = (sign * change[0], sign * change[1], sign * change[2])
        self._change_queue(queue, change, preemptible=preemptible)
        self._journal.append((queue, change, preemptible))

    def _change_room(self, row: int, change: Amounts, *, now: bool) -> None:
        self.future[row] += change
        if now:
            self.free[row] += change
        self.touched.append(row)

    def _change_queue(self, name: str, change: Amount, *, preemptible: bool) -> None:
        for queue in self.tree.chain(name):
            ledgers = [self.held[queue.name]]
            if not preemptible:
                ledgers.append(self.held_non_preemptible[queue.name])
            for ledger in ledgers:
                for axis in range(3):
                    ledger[axis] += change[axis]
