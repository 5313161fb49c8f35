"""Cards of a real kubelet that are filled to the last part: all at once, and by memory."""

from collections import Counter

import pytest

from tests.nodes.gpu_node import RESERVATIONS, GpuNode
from tests.nodes.test_fractions_on_real_nodes import submit, visible
from tests.support.arena import Arena
from tests.support.gpu_storm import SHARED

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("real-nodes")]


@pytest.mark.parametrize("gpus", [(8, "h100")], ids=["8 GPUs"], indirect=True)
def test_sixteen_halves_at_once_end_as_two_on_each_of_eight_cards(arena: Arena, gpus: GpuNode) -> None:
    namespace = arena.project("a", deserved=8)
    submit(arena, namespace, "halves", "0.5", completions=16, parallelism=16)
    arena.until_running_pods(namespace, 16)
    seen = visible(arena, namespace, arena.running_pods(namespace))
    assert Counter(each for cards in seen.values() for each in cards) == dict.fromkeys(gpus.uuids, 2)
    assert len(gpus.reservations()) == 8


@pytest.mark.parametrize("gpus", [(1, "l40s")], ids=["46068 MiB"], indirect=True)
def test_what_fits_by_memory_runs_and_one_waits_with_its_reason(arena: Arena, gpus: GpuNode) -> None:
    """A card of 46,068 MiB counts as 46,000 (scheduling.md 1.3)."""
    namespace = arena.project("a", deserved=4)
    submit(arena, namespace, "many", None, gpuMemory="2000Mi", completions=23, parallelism=23)
    arena.until_running_pods(namespace, 23)
    submit(arena, namespace, "late", None, gpuMemory="2000Mi")
    told = arena.until_reason(namespace, "late", "NotEnoughResources")
    assert "GPU" in told["phaseMessage"], told
    seen = visible(arena, namespace, arena.running_pods(namespace))
    assert Counter(each for cards in seen.values() for each in cards) == {gpus.uuids[0]: 23}
    arena.delete(arena.path(namespace, "many"))
    arena.until_phase(namespace, "late", "Running")


def test_a_reservation_deleted_by_hand_takes_its_sharers_with_it(arena: Arena, gpus: GpuNode) -> None:
    """The kubelet may give the card to others from then on; the sharers start again where a card is held for them."""
    namespace = arena.project("a", deserved=4)
    submit(arena, namespace, "halves", "0.5", completions=4, parallelism=4, backoffLimit=0)
    submit(arena, namespace, "whole", "2", completions=1)
    arena.until_running_pods(namespace, 5)
    lost, kept = sorted(gpus.reservations(), key=lambda pod: pod["metadata"]["name"])
    before = {pod["metadata"]["uid"]: pod for pod in arena.running_pods(namespace)}
    gpu = lost["metadata"]["annotations"][SHARED]
    on_it = {uid for uid, pod in before.items() if pod["metadata"]["annotations"].get(SHARED) == gpu}
    assert len(on_it) == 2
    arena.delete(f"{RESERVATIONS}/{lost['metadata']['name']}")

    def started_again() -> bool:
        now = {pod["metadata"]["uid"] for pod in arena.running_pods(namespace)}
        return len(now) == 5 and now.isdisjoint(on_it)

    arena.until(started_again, "the sharers to start again")
    pods = arena.running_pods(namespace)
    assert before.keys() - on_it <= {pod["metadata"]["uid"] for pod in pods}
    seen = visible(arena, namespace, pods)
    assert sorted(Counter(each for cards in seen.values() for each in cards).values()) == [1, 1, 2, 2]
    assert kept["metadata"]["uid"] in {pod["metadata"]["uid"] for pod in gpus.reservations()}
    assert arena.status(namespace, "halves").get("failedPods", 0) == 0
