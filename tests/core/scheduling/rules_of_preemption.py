"""Within a project, priority decides: cases, each with the round that it ends with."""

from tests.core.scheduling.world import World

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
