"""Storms of whole GPUs and parts of them on hollow nodes, with an operator that lives, and with one that is killed."""

from collections.abc import Mapping
from typing import Final

import pytest

from aliquot_lab import FaultProxy
from tests.crashes.stage import Stage
from tests.crashes.test_killed_operator import Killer
from tests.support.gpu_storm import Storm, batches, plan

pytestmark = [pytest.mark.cluster, pytest.mark.crashes, pytest.mark.xdist_group("crashes-killed")]

CARD_MIB: Final = 81_500
LABELS: Final = {"nvidia.com/gpu.memory": "81559"}
GPUS: Final = 8
SLOW: Final = {"annotations": {"stop-delay": "1s"}}
"""A pod that is stopped holds its GPUs for so long, and others wait for them."""
CHECKED: Final[Mapping[str, str]] = {"ALIQUOT_SCHEDULING__CHECK_SECONDS": "1"}


def storm_on(stage: Stage, nodes: int) -> Storm:
    names = stage.nodes(nodes, gpus=GPUS, labels=LABELS)
    namespace = stage.project("a", deserved=nodes * GPUS)
    return Storm(stage, namespace, dict.fromkeys(names, GPUS), CARD_MIB, SLOW)


@pytest.mark.parametrize("seed", [1, 2])
def test_no_card_is_given_twice_on_many_nodes(stage: Stage, seed: int) -> None:
    operator = stage.operator(settings=CHECKED)
    storm = storm_on(stage, nodes=20)
    for steps in batches(plan(seed, 150, gpus=20 * GPUS, card_mib=CARD_MIB, most_pods=12), 50):
        storm.settle(steps)
    assert "books do not add up" not in operator.log()


@pytest.mark.parametrize("nth", [2, 7])
def test_no_card_is_given_twice_by_operators_that_are_killed(stage: Stage, proxy: FaultProxy, nth: int) -> None:
    operator = stage.mortal_operator(proxy)
    killer = Killer(proxy, operator, nth)
    storm = storm_on(stage, nodes=2)
    for steps in batches(plan(nth, 40, gpus=2 * GPUS, card_mib=CARD_MIB), 10):
        storm.settle(steps)
    assert {request.resource for request in killer.struck} >= {"pods", "pods/binding"}
    assert not operator.ended_by_itself, operator.process.log()[-4000:]
