"""Gangs of an operator that is killed at every n-th write of its life: they end as they must, pods are never double."""

from collections import Counter
from typing import Any

import pytest

from aliquot_lab import Act, ApiRequest, Cut, FaultProxy, Rule
from tests.crashes.stage import Stage
from tests.crashes.test_killed_operator import Killer

pytestmark = [pytest.mark.cluster, pytest.mark.crashes, pytest.mark.xdist_group("crashes-killed")]

KIND = "DistributedWorkload"
GANGS: dict[str, dict[str, Any]] = {
    "good": {"duration": "500ms"},
    "bad": {"duration": "200ms", "annotations": {"exit-code": "3"}},
    "elastic": {"duration": "500ms", "pyTorchJob": {"values": {"minReplicas": {"value": 2}}}},
}
ENDS = {"good": ("Completed", 0), "bad": ("Failed", 2), "elastic": ("Completed", 0)}
"""Phase and failures of each; `bad` may fail once."""


@pytest.mark.parametrize("nth", [2, 5])
def test_gangs_begin_and_end_as_they_would_have(stage: Stage, proxy: FaultProxy, nth: int) -> None:
    killer = Killer(proxy, operator := stage.mortal_operator(proxy), nth)
    stage.nodes(1)
    namespace = stage.project("a", deserved=8)
    for name, given in GANGS.items():
        whole: dict[str, Any] = {"jobType": "PyTorchJob", "workers": 3, **given}
        stage.submit(namespace, name, kind=KIND, runPolicy={"values": {"backoffLimit": {"value": 1}}}, **whole)

    def left() -> list[str]:
        alive = Counter(
            (each["metadata"]["labels"]["workloadName"], each["metadata"]["labels"]["aliquot.dev/pod-index"])
            for each in stage.pods(namespace)
            if each["status"]["phase"] in ("Pending", "Running")
        )
        assert not alive or max(alive.values()) == 1, alive
        found = {name: stage.status(namespace, name, KIND) for name in GANGS}
        seen = {name: (each.get("phase"), each.get("failedPods", 0)) for name, each in found.items()}
        return [f"{name} is {seen[name]}, with {alive}" for name in GANGS if seen[name] != ENDS[name]]

    stage.until_nothing(left)
    assert {request.resource for request in killer.struck} >= {"pods"}
    attempts = {each["metadata"]["labels"]["aliquot.dev/attempt"] for each in stage.pods(namespace, "bad")}
    assert attempts == {"0", "1"}
    assert not operator.ended_by_itself, operator.process.log()[-4000:]


@pytest.mark.parametrize("elastic", [False, True])
def test_one_that_was_bound_alone_and_is_done_keeps_nobody_waiting(
    stage: Stage, proxy: FaultProxy, elastic: bool
) -> None:
    """Killed after one binding of a gang: that pod has done its work by the time the others get their nodes."""
    operator = stage.mortal_operator(proxy)
    bound: list[str] = []

    def kill(request: ApiRequest) -> None:
        bound.append(request.name)
        operator.kill()
        stage.until(
            lambda: stage.get(request.path.removesuffix("/binding"))["status"]["phase"] == "Succeeded", "its end"
        )

    proxy.add(
        Rule(Cut(), resource="pods/binding", when=lambda request: not bound and request.name != "gang-2-0"),
        Rule(Act(kill, after=True), resource="pods/binding", when=lambda _: not bound),
    )
    stage.nodes(1)
    namespace = stage.project("a", deserved=8)
    given: dict[str, Any] = {"pyTorchJob": {"values": {"minReplicas": {"value": 3}}}} if elastic else {}
    stage.submit(namespace, "gang", kind=KIND, jobType="PyTorchJob", workers=2, duration="100ms", **given)
    stage.until_phase(namespace, "gang", "Completed", kind=KIND)
    assert bound == ["gang-2-0"]
    attempts = {each["metadata"]["labels"]["aliquot.dev/attempt"] for each in stage.pods(namespace, "gang")}
    assert attempts == {"0"}, "nobody began anew"
