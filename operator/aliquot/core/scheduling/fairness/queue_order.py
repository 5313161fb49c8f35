"""Whose turn it is: departments are compared first, then the projects within, each time through their next job.

First those that have guaranteed work waiting: a job with which the queue stays within its quota, and for which there
is room. It makes no difference whether that job is the next one or further back: otherwise room that was reclaimed for
it could go to a queue with less right while a larger job stands before it. Within a queue, priority decides, then age;
a job that cannot be placed does not hold up those behind it (scheduling.md 2.4).
"""

from collections.abc import Callable, Iterable
from heapq import heapify, heappop, heappush

from aliquot.core.scheduling.facts import Queue
from aliquot.core.scheduling.fairness.capacity import parts_per_million, within_deserved
from aliquot.core.scheduling.state.draft import Draft
from aliquot.core.scheduling.state.jobs import Demand, Entry, GroupKey

_NOTHING = (0, 0, 0)

Order = tuple[int, int, int, float, str]
"""Right, share with the next job, share without, age, name."""


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
        self._guaranteed = [row for _, _, row in sorted(self._rows, key=lambda item: item[:2])]
        self._guaranteed.reverse()

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
        self._guaranteed.append(row)

    def guaranteed(self, draft: Draft, fits: Callable[[Demand], bool]) -> Demand | None:
        """What the first of its jobs asks for with which the queue stays within its quota, if there is room for it.

        What was looked at and refused is not looked at again: within a round, queues only fill up.
        """
        while self._guaranteed:
            row = self._guaranteed[-1]
            demand = row.key.demand
            if row.at < len(row.jobs) and within_deserved(draft, self.queue, demand.total) and fits(demand):
                return demand
            self._guaranteed.pop()
        return None


class TurnNode:
    """A queue that has others below it, or the top."""

    def __init__(self, queue: Queue | None) -> None:
        self.queue = queue
        self.parent: TurnNode | None = None
        self.heap: list[tuple[Order, int, TurnNode | WaitingQueue]] = []


class Turns:
    """The tree of queues with waiting jobs. `next()` and `put_back()` alternate."""

    def __init__(self, draft: Draft, waiting: Iterable[WaitingQueue], fits: Callable[[Demand], bool]) -> None:
        self._draft = draft
        self._fits = fits
        self._top = TurnNode(None)
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
        queue = node.queue
        if head is None or queue is None:
            return None
        wanted = head.key.demand.total
        return (
            self._right(queue, leaf, wanted),
            parts_per_million(self._draft, queue, wanted),
            parts_per_million(self._draft, queue, _NOTHING),
            queue.created,
            queue.name,
        )

    def _right(self, queue: Queue, leaf: WaitingQueue, wanted: tuple[int, int, int]) -> int:
        """0: guaranteed up to here; 1: within the quota here, over it below; 2: over the quota here.

        What is guaranteed below makes no difference where the quota is passed: there, shares are compared, as they are
        when room is taken back. Otherwise one step would undo what the other did.
        """
        guaranteed = leaf.guaranteed(self._draft, self._fits)
        if guaranteed is None:
            return 1 if queue.name != leaf.queue.name and within_deserved(self._draft, queue, wanted) else 2
        for level in self._draft.tree.chain(leaf.queue.name):
            if not within_deserved(self._draft, level, guaranteed.total):
                return 1 if within_deserved(self._draft, queue, guaranteed.total) else 2
            if level.name == queue.name:
                break
        return 0
