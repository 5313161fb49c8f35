"""Owners take back what others have too much: cases, each with the round that it ends with."""

from aliquot.core.scheduling.facts import Share
from tests.core.scheduling.rules_of_free_room import HALVES, TWO_BY_TWO
from tests.core.scheduling.world import World

RECLAIM = {
    "S44: an owner takes back what was lent, the youngest loan first": (
        TWO_BY_TWO.queue("team-a", 2)
        .queue("team-b", 2)
        .job("a2", "team-a", 2, on="n2", created=1)
        .job("a1", "team-a", on="n1", created=2)
        .job("b1", "team-b", on="n1", created=3)
        .job("b2", "team-b", created=4),
        "evict a1 for b2; nominate b2 on n1; wait b2: WaitingForEviction",
    ),
    "what is within its quota is not taken": (
        HALVES.job("a1", "a", 2, on="n1").job("b1", "b", 2, on="n1").job("b2", "b", 1),
        "wait b2: NotEnoughResources",
    ),
    "over its own quota nobody takes from who is no more over it": (
        HALVES.job("a1", "a", 1, on="n1")
        .job("a2", "a", 1, on="n1")
        .job("a3", "a", 1, on="n1")
        .job("b1", "b", 1, on="n1")
        .job("b2", "b", 2),
        "wait b2: NotEnoughResources",
    ),
    "who may not be stopped is not": (
        HALVES.job("a1", "a", 2, on="n1", priority=100).job("a2", "a", 2, on="n1", preemptible=False).job("b1", "b"),
        "wait b1: NotEnoughResources",
    ),
    "of the queues over quota, the one most over it gives": (
        World()
        .node("n1", gpus=6)
        .queue("a", 1)
        .queue("b", 1)
        .queue("c", 2)
        .job("a1", "a", 2, on="n1", created=9)
        .job("b1", "b", 1, on="n1", created=1)
        .job("b2", "b", 2, on="n1", created=2)
        .job("b3", "b", 1, on="n1", created=1)
        .job("c1", "c", 1),
        "evict b2 for c1; nominate c1 on n1; wait c1: WaitingForEviction",
    ),
    "the lowest priority gives first, whatever its age": (
        HALVES.job("low", "a", on="n1", created=1, priority=40)
        .job("m1", "a", on="n1", created=2)
        .job("m2", "a", 2, on="n1", created=3)
        .job("b1", "b"),
        "evict low for b1; nominate b1 on n1; wait b1: WaitingForEviction",
    ),
    "priority means nothing across queues": (
        HALVES.job("a1", "a", 2, on="n1", priority=75, created=1)
        .job("a2", "a", 2, on="n1", priority=75, created=2)
        .job("b1", "b", 2, priority=10),
        "evict a2 for b1; nominate b1 on n1; wait b1: WaitingForEviction",
    ),
    "several on one node give, where several are needed": (
        TWO_BY_TWO.queue("a", 2)
        .queue("b", 2)
        .job("a1", "a", on="n1", created=1)
        .job("a2", "a", on="n2", created=2)
        .job("a3", "a", on="n1", created=3)
        .job("a4", "a", on="n2", created=4)
        .job("b1", "b", 2),
        "evict a4 for b1; evict a2 for b1; nominate b1 on n2; wait b1: WaitingForEviction",
    ),
    "several queues give together, each what it has too much": (
        World()
        .node("n1", gpus=4)
        .queue("a", 1)
        .queue("b", 1)
        .queue("c", 2)
        .job("a1", "a", on="n1", created=1)
        .job("a2", "a", on="n1", created=2)
        .job("b1", "b", on="n1", created=3)
        .job("b2", "b", on="n1", created=4)
        .job("c1", "c", 2),
        "evict b2 for c1; evict a2 for c1; nominate c1 on n1; wait c1: WaitingForEviction",
    ),
    "nobody is stopped where it would not help": (
        World()
        .node("n1", gpus=4)
        .node("n2", gpus=2, labels={"run.ai/type": "dgx"})
        .queue("a", 2)
        .queue("b", 4)
        .job("a1", "a", 4, on="n1")
        .job("b0", "b", 2, on="n2")
        .job("b1", "b", selector={"run.ai/type": "dgx"}),
        "wait b1: NotEnoughResources",
    ),
    "a cordoned node is not emptied": (
        World()
        .node("n1", gpus=4, schedulable=False)
        .queue("a", 2)
        .queue("b", 2)
        .job("a1", "a", 4, on="n1")
        .job("b1", "b"),
        "wait b1: NotEnoughResources",
    ),
    "free room counts: only what is missing is taken": (
        HALVES.job("a1", "a", 2, on="n1", created=1).job("a2", "a", 1, on="n1", created=2).job("b1", "b", 2),
        "evict a2 for b1; nominate b1 on n1; wait b1: WaitingForEviction",
    ),
    "the youngest goes, though it is partly within the quota": (
        HALVES.job("a1", "a", 1, on="n1", created=1).job("a2", "a", 3, on="n1", created=2).job("b1", "b", 1),
        "evict a2 for b1; nominate b1 on n1; wait b1: WaitingForEviction",
    ),
    "a quota is a guarantee: a large job that is partly over its own gives way": (
        World().node("n1", gpus=8).queue("a", 4).queue("b", 4).job("huge", "a", 8, on="n1").job("b1", "b", 1),
        "evict huge for b1; nominate b1 on n1; wait b1: WaitingForEviction",
    ),
    "S46: beyond quotas, idle GPUs are shared in proportion": (
        World()
        .node("n1", gpus=4)
        .queue("a", 1)
        .queue("b", 1)
        .job("a1", "a", on="n1", created=1)
        .job("a2", "a", on="n1", created=2)
        .job("a3", "a", on="n1", created=3)
        .job("a4", "a", on="n1", created=4)
        .job("b1", "b", created=5)
        .job("b2", "b", created=6)
        .job("b3", "b", created=7),
        (
            "evict a4 for b1; evict a3 for b2; nominate b1 on n1; nominate b2 on n1; "
            "wait b1: WaitingForEviction; wait b2: WaitingForEviction; wait b3: NotEnoughResources"
        ),
    ),
    "a queue with no part in what nobody deserves takes none of it from others": (
        World()
        .node("n1", gpus=4)
        .queue("a", 1)
        .queue("b", 1, weight=0)
        .job("a1", "a", on="n1", created=1)
        .job("a2", "a", on="n1", created=2)
        .job("a3", "a", on="n1", created=3)
        .job("b0", "b", on="n1", created=4)
        .job("b1", "b", created=5),
        "wait b1: NotEnoughResources",
    ),
    "S65: a department over its quota gives to another, though its projects are within theirs": (
        World()
        .node("n1", gpus=4)
        .department("d", 2)
        .department("e", 2)
        .queue("d1", 2, parent="d")
        .queue("d2", 2, parent="d")
        .queue("e1", 2, parent="e")
        .job("x", "d1", 2, on="n1", created=1)
        .job("y", "d2", 2, on="n1", created=2)
        .job("z", "e1", 2),
        "evict y for z; nominate z on n1; wait z: WaitingForEviction",
    ),
    "of a department over its quota, the project over its own gives first": (
        World()
        .node("n1", gpus=4)
        .department("d", 2)
        .department("e", 2)
        .queue("d1", 1, parent="d")
        .queue("d2", 2, parent="d")
        .queue("e1", 2, parent="e")
        .job("w", "d1", 1, on="n1", created=1)
        .job("x", "d1", 1, on="n1", created=2)
        .job("y", "d2", 2, on="n1", created=3)
        .job("z", "e1", 1),
        "evict x for z; nominate z on n1; wait z: WaitingForEviction",
    ),
    "a project within its quota takes nothing from a department that is within its own": (
        World()
        .node("n1", gpus=4)
        .department("d", 4)
        .department("e", 2)
        .queue("d1", 1, parent="d")
        .queue("e1", 2, parent="e")
        .job("x", "d1", 4, on="n1")
        .job("z", "e1", 1),
        "wait z: NotEnoughResources",
    ),
    "within a department, projects take from one another": (
        World()
        .node("n1", gpus=4)
        .department("d", 4)
        .queue("d1", 2, parent="d")
        .queue("d2", 2, parent="d")
        .job("x", "d1", 2, on="n1", created=1)
        .job("y", "d1", 2, on="n1", created=2)
        .job("z", "d2", 2),
        "evict y for z; nominate z on n1; wait z: WaitingForEviction",
    ),
    "a department at its limit makes room within itself": (
        World()
        .node("n1", gpus=8)
        .department("d", 4, limit=4)
        .queue("d1", 2, parent="d")
        .queue("d2", 2, parent="d")
        .job("x", "d1", 2, on="n1", created=1)
        .job("y", "d1", 2, on="n1", created=2)
        .job("z", "d2", 2),
        "evict y for z; nominate z on n1; wait z: WaitingForEviction",
    ),
    "who may not be stopped takes back, too, up to its quota": (
        HALVES.job("a1", "a", 2, on="n1", created=1)
        .job("a2", "a", 2, on="n1", created=2)
        .job("b1", "b", 2, priority=100)
        .job("b2", "b", 1, priority=100, created=1),
        "evict a2 for b1; nominate b1 on n1; wait b1: WaitingForEviction; wait b2: NonPreemptibleOverQuota",
    ),
    "S64: who is over its CPU quota gives, though it has GPUs to spare": (
        World()
        .node("n1", gpus=8, cpus=8)
        .queue("a", 4, cpu=Share(2000))
        .queue("b", 4, cpu=Share(4000))
        .job("a1", "a", 1, on="n1", cpu_milli=2000, created=1)
        .job("a2", "a", 1, on="n1", cpu_milli=6000, created=2)
        .job("b1", "b", 1, cpu_milli=4000),
        "evict a2 for b1; nominate b1 on n1; wait b1: WaitingForEviction",
    ),
    "a gang is stopped whole": (
        HALVES.job("a1", "a", 2, on="n1", created=1)
        .job("gang", "a", on="n1", pods=2, together=2, created=2)
        .job("b1", "b", 1),
        "evict gang-0 for b1; evict gang-1 for b1; nominate b1 on n1; wait b1: WaitingForEviction",
    ),
    "a job beyond its minimum shrinks before others are stopped": (
        HALVES.job("elastic", "a", on="n1", pods=3, together=1, created=1)
        .job("young", "a", on="n1", created=2)
        .job("b1", "b", 1),
        "evict elastic-2 for b1; nominate b1 on n1; wait b1: WaitingForEviction",
    ),
    "a gang takes back room for all of its pods": (
        TWO_BY_TWO.queue("a", 2)
        .queue("b", 2)
        .job("a1", "a", on="n1", created=1)
        .job("a2", "a", on="n2", created=2)
        .job("a3", "a", on="n1", created=3)
        .job("a4", "a", on="n2", created=4)
        .job("gang", "b", pods=2, together=2),
        (
            "evict a4 for gang; evict a3 for gang; nominate gang-0 on n2; nominate gang-1 on n1; "
            "wait gang: WaitingForEviction"
        ),
    ),
    "a gang that would not fit whole stops nobody": (
        HALVES.job("a1", "a", 2, on="n1")
        .job("a2", "a", 2, on="n1", preemptible=False)
        .job("gang", "b", pods=3, together=3),
        "wait gang: NotEnoughResources",
    ),
    "the pool that is liked best is reclaimed first": (
        World()
        .node("n1", gpus=2, pool="p1")
        .node("n2", gpus=2, pool="p2")
        .queue("a", 1, pool="p1")
        .queue("a", 1, pool="p2")
        .queue("b", 1, pool="p1")
        .queue("b", 1, pool="p2")
        .job("x1", "a", on="n1", created=1, pools=("p1",))
        .job("y1", "a", on="n1", created=2, pools=("p1",))
        .job("x2", "a", on="n2", created=1, pools=("p2",))
        .job("y2", "a", on="n2", created=2, pools=("p2",))
        .job("z", "b", pools=("p2", "p1")),
        "evict y2 for z; nominate z on n2; wait z: WaitingForEviction",
    ),
    "who was to be stopped stays when a later need makes room enough for the earlier one": (
        World()
        .node("n1", gpus=4)
        .queue("a", 1)
        .queue("b", 0)
        .queue("c", 2)
        .job("large", "b", 3, on="n1", created=1)
        .job("small", "b", 1, on="n1", created=2)
        .job("a1", "a", 1, created=3)
        .job("c1", "c", 2, created=4),
        (
            "evict large for c1; nominate a1 on n1; nominate c1 on n1; "
            "wait a1: WaitingForEviction; wait c1: WaitingForEviction"
        ),
    ),
    "who fits already is not helped": (
        HALVES.job("a1", "a", 2, on="n1").job("a2", "a", 1, on="n1").job("b1", "b", 1),
        "bind b1 on n1",
    ),
}
