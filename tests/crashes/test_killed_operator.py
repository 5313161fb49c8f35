"""An operator that is killed at every n-th write of its life, for many n, and started again."""

import random

import pytest

from aliquot_lab import Act, ApiRequest, Cut, FaultProxy, Rule
from tests.crashes.scenario import Scenario
from tests.crashes.stage import MortalOperator, Stage

pytestmark = [pytest.mark.cluster, pytest.mark.crashes, pytest.mark.xdist_group("crashes-killed")]


class Killer:
    """Kills an operator at the n-th write of each of its lives.

    The write is lost, or carried out without the operator's ever hearing of it: which, is decided by lot, as by turns
    it could for ever be the same one of two writes that is lost. Renewals of the lease are not counted: they are many,
    and change nothing.

    Args:
        proxy: the way of its writes.
        victim: the operator.
        nth: at which of its writes.
    """

    def __init__(self, proxy: FaultProxy, victim: MortalOperator, nth: int) -> None:
        self.struck: list[ApiRequest] = []
        self._victim = victim
        self._nth = nth
        self._writes = 0
        self._killing = False
        self._after = True
        self._lots = random.Random(nth)
        # The first condition decides; all of them are asked while the proxy looks at one request.
        proxy.add(
            Rule(Act(self._kill), when=lambda request: self._is_its_last(request) and not self._after),
            Rule(Cut(), when=lambda request: self._was(request) and not self._after),
            Rule(Act(self._kill, after=True), when=lambda request: self._was(request) and self._after),
            Rule(Cut(after=True), when=lambda request: self._was(request) and self._after),
        )

    def _is_its_last(self, request: ApiRequest) -> bool:
        if self._killing or not request.writes or request.resource == "leases":
            return False
        self._writes += 1
        if self._writes < self._nth:
            return False
        self._killing = True
        self._after = self._lots.random() < 0.5
        self.struck.append(request)
        return True

    def _was(self, request: ApiRequest) -> bool:
        return bool(self.struck) and self.struck[-1] is request

    def last(self, many: int = 40) -> list[str]:
        """The last requests at which it was killed."""
        return [f"{request.verb} {request.path} {request.body[:300]!r}" for request in self.struck[-many:]]

    def _kill(self, _: ApiRequest) -> None:
        self._victim.kill()
        self._writes = 0
        self._killing = False


@pytest.mark.parametrize("nth", [1, 2, 5, 13, 34])
def test_a_killed_operator_goes_on_where_it_was(stage: Stage, proxy: FaultProxy, nth: int) -> None:
    operator = stage.mortal_operator(proxy)
    killer = Killer(proxy, operator, nth)
    try:
        # A life for each few writes takes its time: then each kind of work comes once, else three times.
        Scenario(stage, workloads=30 if nth > 5 else 12).play()
    except AssertionError as failure:
        failure.add_note("\n".join(["it was last killed at:", *killer.last()]))
        raise
    struck = {request.resource for request in killer.struck}
    assert struck, "it was never killed"
    if nth == 1:
        # Of writes that are under way together one is struck, so not every kind of status need be among them.
        assert struck >= {"namespaces", "pods", "pods/binding"}
        assert any(resource.endswith("/status") for resource in struck)
    assert not operator.ended_by_itself, operator.process.log()[-4000:]
