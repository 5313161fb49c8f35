"""Taking back, against a statement of the rule that is too slow to be wrong: every set of victims is looked at.

One node of four GPUs, three projects, every way to fill it with jobs of one to four GPUs, one job waiting.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations, permutations, product

import pytest

from aliquot.core.scheduling import decide
from tests.core.scheduling.world import World

FILLINGS = [(1, 1, 1, 1), (2, 1, 1), (2, 2), (3, 1), (4,), (1, 1, 1), (2, 1)]

Running = tuple[str, int]
"""Project and GPUs of a job."""


def fair_shares(quotas: dict[str, int], running: Sequence[Running], need: int) -> dict[str, int]:
    """One GPU after the other: quotas first, then who has had least beyond its quota, by name (all are of an age)."""
    wants = {name: held(running, name) + (need if name == "a" else 0) for name in quotas}
    fair = {name: min(quotas[name], wants[name]) for name in quotas}
    guaranteed = dict(fair)
    for _ in range(4 - sum(fair.values())):
        hungry = [name for name in sorted(quotas) if fair[name] < wants[name]]
        if hungry:
            fair[min(hungry, key=lambda name: fair[name] - guaranteed[name])] += 1
    return fair


def gives(bound: int, floor: int, running: Sequence[Running], name: str, victims: Sequence[int]) -> bool:
    """Whether a project may lose all these, one after the other in some order, each while it holds more than the bound.

    More than one only as long as it keeps the floor.
    """
    mine = [at for at in victims if running[at][0] == name]
    return (len(mine) == 1 or held(running, name, without=mine) >= floor) and any(
        all(held(running, name, without=order[:at]) > bound for at in range(len(order))) for order in permutations(mine)
    )


def held(running: Sequence[Running], name: str, without: Sequence[int] = ()) -> int:
    return sum(gpus for at, (queue, gpus) in enumerate(running) if queue == name and at not in without)


def givers(running: Sequence[Running], victims: Sequence[int]) -> set[str]:
    return {running[at][0] for at in victims}


def rightful(quotas: dict[str, int], running: Sequence[Running], need: int) -> list[tuple[int, ...]]:
    """The sets of victims that make room and may go."""
    fair = fair_shares(quotas, running, need)
    free = 4 - sum(gpus for _, gpus in running)
    after = held(running, "a") + need
    if after > fair["a"]:
        return []
    guaranteed = after <= quotas["a"]
    bounds = {name: quotas[name] if guaranteed else max(quotas[name], fair[name]) for name in quotas}
    floors = {name: 0 if guaranteed else quotas[name] for name in quotas}
    others = [at for at, (queue, _) in enumerate(running) if queue != "a"]
    return [
        chosen
        for size in range(1, len(others) + 1)
        for chosen in combinations(others, size)
        if free + sum(running[at][1] for at in chosen) >= need
        and all(gives(bounds[name], floors[name], running, name, chosen) for name in givers(running, chosen))
    ]


def cases() -> Iterator[tuple[dict[str, int], list[Running], int]]:
    for a, b, c in product(range(4), range(3), range(3)):
        for filling in FILLINGS:
            for owners in product("abc", repeat=len(filling)):
                for need in (1, 2, 3):
                    yield {"a": a, "b": b, "c": c}, list(zip(owners, filling, strict=True)), need


@pytest.mark.parametrize("need", [1, 2, 3])
def test_taking_back_does_what_the_rule_says_in_every_small_cluster(need: int) -> None:
    helped = 0
    for quotas, running, wanted in cases():
        if wanted != need or sum(gpus for _, gpus in running) + need <= 4:
            continue
        world = World().node("n1", gpus=4)
        for name, quota in quotas.items():
            world = world.queue(name, quota)
        for at, (queue, gpus) in enumerate(running):
            world = world.job(f"r{at}", queue, gpus, on="n1", created=at)
        plan = decide(world.job("x", "a", need, created=9).state(), 0.0)
        victims = tuple(sorted(int(evict.task[1:]) for evict in plan.evictions))
        rights = rightful(quotas, running, need)
        said = f"{quotas} {running} needs {need}: stopped {victims}, rightful {rights}"
        if not rights:
            assert not victims, said
            continue
        helped += 1
        assert victims in rights, said
        assert not any(set(other) < set(victims) for other in rights), said
        assert [nominate.task for nominate in plan.nominations] == ["x"], said
    assert helped > 100
