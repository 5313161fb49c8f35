"""Whose turn it is: departments are compared first, then the projects within, each time through their next job.

The order is that of scheduling.md 2.2. Within a queue, priority decides, then age; a job that cannot be placed does not
hold up those behind it (scheduling.md 2.4), nor does it speak for its queue once that is known.
"""

from collections.abc import Callable, Iterable
from heapq import heapify, heappop, heappush

from aliquot.core.quantities import UNLIMITED
from aliquot.core.scheduling.facts import Queue
from aliquot.core.scheduling.fairness.capacity import allocatable, largest_part
from aliquot.core.scheduling.state.draft import Draft
from aliquot.core.scheduling.state.jobs import Demand, GroupKey
from aliquot.core.scheduling.state.queues import Amount, shares
from aliquot.core.scheduling.waiters import Entry

_NOTHING = (0, 0, 0)

Order = tuple[bool, bool, int, bool, int, int, Amount, float, str]
"""Over its fair share, not within its quota, priority, not allowed anything, dominant share with the next job and
without, what it may have, age, name."""


class Row:
    """Waiting jobs of equal shape, and how far one has come with them.

    `tied` jobs have started in this pool in this round: they may not turn to another.
    """

    def __init__(self, key: GroupKey, jobs: list[Entry], *, tied: bool = False) -> None:
        self.key = key
        self.jobs = jobs
        self.at = 0
        self.tied = tied

    @property
    def left(self) -> list[Entry]:
        """Those that had no turn."""
        return self.jobs[self.at :]

    def order(self) -> tuple[int, bool, Entry]:
        """Where the first of them stands in its queue."""
        return (*self.key.place(), self.jobs[self.at])


class WaitingQueue:
    """The waiting jobs of one queue, next first."""

    def __init__(self, queue: Queue, rows: Iterable[Row]) -> None:
        self.queue = queue
        self.parent: TurnNode | None = None
        self._rows = [(row.order(), number, row) for number, row in enumerate(rows)]
        self._made = len(self._rows)
        heapify(self._rows)

    def head(self) -> Row | None:
        """The jobs whose turn is next; the first of its `left` is the one."""
        return self._rows[0][2] if self._rows else None

    def served(self) -> None:
        """The next job has had its turn."""
        _, number, row = heappop(self._rows)
        row.at += 1
        if row.at < len(row.jobs):
            heappush(self._rows, (row.order(), number, row))

    def give_up(self) -> Row:
        """The next job cannot be helped, nor can those of its shape: they drop out. Returns them."""
        _, _, row = heappop(self._rows)
        out = Row(row.key, row.left, tied=row.tied)
        row.at = len(row.jobs)
        return out

    def join(self, key: GroupKey, entry: Entry) -> None:
        """A job stands in again, with what it asks for now."""
        self._made += 1
        row = Row(key, [entry], tied=True)
        heappush(self._rows, (row.order(), self._made, row))


class TurnNode:
    """A queue that has others below it, or the top."""

    def __init__(self, queue: Queue | None) -> None:
        self.queue = queue
        self.parent: TurnNode | None = None
        self.heap: list[tuple[Order, int, TurnNode | WaitingQueue]] = []


class Turns:
    """The tree of queues with waiting jobs. `next()` and `put_back()` alternate.

    Attributes:
        hopeless: the jobs that got no turn because they did not fit when their queue was ranked.
    """

    def __init__(self, draft: Draft, waiting: Iterable[WaitingQueue], fits: Callable[[Demand], bool]) -> None:
        self._draft = draft
        self._fits = fits
        self._top = TurnNode(None)
        self.hopeless: list[Row] = []
        self._path: list[tuple[TurnNode, TurnNode | WaitingQueue]] = []
        self._pushed = 0
        nodes: dict[str, TurnNode] = {}
        levels: list[tuple[int, TurnNode | WaitingQueue]] = []
        for leaf in waiting:
            chain = draft.tree.chain(leaf.queue.name)
            below: TurnNode | WaitingQueue = leaf
            levels.append((len(chain), leaf))
            for depth, queue in enumerate(reversed(chain[1:])):
                if queue.name not in nodes:
                    nodes[queue.name] = TurnNode(queue)
                    levels.append((depth + 1, nodes[queue.name]))
            for queue in chain[1:]:
                below.parent = nodes[queue.name]
                below = nodes[queue.name]
            below.parent = self._top
        levels.sort(key=lambda item: -item[0])
        for _, node in levels:
            self._push(node)

    def next(self) -> WaitingQueue | None:
        """The queue whose turn it is; None when nobody waits any more."""
        assert not self._path, "next() before put_back()"
        node: TurnNode | WaitingQueue = self._top
        while isinstance(node, TurnNode):
            if not node.heap:
                return None
            _, _, child = heappop(node.heap)
            self._path.append((node, child))
            node = child
        return node

    def put_back(self) -> None:
        """The queue has had its turn: it and those above it are ranked anew."""
        while self._path:
            _, child = self._path.pop()
            self._push(child)

    def _push(self, node: "TurnNode | WaitingQueue") -> None:
        if isinstance(node, WaitingQueue):
            while (head := node.head()) is not None and not self._fits(head.key.demand):
                self.hopeless.append(node.give_up())
        order = self._order(node)
        if order is not None:
            assert node.parent is not None
            self._pushed += 1
            heappush(node.parent.heap, (order, self._pushed, node))

    def _order(self, node: "TurnNode | WaitingQueue") -> Order | None:
        leaf = node
        while isinstance(leaf, TurnNode):
            if not leaf.heap:
                return None
            leaf = leaf.heap[0][2]
        head = leaf.head()
        if head is None or node.queue is None:
            return None
        return queue_order(self._draft, node.queue, head.key.demand.total)


def queue_order(draft: Draft, queue: Queue, wanted: Amount) -> Order:
    """Where a queue stands among its siblings with what its next job asks for; the least is first."""
    held = draft.held[queue.name]
    after = [has + more for has, more in zip(held, wanted, strict=True)]
    fair = draft.fair.get(queue.name, _NOTHING)
    bounds = allocatable(queue, fair)
    over = all(part < has for part, has in zip(fair, held, strict=True))
    starved = all(
        has <= share.deserved or share.deserved >= UNLIMITED for has, share in zip(after, shares(queue), strict=True)
    )
    forbidden = any(bound == 0 < has for bound, has in zip(bounds, after, strict=True))
    return (
        over,
        not starved,
        -queue.priority,
        forbidden,
        largest_part(after, bounds, draft.capacity),
        largest_part(held, bounds, draft.capacity),
        bounds,
        queue.created,
        queue.name,
    )
