"""Watches that fall silent, and watches that miss something: nothing is believed longer than it is true."""

import pytest

from aliquot_lab import Cut, FaultProxy, Rule
from tests.crashes.stage import Stage
from tests.support.arena import WORKLOADS, names_of

pytestmark = [pytest.mark.cluster, pytest.mark.crashes, pytest.mark.xdist_group("crashes-broken")]


def test_watches_that_fall_silent_are_opened_anew(stage: Stage, proxy: FaultProxy) -> None:
    stage.operator(proxy=proxy, settings={"ALIQUOT_API__WATCH_SILENCE_SECONDS": "3"})
    stage.nodes(1)
    namespace = stage.project("a", deserved=8)
    stage.watched(proxy)
    assert proxy.silence_watches() > 0
    stage.submit(namespace, "job-1", gpu="8", duration="300ms")
    stage.until_phase(namespace, "job-1", "Completed")
    proxy.silence_watches()
    stage.submit(namespace, "job-2", gpu="8", duration="300ms")
    stage.until_phase(namespace, "job-2", "Completed")


def test_what_vanished_while_the_watches_were_away_holds_nothing(stage: Stage, proxy: FaultProxy) -> None:
    stage.operator(proxy=proxy)
    stage.nodes(1)
    namespace = stage.project("a", deserved=8)
    names = [f"job-{number}" for number in range(8)]
    for name in names:
        stage.submit(namespace, name)
    stage.until(lambda: stage.running(namespace) == 8, "all GPUs to be in use")
    away = Rule(Cut(), verb="watch|list")
    stage.watched(proxy)
    proxy.add(away)
    assert proxy.expire_watches() > 0
    for name in names:
        stage.delete(f"{WORKLOADS}/namespaces/{namespace}/trainingworkloads/{name}")
    stage.until(lambda: not stage.pods(namespace), "all pods to be gone")
    proxy.remove(away)
    stage.submit(namespace, "all", gpu="8")
    stage.until_phase(namespace, "all", "Running")
    # Pods may have been made anew for workloads that were not yet known to be gone; they go with their owners.
    stage.until(lambda: names_of(stage.pods(namespace)) == ["all-0-0"], "nothing else to be left")
    stage.until_phase(namespace, "all", "Running")


def test_what_was_made_and_vanished_while_the_watches_were_away_holds_nothing(stage: Stage, proxy: FaultProxy) -> None:
    """Its pod is known from the answer to its creation alone: no list and no watch ever tells that it is gone."""
    stage.operator(proxy=proxy, settings={"ALIQUOT_SCHEDULING__CONFIRM_SECONDS": "1"})
    stage.nodes(1)
    namespace = stage.project("a", deserved=8)
    stage.submit(namespace, "again", annotations={"exit-code": "3"})
    stage.until_phase(namespace, "again", "Running")
    stage.watched(proxy)
    away = Rule(Cut(), verb="watch|list")
    proxy.on_request(
        lambda _: (proxy.add(away), proxy.expire_watches()),
        when=lambda request: (request.verb, request.resource) == ("create", "pods"),
        times=1,
    )
    stage.end(namespace, "again")
    stage.until(lambda: len(stage.pods(namespace)) == 2, "the second try")
    stage.until(lambda: proxy.counts()["get", "pods"] > 0, "the operator to ask what became of it")
    stage.delete(f"{WORKLOADS}/namespaces/{namespace}/trainingworkloads/again")
    stage.until(lambda: not stage.pods(namespace), "both pods to be gone")
    proxy.remove(away)
    stage.submit(namespace, "all", gpu="8")
    stage.until_phase(namespace, "all", "Running")


def test_a_watch_that_is_cut_again_and_again_misses_nothing(stage: Stage, proxy: FaultProxy) -> None:
    stage.operator(proxy=proxy)
    stage.nodes(1, gpus=2)
    namespace = stage.project("a", deserved=2)
    for number in range(10):
        stage.submit(namespace, f"job-{number}")
    ways = [proxy.cut_watches, proxy.close_watches, proxy.expire_watches]
    cuts = 0

    def done() -> bool:
        nonlocal cuts
        ways[cuts % len(ways)]()
        cuts += 1
        stage.end(namespace)
        return all(stage.status(namespace, f"job-{number}").get("phase") == "Completed" for number in range(10))

    stage.until(done, "all jobs to complete")
    assert cuts >= 5, "two at a time"
