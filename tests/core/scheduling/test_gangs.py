"""What a gang starts with: all that its pod sets lack, together, and then one task after the other."""

from collections.abc import Mapping

import pytest

from aliquot.core.scheduling import decide
from aliquot.core.scheduling.facts import Group, PodSet
from tests.core.scheduling.world import World, outline, sentences

MASTER_AND_WORKERS = Group(pod_sets=(PodSet("master", 1), PodSet("workers", 2)))
RUNS = {"train-master-0": "n1", "train-workers-0": "n1"}


def gang(gpus: int, pods: Mapping[str, int], on: Mapping[str, str] | None = None) -> World:
    """A gang of a master and two or more workers beside a node with so many GPUs."""
    world = World().node("n1", gpus=gpus).queue("a", 8)
    return world.gang("train", "a", MASTER_AND_WORKERS, pods, on=on)


@pytest.mark.parametrize(
    ("gpus", "pods", "on", "starts"),
    [
        (3, {"master": 1, "workers": 2}, {}, ["master-0", "workers-0", "workers-1"]),
        (2, {"master": 1, "workers": 2}, {}, []),
        (4, {"master": 1, "workers": 4}, {}, ["master-0", "workers-0", "workers-1", "workers-2"]),
        # Beyond the minimum, whatever set has least of its own.
        (
            8,
            {"master": 2, "workers": 4},
            {},
            ["master-0", "workers-0", "workers-1", "master-1", "workers-2", "workers-3"],
        ),
        # What lacks is a worker; one more master would be of no use.
        (3, {"master": 2, "workers": 2}, RUNS, ["workers-1"]),
        (2, {"master": 2, "workers": 2}, RUNS, []),
    ],
)
def test_which_tasks_start(gpus: int, pods: Mapping[str, int], on: Mapping[str, str], starts: list[str]) -> None:
    state = gang(gpus, pods, on).state()
    outline(state)
    assert [bind.task.removeprefix("train-") for bind in decide(state, 0.0).binds] == starts


def test_a_pod_set_below_its_minimum_is_named() -> None:
    waiting = sentences(gang(8, {"master": 1, "workers": 1}).state())
    assert waiting["train"] == "starts with at least 2 pods of workers; so far there are 1"
