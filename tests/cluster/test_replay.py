"""What the scheduler of a live cluster knows, written down and replayed without it."""

import json

import pytest

from aliquot.core.simulation import load, simulate
from demo.platform import OperatorProcess
from tests.support.arena import Arena
from tests.support.scheduler_state import state_of

pytestmark = pytest.mark.cluster


def test_the_state_of_a_live_cluster_replays_to_what_it_said(arena: Arena, operator: OperatorProcess) -> None:
    arena.nodes(1, gpus=4)
    a = arena.project("a", deserved=2, limit=3)
    b = arena.project("b", deserved=2)
    for number in range(3):
        arena.submit(a, f"a{number}")
        arena.until_phase(a, f"a{number}", "Running")
    arena.submit(a, "over")
    arena.until_reason(a, "over", "OverLimit")
    arena.submit(b, "large", gpu="3")
    said = arena.until_reason(b, "large", "NotEnoughResources")["phaseMessage"]
    text = json.dumps(arena.until(lambda: state_of(operator, arena.name), "the operator to tell what it knows"))
    outcome = simulate(load(text.encode()), 1)
    [only] = outcome.rounds
    assert (only.bind, only.evict, only.nominate) == ([], [], [])
    waiting = {entry.job: entry for entry in only.waiting}
    assert {name.rpartition("-")[0]: entry.reason for name, entry in waiting.items()} == {
        "over-0": "OverLimit",
        "large-0": "NotEnoughResources",
    }
    in_a_pool_of_its_own = said.replace(f"pool {arena.name},", "pool default,")
    assert f"default, {arena.name}-0, has 1 free" in in_a_pool_of_its_own, "the node that has most free is named"
    assert in_a_pool_of_its_own in {entry.message for entry in only.waiting}
    assert "image" not in text


def test_a_pool_that_is_not_there_is_empty(operator: OperatorProcess) -> None:
    assert "nodes" not in state_of(operator, "nowhere")
