"""Free room goes to whoever is next: cases, each with the round that it ends with."""

from aliquot.core.scheduling.facts import TaskState
from tests.core.scheduling.world import World

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
