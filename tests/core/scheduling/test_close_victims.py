"""Room made for gangs whose tasks are to be close to one another, by stopping others and by moving them."""

import random
from collections import Counter
from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aliquot.core.scheduling import check, decide
from aliquot.core.scheduling.facts import Group, PodSet, Topology
from aliquot.core.scheduling.state.cluster import ClusterState
from tests.core.scheduling.world import World, carry_out, outline

LEVELS = ("zone", "rack")
slow = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def close(required: str | None = None, preferred: str | None = None) -> Topology:
    return Topology(LEVELS, required, preferred)


def racks(*names: str, gpus: int = 2) -> World:
    """Nodes called `rack/node`, all in one zone. Queue `b` is lent what it has, `a` deserves everything."""
    world = World().queue("a", 100).queue("b", 0)
    for name in names:
        world = world.node(name, gpus=gpus, labels={"zone": "z", "rack": name.partition("/")[0]})
    return world


TWO = racks("r1/n1", "r1/n2", "r2/n3", "r2/n4")
FULL = (
    TWO.job("b1", "b", 2, on="r1/n1", created=1).job("b2", "b", 2, on="r1/n2", created=4)
    .job("b3", "b", 2, on="r2/n3", created=2).job("b4", "b", 2, on="r2/n4", created=3)
)  # fmt: skip
PIECES = (
    TWO.job("a1", "a", on="r1/n1", created=1).job("a2", "a", on="r1/n2", created=2)
    .job("a3", "a", on="r2/n3", created=3).job("a4", "a", on="r2/n4", created=4, priority=100)
)  # fmt: skip


def waiting(world: World, pods: int, topology: Topology, gpus: int = 1) -> World:
    """The gang `x` of equal pods waits there."""
    return world.gang("x", "a", Group("", topology, (PodSet("w", pods),)), {"w": pods}, gpus=gpus, created=9)


def in_parts(world: World, *sizes: int, within: Topology | None = None) -> World:
    """The gang `x` of parts of so many pods waits there, each part for a rack."""
    pods = {f"h{number}": size for number, size in enumerate(sizes)}
    parts = tuple(Group(name, close("rack"), (PodSet(name, size),)) for name, size in pods.items())
    return world.gang("x", "a", Group("", within, (), parts), pods, created=9)


def together(world: World, *on: str) -> World:
    """The gang `g` runs there, and has to stay in one rack."""
    nodes = {f"g-w-{number}": node for number, node in enumerate(on)}
    return world.gang("g", "a", Group("", close("rack"), (PodSet("w", len(on)),)), {"w": len(on)}, on=nodes)


def cases() -> list[tuple[str, World, str]]:
    pairs = racks("r1/n1", "r2/n2")
    places = {"x-h0-0": "r1/n1", "x-h0-1": "r1/n1", "x-h1-0": "r2/n2", "x-h1-1": "r2/n2"}
    one_each = "; ".join(f"nominate {task} on {node}" for task, node in places.items())
    outside = racks("r1/n1").node("n2", gpus=2, labels={"zone": "z"})
    lone = World().node("n5", gpus=1, labels={"zone": "z"})
    fixed = racks("r1/n1", "r2/n2", "r3/n3").job("f2", "a", on="r2/n2", priority=100)
    return [
        (
            "others are stopped in one rack, where they began last",
            waiting(FULL, 2, close("rack"), 2),
            "evict b2 for x; evict b1 for x; nominate x-w-0 on r1/n1; nominate x-w-1 on r1/n2",
        ),
        (
            "a coarser level that is preferred does not do for the required one",
            waiting(FULL, 2, close("rack", "zone"), 2),
            "evict b2 for x; evict b1 for x; nominate x-w-0 on r1/n1; nominate x-w-1 on r1/n2",
        ),
        (
            "nobody is stopped on a node that is in no rack",
            waiting(outside.job("b1", "b", 2, on="n2"), 4, close("zone")),
            "",
        ),
        (
            "each part has others stopped in a rack of its own",
            in_parts(pairs.job("b1", "b", 2, on="r1/n1").job("b2", "b", 2, on="r2/n2"), 2, 2, within=close("zone")),
            f"evict b1 for x; evict b2 for x; {one_each}",
        ),
        (
            "a part has nobody stopped where it fits",
            in_parts(pairs.job("b1", "b", 2, on="r1/n1"), 2, 2, within=close("zone")),
            f"evict b1 for x; {one_each}",
        ),
        (
            "the part that comes first leaves the larger rack to the one that needs it",
            in_parts(racks("r1/n1").node("r2/n2", gpus=3, labels={"zone": "z", "rack": "r2"}), 1, 2, 2),
            "; ".join(
                f"bind x-{pod} on {'r1/n1' if pod.startswith('h1') else 'r2/n2'}"
                for pod in ("h0-0", "h1-0", "h1-1", "h2-0", "h2-1")
            ),
        ),
        (
            "others move out of one rack",
            waiting(World(*PIECES.facts, *lone.facts), 2, close("rack"), 2),
            "evict a1 for x; evict a2 for x; nominate x-w-0 on r1/n1; nominate x-w-1 on r1/n2",
        ),
        (
            "a gang moves to where it is together",
            together(fixed.node("r2/n4", gpus=1, labels={"zone": "z", "rack": "r2"}), "r1/n1", "r1/n1")
            .job("f3", "a", on="r3/n3", priority=100).job("x", "a", 2, created=9),
            "evict g-w-0 for x; evict g-w-1 for x; nominate x on r1/n1",
        ),
        (
            "a gang does not move where it would be torn apart",
            together(fixed, "r1/n1", "r1/n1").job("f3", "a", on="r3/n3", priority=100).job("x", "a", 2, created=9),
            "",
        ),
    ]  # fmt: skip


@pytest.mark.parametrize(("given", "wanted"), [case[1:] for case in cases()], ids=[case[0] for case in cases()])
def test_who_has_to_go(given: World, wanted: str) -> None:
    plan = outline(given.state())
    assert "; ".join(part for part in plan.split("; ") if not part.startswith("wait")) == wanted


def sites(seed: int) -> tuple[World, bool]:
    """Racks in two zones, mostly full of what may be stopped, and `x` in parts; and whether there is a way to place it.

    Every pod of `x` has one GPU, so it fits where there are enough of them in all.
    """
    luck, room = random.Random(seed), Counter[tuple[str, str]]()
    world = World().queue("a", 100).queue("b", 0, weight=0)
    for number in range(luck.randint(3, 8)):
        zone, name, gpus = f"z{number // 4}", f"n{number}", luck.randint(1, 4)
        rack = f"{zone}-r{number // 2 % 2}"
        world = world.node(name, gpus=gpus, labels={"zone": zone, "rack": rack})
        room[zone, rack] += gpus
        while gpus and luck.random() < 0.85:
            held, stays = luck.randint(1, min(2, gpus)), luck.random() < 0.15
            queue, priority = ("a", 100) if stays else ("b", 50)
            world = world.job(f"{name}-{gpus}", queue, held, on=name, priority=priority, created=number)
            gpus -= held
            room[zone, rack] -= held * stays
    sizes, in_zone = [luck.randint(1, 3) for _ in range(luck.randint(1, 3))], luck.random() < 0.5
    ways = (
        Counter[tuple[str, str]]()
        + sum((Counter({rack: size}) for rack, size in zip(way, sizes, strict=True)), Counter[tuple[str, str]]())
        for way in product(sorted(room), repeat=len(sizes))
        if not in_zone or len({zone for zone, _ in way}) == 1
    )
    return in_parts(world, *sizes, within=close("zone") if in_zone else None), any(way <= room for way in ways)


def lies(state: ClusterState) -> dict[str, set[str]]:
    """The racks of each part of `x` that runs."""
    found: dict[str, set[str]] = {}
    for record in state.tasks().values():
        if record.fact.job == "x" and record.node is not None and (node := state.node(record.node)) is not None:
            found.setdefault(record.fact.pod_set, set()).add(node.labels["rack"])
    return found


@slow
@given(st.integers(0, 1 << 32))
def test_a_gang_in_parts_gets_its_racks_if_there_is_a_way(seed: int) -> None:
    world, possible = sites(seed)
    state = world.state()
    parts = {record.fact.pod_set for record in state.tasks_of("x").values()}
    plan = decide(state, 0.0)
    assert check(state, plan) == []
    assert bool(plan.binds or plan.nominations) == possible
    carry_out(state, plan)
    carry_out(state, decide(state, 0.0))
    where = lies(state)
    assert where.keys() == (parts if possible else set())
    assert all(len(racks) == 1 for racks in where.values())


def test_the_sites_above_have_room_made_in_them() -> None:
    """Guards the property against passing because nothing ever happens."""
    stopped = [decide(sites(seed)[0].state(), 0.0).evictions for seed in range(60)]
    assert sum(map(bool, stopped)) > 20
