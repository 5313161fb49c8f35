"""Who runs, who is stopped and who waits: the rules as tables. Each case ends with the round that it describes."""

import pytest

from aliquot.core.scheduling import NodeChanged, NodeRemoved, QueueRemoved, decide
from aliquot.core.scheduling.facts import Node, Share, TaskState
from tests.core.scheduling.world import World, begun, carry_out, confirmed, outline, running, until_settled

TWO_BY_TWO = World().node("n1", "n2", gpus=2)
HALVES = World().node("n1", gpus=4).queue("a", 2).queue("b", 2)

ALLOCATE = {
    "nothing waits, nothing is done": (HALVES, "nothing"),
    "a job within its quota starts": (HALVES.job("x", "a"), "bind x on n1"),
    "idle GPUs are lent to a project over its quota": (HALVES.job("x", "a", 4), "bind x on n1"),
    "a project without quota may use idle GPUs": (
        World().node("n1").queue("a", 0).job("x", "a", 2),
        "bind x on n1",
    ),
    "who is within its quota goes before who is over it, however late it came": (
        World()
        .node("n1", gpus=3)
        .queue("a", 1)
        .queue("b", 2)
        .job("a1", "a", created=1)
        .job("a2", "a", created=2)
        .job("b1", "b", 2, created=3),
        "bind a1 on n1; bind b1 on n1; wait a2: NotEnoughResources",
    ),
    "within a project the older job goes first": (
        World().node("n1", gpus=1).queue("a", 1).job("young", "a", created=2).job("old", "a", created=1),
        "bind old on n1; wait young: NotEnoughResources",
    ),
    "within a project priority goes before age": (
        World().node("n1", gpus=1).queue("a", 1).job("old", "a", created=1).job("high", "a", created=2, priority=75),
        "bind high on n1; wait old: NotEnoughResources",
    ),
    "a job that does not fit does not hold up those behind it": (
        World().node("n1", gpus=2).queue("a", 8).job("large", "a", 8, created=1).job("small", "a", created=2),
        "bind small on n1; wait large: NoSuchNode",
    ),
    "bin packing: the fullest node that still fits is filled first": (
        World().node("n1", "n2", gpus=4).queue("a", 8).job("there", "a", 2, on="n2").job("x", "a", 2),
        "bind x on n2",
    ),
    "bin packing: a whole node is kept free for who needs one": (
        World()
        .node("n1", "n2", gpus=2)
        .queue("a", 4)
        .job("x", "a", 1, created=1)
        .job("y", "a", 1, created=2)
        .job("z", "a", 2, created=3),
        "bind x on n1; bind y on n1; bind z on n2",
    ),
    "a job without GPUs stays off nodes with GPUs while it can": (
        World().node("n1").node("n2", gpus=0).queue("a").job("x", "a", 0),
        "bind x on n2",
    ),
    "a node selector is kept to": (
        World()
        .node("n1")
        .node("n2", labels={"run.ai/type": "dgx"})
        .queue("a", 1)
        .job("x", "a", selector={"run.ai/type": "dgx"}),
        "bind x on n2",
    ),
    "a taint keeps off who does not tolerate it": (
        World()
        .node("n1", taint="special")
        .node("n2", gpus=1)
        .queue("a", 2)
        .job("x", "a", created=1)
        .job("y", "a", created=2)
        .job("z", "a", tolerates="special", created=3),
        "bind x on n2; bind z on n1; wait y: NotEnoughResources",
    ),
    "a cordoned node gets nothing new": (
        World().node("n1", schedulable=False).queue("a", 1).job("x", "a"),
        "wait x: NotEnoughResources",
    ),
    "a node that is not ready gets nothing new": (
        World().node("n1", ready=False).queue("a", 1).job("x", "a"),
        "wait x: NotEnoughResources",
    ),
    "CPUs count": (
        World()
        .node("n1", cpus=4)
        .queue("a", 8)
        .job("x", "a", cpu_milli=3000, created=1)
        .job("y", "a", cpu_milli=3000, created=2),
        "bind x on n1; wait y: NotEnoughResources",
    ),
    "pods per node count": (
        World().node("n1", pods=1).queue("a", 8).job("x", "a", created=1).job("y", "a", created=2),
        "bind x on n1; wait y: NotEnoughResources",
    ),
    "pods of other schedulers use room": (
        World().node("n1", gpus=2).queue("a", 2).job("foreign", None, 1, on="n1").job("x", "a", 2),
        "wait x: NotEnoughResources",
    ),
    "room of a stopping pod is promised, not given": (
        World().node("n1", gpus=1).queue("a", 1).job("goes", "a", on="n1", state=TaskState.TERMINATING).job("x", "a"),
        "nominate x on n1; wait x: WaitingForEviction",
    ),
    "S53: a limit is a hard cap, though GPUs are idle": (
        World().node("n1").queue("a", 1, limit=1).job("x", "a", created=1).job("y", "a", created=2),
        "bind x on n1; wait y: OverLimit",
    ),
    "a department's limit binds its projects": (
        World()
        .node("n1")
        .department("d", 2, limit=2)
        .queue("a", 2, parent="d")
        .queue("b", 2, parent="d")
        .job("x", "a", 2, created=1)
        .job("y", "b", 1, created=2),
        "bind y on n1; wait x: OverLimit",
    ),
    "S50: who may not be stopped stays within the quota, though GPUs are idle": (
        World().node("n1").queue("a", 1).job("i1", "a", on="n1", priority=100).job("i2", "a", priority=100),
        "wait i2: NonPreemptibleOverQuota",
    ),
    "S50: the same job, preemptible, runs over the quota": (
        World().node("n1").queue("a", 1).job("i1", "a", on="n1", priority=100).job("i2", "a", priority=75),
        "bind i2 on n1",
    ),
    "who may not be stopped stays within the department's quota, too": (
        World().node("n1").department("d", 1).queue("a", 2, parent="d").job("x", "a", 2, priority=100),
        "wait x: NonPreemptibleOverQuota",
    ),
    "S61: a full pool hands on to the next one": (
        World()
        .node("n1", gpus=1, pool="p1")
        .node("n2", gpus=1, pool="p2")
        .queue("a", 1, pool="p1")
        .queue("a", 1, pool="p2")
        .job("there", "a", on="n1", pools=("p1",))
        .job("x", "a", pools=("p1", "p2")),
        "bind x on n2",
    ),
    "S61: the pool that is liked best goes first": (
        World()
        .node("n1", gpus=1, pool="p1")
        .node("n2", gpus=1, pool="p2")
        .queue("a", 1, pool="p1")
        .queue("a", 1, pool="p2")
        .job("x", "a", pools=("p2", "p1")),
        "bind x on n2",
    ),
    "S61: a pool without quota takes only who may be stopped": (
        World()
        .node("n1", pool="p1")
        .queue("a", 0, pool="p1")
        .job("no", "a", priority=100, pools=("p1",))
        .job("yes", "a", pools=("p1",)),
        "bind yes on n1; wait no: NonPreemptibleOverQuota",
    ),
    "pods that start together start together or not at all": (
        World().node("n1", gpus=2).queue("a", 3).job("gang", "a", pods=3, together=3),
        "wait gang: NotEnoughResources",
    ),
    "S54: room for all of them, and all of them start": (
        World().node("n1", gpus=2).node("n2", gpus=1).queue("a", 3).job("gang", "a", pods=3, together=3),
        "bind gang-0 on n2; bind gang-1 on n1; bind gang-2 on n1",
    ),
    "a project that is not there waits": (World().node("n1").job("x", "nobody"), "wait x: NoQueue"),
}

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

FULL = World().node("n1", gpus=1).queue("a", 1)

PREEMPT = {
    "S49: interactive work takes the place of training in its project": (
        FULL.job("train", "a", on="n1").job("build", "a", priority=100),
        "evict train for build; nominate build on n1; wait build: WaitingForEviction",
    ),
    "S51: a higher priority takes the place of a lower one": (
        FULL.job("low", "a", on="n1", priority=50).job("high", "a", priority=75),
        "evict low for high; nominate high on n1; wait high: WaitingForEviction",
    ),
    "S51: equal priorities never": (
        FULL.job("old", "a", on="n1", created=2).job("new", "a", created=1),
        "wait new: NotEnoughResources",
    ),
    "S51: a lower priority never": (
        FULL.job("high", "a", on="n1", priority=75).job("low", "a", priority=50),
        "wait low: NotEnoughResources",
    ),
    "S51: who may not be stopped is not": (
        FULL.job("build", "a", on="n1", priority=100).job("serve", "a", priority=125),
        "wait serve: NonPreemptibleOverQuota",
    ),
    "priority has no power over other projects": (
        FULL.queue("b", 0).job("low", "a", on="n1", priority=50).job("high", "b", priority=125, preemptible=True),
        "wait high: NotEnoughResources",
    ),
    "S53: a build makes room under the limit, though GPUs are idle": (
        World().node("n1").queue("a", 1, limit=1).job("train", "a", on="n1").job("build", "a", priority=100),
        "evict train for build; nominate build on n1; wait build: WaitingForEviction",
    ),
    "the youngest of the lowest priority goes": (
        World()
        .node("n1", gpus=3)
        .queue("a", 3)
        .job("l1", "a", on="n1", created=1)
        .job("l2", "a", on="n1", created=2)
        .job("m", "a", on="n1", priority=60, created=3)
        .job("high", "a", priority=75),
        "evict l2 for high; nominate high on n1; wait high: WaitingForEviction",
    ),
    "others' loans are taken back before one's own work is stopped": (
        World()
        .node("n1", gpus=3)
        .queue("a", 2)
        .queue("b", 1)
        .job("low", "a", on="n1")
        .job("b1", "b", on="n1", created=1)
        .job("b2", "b", on="n1", created=2)
        .job("high", "a", priority=75),
        "evict b2 for high; nominate high on n1; wait high: WaitingForEviction",
    ),
    "who is stopped for the limit and who is stopped for the room are the same where they can be": (
        World()
        .node("n1", "n2", gpus=2)
        .queue("a", 4, limit=4)
        .job("l1", "a", on="n1", created=1)
        .job("l2", "a", on="n2", created=2)
        .job("l3", "a", on="n1", created=3)
        .job("l4", "a", on="n2", created=4)
        .job("high", "a", 2, priority=75),
        "evict l4 for high; evict l2 for high; nominate high on n2; wait high: WaitingForEviction",
    ),
    "nobody is stopped in vain": (
        World()
        .node("n1", "n2", gpus=2)
        .queue("a", 4)
        .job("low", "a", on="n1")
        .job("b1", "a", on="n1", priority=100)
        .job("b2", "a", 2, on="n2", priority=100)
        .job("high", "a", 2, priority=75),
        "wait high: NotEnoughResources",
    ),
}


@pytest.mark.parametrize(("given", "wanted"), ALLOCATE.values(), ids=ALLOCATE)
def test_free_room_goes_to_whoever_is_next(given: World, wanted: str) -> None:
    assert outline(given.state()) == wanted


@pytest.mark.parametrize(("given", "wanted"), RECLAIM.values(), ids=RECLAIM)
def test_owners_take_back_what_others_have_too_much(given: World, wanted: str) -> None:
    assert outline(given.state()) == wanted


@pytest.mark.parametrize(("given", "wanted"), PREEMPT.values(), ids=PREEMPT)
def test_within_a_project_priority_decides(given: World, wanted: str) -> None:
    assert outline(given.state()) == wanted


@pytest.mark.parametrize(
    "given", [case[0] for case in (*RECLAIM.values(), *PREEMPT.values())], ids=[*RECLAIM, *PREEMPT]
)
def test_while_the_stopped_are_stopping_nobody_else_is_stopped(given: World) -> None:
    state = given.state()
    plan = decide(state, 0.0)
    for event in begun(plan):
        state.apply(event)
    again = decide(state, 0.0)
    assert again.evictions == ()
    given_room = {*(bind.task for bind in again.binds), *(nominate.task for nominate in again.nominations)}
    assert {nominate.task for nominate in plan.nominations} <= given_room


@pytest.mark.parametrize(
    "given",
    [case[0] for case in (*ALLOCATE.values(), *RECLAIM.values(), *PREEMPT.values())],
    ids=[*ALLOCATE, *RECLAIM, *PREEMPT],
)
def test_a_settled_cluster_has_nothing_to_do(given: World) -> None:
    state = given.state()
    promised = {nominate.task for nominate in decide(state, 0.0).nominations}
    until_settled(state)
    for task in promised:
        record = state.task(task)
        assert record is not None
        assert record.state.active, f"{task} was promised room and has none"


def test_s43_over_quota_then_s44_the_loan_comes_back_and_the_stopped_waits() -> None:
    cluster = TWO_BY_TWO.queue("team-a", 2).queue("team-b", 2)
    state = (
        cluster.job("a2", "team-a", 2, created=1).job("a1", "team-a", created=2).job("b1", "team-b", created=3).state()
    )
    until_settled(state)
    assert running(state) == ["a1", "a2", "b1"]
    for event in World().job("b2", "team-b", created=4).facts:
        state.apply(event)
    until_settled(state)
    assert running(state) == ["a2", "b1", "b2"]
    assert outline(state) == "wait a1': NotEnoughResources"


def test_s46_two_projects_of_equal_quota_end_with_equal_parts() -> None:
    cluster = World().node("n1", gpus=4).queue("a", 1).queue("b", 1)
    state = cluster.job("a1", "a").job("a2", "a").job("a3", "a").job("a4", "a").state()
    until_settled(state)
    for event in World().job("b1", "b").job("b2", "b").job("b3", "b").job("b4", "b").facts:
        state.apply(event)
    until_settled(state)
    assert running(state) == ["a1", "a2", "b1", "b2"]


def test_the_stopped_are_told_for_whom_and_with_which_numbers() -> None:
    owner, _ = RECLAIM["S44: an owner takes back what was lent, the youngest loan first"]
    assert [evict.why for evict in decide(owner.state(), 0.0).evictions] == [
        "stopped for team-b/b2: project team-b is owed 1 of its 2 GPUs, project team-a holds 3 of the 2 it deserves"
    ]
    shared, _ = RECLAIM["S46: beyond quotas, idle GPUs are shared in proportion"]
    assert [evict.why for evict in decide(shared.state(), 0.0).evictions][1] == (
        "stopped for b/b2: project b holds 1 of its fair share of 2 GPUs, project a holds 3 of its fair share of 2"
    )
    department, _ = RECLAIM["S65: a department over its quota gives to another, though its projects are within theirs"]
    assert [evict.why for evict in decide(department.state(), 0.0).evictions] == [
        "stopped for e1/z: department e is owed 2 of its 2 GPUs, department d holds 4 of the 2 it deserves"
    ]
    priority, _ = PREEMPT["S49: interactive work takes the place of training in its project"]
    assert [evict.why for evict in decide(priority.state(), 0.0).evictions] == [
        "stopped for a/build: in project a, its priority 100 goes before priority 50"
    ]


def test_room_of_the_stopped_goes_to_whom_they_were_stopped_for_though_another_is_next_now() -> None:
    given = World().node("n1", gpus=4).queue("a", 1, created=2).queue("b", 1, created=1).queue("c", 2)
    given = given.job("a1", "a", on="n1", priority=60).job("a2", "a", on="n1")
    given = given.job("b1", "b", on="n1").job("b2", "b", on="n1")
    state = given.job("high", "a", priority=75, created=1).state()
    plan = decide(state, 0.0)
    assert [(evict.task, evict.for_job) for evict in plan.evictions] == [("a2", "high")]
    for event in begun(plan):
        state.apply(event)
    for event in World().job("c1", "c", created=2).job("b3", "b", created=0).facts:
        state.apply(event)
    assert [nominate.task for nominate in decide(state, 0.0).nominations] == ["high", "c1"]
    for event in list(confirmed(state)):
        state.apply(event)
    assert "high" in {bind.task for bind in decide(state, 0.0).binds}, "also when those who were stopped have gone"


def test_a_promised_job_starts_at_once_where_other_room_comes_free() -> None:
    state = RECLAIM["free room counts: only what is missing is taken"][0].state()
    for event in begun(decide(state, 0.0)):
        state.apply(event)
    for event in World().node("n9", gpus=2).facts:
        state.apply(event)
    assert outline(state) == "bind b1 on n9"


def test_a_removed_project_starts_nothing_and_goes_on_running() -> None:
    state = HALVES.job("there", "a", on="n1").job("x", "a").state()
    state.apply(QueueRemoved("default", "a"))
    assert outline(state) == "wait x: NoQueue"
    assert running(state) == ["there"]


def test_a_node_that_goes_takes_its_room_with_it() -> None:
    state = HALVES.state()
    state.apply(NodeRemoved("n1"))
    for event in World().job("x", "a").facts:
        state.apply(event)
    assert outline(state) == "wait x: NoSuchNode"


def test_a_node_that_moves_to_another_pool_serves_that_pool() -> None:
    state = HALVES.queue("a", 1, pool="p2").job("x", "a", pools=("p2",)).state()
    node = state.node("n1")
    assert node is not None
    state.apply(NodeChanged(Node("n1", "p2", node.allocatable)))
    assert outline(state) == "bind x on n1"


def test_a_settled_cluster_stays_settled_when_the_same_facts_come_again() -> None:
    state = RECLAIM["S46: beyond quotas, idle GPUs are shared in proportion"][0].state()
    carry_out(state, decide(state, 0.0))
    until_settled(state)
    before = decide(state, 0.0)
    for event in list(state.facts()):
        state.apply(event)
    assert decide(state, 0.0) == before
