"""Two operators, one of which leads: whatever ends the one, the other goes on, and they never act at the same time."""

import time
from collections.abc import Mapping
from typing import Final

import pytest

from aliquot_lab import ApiRequest, Cluster, FaultProxy, Hold, Rule
from demo.platform import OperatorProcess
from tests.crashes.scenario import Scenario
from tests.crashes.stage import SHORT_LEASE, Stage

pytestmark = [pytest.mark.cluster, pytest.mark.crashes, pytest.mark.xdist_group("crashes-broken")]


# Nobody shall lose the lease because the machine is busy.
_LEASE: Final = {
    **SHORT_LEASE,
    "ALIQUOT_LEADERSHIP__LEASE_SECONDS": "30",
    "ALIQUOT_LEADERSHIP__RENEW_DEADLINE_SECONDS": "22",
}


class Acts:
    """When whoever is behind a proxy tried to write something; the lease does not count."""

    def __init__(self, proxy: FaultProxy) -> None:
        self.times: list[float] = []
        proxy.on_request(self._note, when=lambda request: request.writes and request.resource != "leases")

    def _note(self, _: ApiRequest) -> None:
        self.times.append(time.monotonic())


def two(stage: Stage, settings: Mapping[str, str]) -> tuple[OperatorProcess, OperatorProcess]:
    """Start two; the first leads."""
    first = stage.operator("first", settings=settings)
    stage.until(lambda: stage.holder() == first.name, "the first one to lead")
    return first, stage.operator("second", settings=settings)


def test_a_killed_leader_is_followed_by_the_other(stage: Stage) -> None:
    first, second = two(stage, _LEASE)
    scenario = Scenario(stage)
    scenario.begin()
    first.kill()
    scenario.finish()
    assert stage.holder() == second.name


def test_a_leader_that_is_told_to_stop_hands_over_at_once(stage: Stage) -> None:
    for_an_hour = {"ALIQUOT_LEADERSHIP__LEASE_SECONDS": "3600", "ALIQUOT_LEADERSHIP__RENEW_DEADLINE_SECONDS": "3000"}
    first, second = two(stage, {**SHORT_LEASE, **for_an_hour})
    scenario = Scenario(stage)
    scenario.begin()
    first.stop()
    scenario.finish()
    assert stage.holder() == second.name


@pytest.mark.parametrize("cut", ["from everything", "from its lease"])
def test_a_leader_that_is_cut_off_stops_acting_before_the_other_begins(
    stage: Stage, plane: Cluster, proxy: FaultProxy, cut: str
) -> None:
    """Cut off from its lease alone it could go on writing: only its own clock stops it."""
    with FaultProxy(plane.access) as other:
        acts_of_first, acts_of_second = Acts(proxy), Acts(other)
        first = stage.operator("first", proxy=proxy, settings=_LEASE)
        stage.until(lambda: stage.holder() == first.name, "the first one to lead")
        second = stage.operator("second", proxy=other, settings=_LEASE)
        scenario = Scenario(stage)
        scenario.begin()
        assert stage.holder() == first.name
        assert acts_of_first.times
        assert not acts_of_second.times
        if cut == "from everything":
            proxy.black_hole()
        else:
            proxy.add(Rule(Hold(), resource="leases"))
        stage.until(lambda: stage.holder() == second.name, "the other to lead")
        stage.project("late", deserved=0)  # the first one may have finished everything else before it stopped
        stage.until(lambda: acts_of_second.times, "the other to act")
        proxy.clear()
        proxy.heal()
        after = Acts(proxy)
        scenario.finish()
        assert stage.holder() == second.name
        assert max(acts_of_first.times) < min(acts_of_second.times)
        assert not after.times
        stage.clear()
    assert first.pid is None
