"""An API server that dies, and one that answers what it likes."""

import pytest

from aliquot_lab import Answer, Cluster, Cut, FaultProxy, Rule
from tests.crashes.scenario import Scenario
from tests.crashes.stage import Stage

pytestmark = [pytest.mark.cluster, pytest.mark.crashes, pytest.mark.xdist_group("crashes-broken")]


@pytest.mark.parametrize("victim", ["kube-apiserver", "etcd"])
def test_a_control_plane_that_is_killed_in_the_middle_delays_work_and_loses_none(
    stage: Stage, plane: Cluster, victim: str
) -> None:
    def die() -> None:
        plane.restart(victim, kill=True)
        stage.until(lambda: plane.api.answers("/readyz"), "the API server to be ready")
        scenario.wake_kubelets()

    operator = stage.operator()
    before = operator.pid
    scenario = Scenario(stage)
    scenario.play(during=die)
    assert operator.pid == before
    operator.wait_ready()


def test_one_write_in_five_that_goes_wrong_changes_nothing(stage: Stage, proxy: FaultProxy) -> None:
    faults = (Answer(409), Answer(429, retry_after_seconds=1), Answer(500), Answer(500, after=True), Cut(after=True))
    rules = [Rule(fault, when=lambda request: request.writes, probability=0.04) for fault in faults]
    operator = stage.operator(proxy=proxy)
    before = operator.pid
    proxy.add(*rules)
    Scenario(stage).play()
    assert operator.pid == before
    assert all(proxy.strikes(rule) > 0 for rule in rules)
