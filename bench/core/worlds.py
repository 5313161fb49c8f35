"""The clusters that are measured, as facts: nodes of 8 GPUs."""

from collections.abc import Iterator

from aliquot.core.quantities import GpuPart, Request, Vector
from aliquot.core.scheduling import Event, JobChanged, NodeChanged, QueueChanged, TaskChanged
from aliquot.core.scheduling.facts import Group, Job, Node, PodSet, Queue, Share, Task, TaskState, Topology

GPU = 100
PER_NODE = 8
_GIB = 1 << 30


def nodes(many: int) -> Iterator[Event]:
    """Nodes n0, n1 and so on, ten in a rack, ten racks in a block, five blocks in a zone."""
    room = Vector(PER_NODE * GPU, 128_000, 1024 * _GIB, 110)
    for number in range(many):
        labels = {"zone": f"z{number // 500}", "block": f"b{number // 100}", "rack": f"r{number // 10}"}
        yield NodeChanged(Node(f"n{number}", "default", room, labels))


def queues(deserved: dict[str, int]) -> Iterator[Event]:
    """Queues and the GPUs that they deserve."""
    return (QueueChanged(Queue(name, "default", gpu=Share(gpus * GPU))) for name, gpus in deserved.items())


def job(
    name: str,
    queue: str,
    gpus: float,
    *,
    on: str | None = None,
    pods: int = 1,
    created: float = 0.0,
    close: Topology | None = None,
) -> Iterator[Event]:
    """A gang of so many pods that runs on a node, or waits; less than one GPU is a part of a shared one."""
    group = None if close is None else Group(topology=close, pod_sets=(PodSet("default", pods),))
    yield JobChanged(Job(name, "here", name, queue, min_member=pods, created=created, group=group))
    part = GpuPart(round(gpus * GPU)) if 0 < gpus < 1 else None
    for number in range(pods):
        yield TaskChanged(
            Task(
                id=f"{name}-{number}",
                job=name,
                namespace="here",
                name=f"{name}-{number}",
                request=Request(Vector(0 if part else int(gpus) * GPU, 1000, _GIB, 1), part),
                state=TaskState.PENDING if on is None else TaskState.RUNNING,
                node=on,
                created=created,
            )
        )


def owner_against_two_borrowers(many: int, *, even: bool = True) -> Iterator[Event]:
    """Every node is full of single-GPU jobs of two queues; the owner of half the GPUs wants them in one gang.

    Half of each node belongs to each queue; or where it is not `even`, five GPUs to the one and three to the other.
    """
    half = many * PER_NODE // 2
    yield from nodes(many)
    yield from queues({"owner": half, "lent-a": half // 2, "lent-b": half - half // 2})
    for number in range(many * PER_NODE):
        first = number % 2 == 0 if even else number * 7 % 16 < 8
        queue = "lent-a" if first else "lent-b"
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


def close_gang(many: int) -> Iterator[Event]:
    """No GPU to five GPUs are free on each node; a gang of 512 has to be in one block, and in one rack if it can.

    In the last block of each zone more is free than in the others; only there is room.
    """
    yield from nodes(many)
    yield from queues({"a": many * PER_NODE, "b": 0})
    for number in range(many):
        free = 6 - number * 5 % 2 if number // 100 % 5 == 4 or number >= many - 100 else number * 7 % 6
        yield from job(f"j{number}", "b", PER_NODE - free, on=f"n{number}", created=float(number))
    levels = ("zone", "block", "rack")
    close = Topology(levels, required="block", preferred="rack")
    yield from job("gang", "a", 1, pods=512, created=20_000.0, close=close)


def close_gang_owed(many: int) -> Iterator[Event]:
    """The same gang where every node is full of single-GPU jobs of two queues that deserve nothing."""
    yield from nodes(many)
    yield from queues({"owner": many * PER_NODE, "lent-a": 0, "lent-b": 0})
    for number in range(many * PER_NODE):
        queue = "lent-a" if number * 7 % 16 < 8 else "lent-b"
        yield from job(f"j{number}", queue, 1, on=f"n{number // PER_NODE}", created=float(number * 7919 % 10_007))
    close = Topology(("zone", "block", "rack"), required="block", preferred="rack")
    yield from job("gang", "owner", 1, pods=512, created=20_000.0, close=close)


def halves(many: int) -> Iterator[Event]:
    """Half-GPU jobs in 20 queues, as many as there is room for, and nothing runs."""
    yield from nodes(many)
    yield from queues({f"q{number}": many * PER_NODE // 20 for number in range(20)})
    for number in range(many * PER_NODE * 2):
        yield from job(f"j{number}", f"q{number % 20}", 0.5, created=float(number))
