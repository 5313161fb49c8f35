"""The clusters that are measured, as facts: nodes of 8 GPUs."""

from collections.abc import Iterator

from aliquot.core.quantities import Request, Vector
from aliquot.core.scheduling import Event, JobChanged, NodeChanged, QueueChanged, TaskChanged
from aliquot.core.scheduling.facts import Job, Node, Queue, Share, Task, TaskState

GPU = 100
PER_NODE = 8
_GIB = 1 << 30


def nodes(many: int) -> Iterator[Event]:
    """Nodes n0, n1 and so on."""
    room = Vector(PER_NODE * GPU, 128_000, 1024 * _GIB, 110)
    return (NodeChanged(Node(f"n{number}", "default", room)) for number in range(many))


def queues(deserved: dict[str, int]) -> Iterator[Event]:
    """Queues and the GPUs that they deserve."""
    return (QueueChanged(Queue(name, "default", gpu=Share(gpus * GPU))) for name, gpus in deserved.items())


def job(
    name: str, queue: str, gpus: int, *, on: str | None = None, pods: int = 1, created: float = 0.0
) -> Iterator[Event]:
    """A gang of so many pods that runs on a node, or waits."""
    yield JobChanged(Job(name, "here", name, queue, min_member=pods, created=created))
    for number in range(pods):
        yield TaskChanged(
            Task(
                id=f"{name}-{number}",
                job=name,
                namespace="here",
                name=f"{name}-{number}",
                request=Request(Vector(gpus * GPU, 1000, _GIB, 1)),
                state=TaskState.PENDING if on is None else TaskState.RUNNING,
                node=on,
                created=created,
            )
        )


def owner_against_two_borrowers(many: int) -> Iterator[Event]:
    """Every node is full of single-GPU jobs of two queues; the owner of half the GPUs wants them in one gang."""
    half = many * PER_NODE // 2
    yield from nodes(many)
    yield from queues({"owner": half, "lent-a": half // 2, "lent-b": half - half // 2})
    for number in range(many * PER_NODE):
        queue = "lent-a" if number * 7 % 16 < 8 else "lent-b"
        yield from job(f"j{number}", queue, 1, on=f"n{number // PER_NODE}", created=float(number * 7919 % 10_007))
    yield from job("gang", "owner", PER_NODE, pods=many // 2, created=20_000.0)


def many_waiting_for_empty_nodes(many: int) -> Iterator[Event]:
    """Single-GPU jobs in 20 queues, ten for each node, and nothing runs."""
    yield from nodes(many)
    yield from queues({f"q{number}": many * PER_NODE // 20 for number in range(20)})
    for number in range(many * 10):
        yield from job(f"j{number}", f"q{number % 20}", 1, created=float(number))


def scattered(many: int) -> Iterator[Event]:
    """Each node has one or two GPUs free between single-GPU jobs, and a job waits for a whole node."""
    yield from nodes(many)
    yield from queues({"a": many * PER_NODE // 2, "b": many * PER_NODE // 2})
    for number in range(many):
        for place in range(PER_NODE - 1 - number % 2):
            queue = "a" if (number + place) % 2 else "b"
            yield from job(f"j{number}-{place}", queue, 1, on=f"n{number}", created=float(number * 7919 % 10_007))
    yield from job("whole", "a", PER_NODE, created=20_000.0)


def full_with_a_line(many: int) -> Iterator[Event]:
    """Ten pods on each node, eight of them with a GPU, and five jobs for each node wait in 20 queues."""
    yield from nodes(many)
    yield from queues({f"q{number}": many * PER_NODE // 20 for number in range(20)})
    for number in range(many * 10):
        gpus = 1 if number % 10 < PER_NODE else 0
        yield from job(f"j{number}", f"q{number // 10 % 20}", gpus, on=f"n{number // 10}", created=float(number))
    for number in range(many * 5):
        yield from job(f"w{number}", f"q{number % 20}", 1, created=float(20_000 + number))
