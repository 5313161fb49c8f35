"""Nodes and queues come, change and go: what tasks count against."""

from aliquot.core.scheduling.facts import Node, Queue
from aliquot.core.scheduling.state.books import Books
from aliquot.core.scheduling.state.moments import Moments
from aliquot.core.scheduling.state.queues import QueueTree
from aliquot.core.scheduling.state.tasks import TaskRecord


class Ground:
    """Takes in nodes and queues.

    Args:
        books: where tasks count.
        moments: learns for how long queues leave jobs alone.
    """

    def __init__(self, books: Books, moments: Moments) -> None:
        self._books = books
        self._moments = moments
        self._smallest: dict[str, int] = {}

    def node_changed(self, node: Node) -> None:
        """A node is there, or differs from before."""
        books = self._books
        before, known = books.node_pool.get(node.name), books.node(node.name)
        if before == node.pool and known is not None and known.device_memory_mib == node.device_memory_mib:
            books.pool(node.pool).nodes.put(node)
            return
        there = books.lift_all(books.by_node.get(node.name, {}).values())
        if before is not None and before != node.pool:
            books.pools[before].nodes.remove(node.name)
        books.node_pool[node.name] = node.pool
        books.pool(node.pool).nodes.put(node)
        books.settle_all(there)
        self._recount_memory()

    def node_removed(self, name: str) -> None:
        """A node is gone."""
        books = self._books
        if name not in books.node_pool:
            return
        there = books.lift_all(books.by_node.get(name, {}).values())
        books.pools[books.node_pool.pop(name)].nodes.remove(name)
        books.settle_all(there)
        self._recount_memory()

    def queue_changed(self, queue: Queue) -> None:
        """A queue is there, or differs from before."""
        queues = self._books.pool(queue.pool).queues
        before = queues.queues.get(queue.name)
        self._moments.queue(before, queue)
        theirs = self._books.lift_all(self._tasks_of_queue(queues, queue.name) if before is None else ())
        queues.put(queue)
        self._books.settle_all(theirs)

    def queue_removed(self, pool: str, name: str) -> None:
        """A queue is gone."""
        queues = self._books.pool(pool).queues
        self._moments.queue(queues.queues.get(name), None)
        theirs = self._books.lift_all(self._tasks_of_queue(queues, name))
        queues.remove(name)
        self._books.settle_all(theirs)

    def _tasks_of_queue(self, queues: QueueTree, name: str) -> list[TaskRecord]:
        """Those whose queue is about to come or go: somebody pays for what they hold, or nobody does any more."""
        if name not in queues.direct:
            return []
        books = self._books
        jobs = [job.id for job in books.jobs.values() if job.queue == name]
        return [record for job_id in jobs for record in books.by_job.get(job_id, {}).values()]

    def _recount_memory(self) -> None:
        """An amount of GPU memory counts by the smallest device there is, which may be another one now."""
        books = self._books
        smallest = {name: pool.nodes.smallest_device_mib() for name, pool in books.pools.items()}
        if smallest == self._smallest:
            return
        self._smallest = smallest
        for record in list(books.records.values()):
            part = record.fact.request.part
            if part is not None and part.memory_mib:
                books.lift(record)
                books.settle(record)
