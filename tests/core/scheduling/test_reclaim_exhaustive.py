"""Taking back, against a statement of the rule that is too slow to be wrong: every set of victims is looked at.

One node of four GPUs, three projects, every way to fill it with jobs of one to four GPUs, one job waiting.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations, product

import pytest

from aliquot.core.scheduling import decide
from tests.core.scheduling.world import World

FILLINGS = [(1, 1, 1, 1), (2, 1, 1), (2, 2), (3, 1), (4,), (1, 1, 1), (2, 1)]

Running = tuple[str, int]
"""Project and GPUs of a job."""


def surplus_only(quotas: dict[str, int], running: Sequence[Running], victims: Sequence[int]) -> bool:
    """Whether every project that gives stays at or above its quota."""
    return all(held(running, name, without=victims) >= quotas[name] for name in givers(running, victims))


def partly_surplus(quotas: dict[str, int], running: Sequence[Running], victims: Sequence[int]) -> bool:
    """Whether every project that gives would still be over its quota, had it kept the largest of what it gives."""
    return all(
        held(running, name, without=victims) + max(running[at][1] for at in victims if running[at][0] == name)
        > quotas[name]
        for name in givers(running, victims)
    )


def balanced(quotas: dict[str, int], running: Sequence[Running], victims: Sequence[int], need: int) -> bool:
    """Whether the taker, over its quota, ends with no larger part of its quota than anybody who gives."""
    after = held(running, "a") + need
    return surplus_only(quotas, running, victims) and all(
        (after * quotas[name] <= held(running, name, without=victims) * quotas["a"])
        if quotas["a"]
        else (quotas[name] == 0 and after <= held(running, name, without=victims))
        for name in givers(running, victims)
    )


def held(running: Sequence[Running], name: str, without: Sequence[int] = ()) -> int:
    return sum(gpus for at, (queue, gpus) in enumerate(running) if queue == name and at not in without)


def givers(running: Sequence[Running], victims: Sequence[int]) -> set[str]:
    return {running[at][0] for at in victims}


def rightful(quotas: dict[str, int], running: Sequence[Running], need: int) -> list[list[tuple[int, ...]]]:
    """The sets of victims that make room, by right: the best right that has any comes first."""
    free = 4 - sum(gpus for _, gpus in running)
    others = [at for at, (queue, _) in enumerate(running) if queue != "a"]
    sets = [
        chosen
        for size in range(1, len(others) + 1)
        for chosen in combinations(others, size)
        if free + sum(running[at][1] for at in chosen) >= need
        and all(held(running, name) > quotas[name] for name in givers(running, chosen))
    ]
    if held(running, "a") + need <= quotas["a"]:
        rights = [
            [chosen for chosen in sets if surplus_only(quotas, running, chosen)],
            [chosen for chosen in sets if partly_surplus(quotas, running, chosen)],
        ]
    else:
        rights = [[chosen for chosen in sets if balanced(quotas, running, chosen, need)]]
    return [right for right in rights if right]


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
        assert victims in rights[0], said
        assert not any(set(other) < set(victims) for other in rights[0]), said
        assert [nominate.task for nominate in plan.nominations] == ["x"], said
    assert helped > 100
