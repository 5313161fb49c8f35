"""What rounds make of small clusters, and what is printed of them."""

import sys
from types import ModuleType
from typing import Any

import pytest

from aliquot.core.quantities import UNLIMITED
from aliquot.core.scheduling import ClusterState, decide
from aliquot.core.scheduling.state.pool import PoolState
from aliquot.core.simulation import document_from, simulate, world_of
from aliquot.core.simulation.jobs import NOW
from aliquot.core.simulation.rounds import begin, carry_out
from tests.core.simulation.documents import Values


def task(name: str, gpu: int = 1, on: str | None = None, **more: Any) -> Values:
    placed: Values = {} if on is None else {"state": "Running", "node": on}
    return {"name": name, "request": {"gpu": gpu}} | placed | more


def job(name: str, queue: str, *tasks: Values, **more: Any) -> Values:
    return {"name": name, "queue": queue, "tasks": list(tasks) or [task(f"{name}-0")]} | more


def cluster(
    *jobs: Values, gpus: tuple[int, ...] = (2,), a: float | None = 1, b: float | None = 1, **more: Any
) -> Values:
    nodes = [{"name": f"n{number}", "gpus": count} for number, count in enumerate(gpus, start=1)]
    queues = [{"name": "a", "gpu": {"deserved": a}}, {"name": "b", "gpu": {"deserved": b}}]
    return {"nodes": nodes, "queues": queues, "jobs": list(jobs)} | more


def run(values: Values, rounds: int = 1) -> Values:
    return simulate(document_from(values), rounds).model_dump(mode="json")


def reclaim(**more: Any) -> Values:
    """Queue a has lent two GPUs of a node; b wants one back."""
    return cluster(
        job("old", "a", task("old-0", on="n1")), job("old2", "a", task("old2-0", on="n1", **more)), job("new", "b")
    )


def test_who_starts_is_bound_after_the_round() -> None:
    out = run(cluster(job("j", "a", task("j-0", 2)), a=2))
    assert out["rounds"] == [
        {
            "bind": [{"job": "j", "task": "j-0", "node": "n1", "devices": [], "resource": "whole"}],
            "nominate": [],
            "evict": [],
            "waiting": [],
        }
    ]
    assert out["tasks"] == {"j-0": {"state": "Bound", "node": "n1", "devices": [], "gpus": 2.0}}
    gpu = out["queues"]["a"]["gpu"]
    gpu.pop("fairShare")
    assert gpu == {"deserved": 2, "allocated": 2, "allocatedNonPreemptible": 0, "requested": 2}
    assert out["nodes"] == {"n1": {"freeGpus": 0, "releasingGpus": 0}}


def test_who_is_stopped_is_terminating_and_who_has_its_place_nominated() -> None:
    out = run(reclaim())
    [done] = out["rounds"]
    assert done["evict"] == [{"job": "old2", "task": "old2-0", "action": "reclaim", "for": "new", "moves": False}]
    assert done["nominate"] == [{"job": "new", "task": "new-0", "node": "n1"}]
    [waiting] = done["waiting"]
    assert (waiting["job"], waiting["reason"]) == ("new", "WaitingForEviction")
    assert "starts on node n1 when 1 pod" in waiting["message"]
    assert waiting["details"]["stopping_pods"] == 1
    states = {name: (each["state"], each["node"]) for name, each in out["tasks"].items()}
    assert states == {"old-0": ("Running", "n1"), "old2-0": ("Terminating", "n1"), "new-0": ("Nominated", "n1")}
    assert out["nodes"]["n1"] == {"freeGpus": 0, "releasingGpus": 1}
    assert (out["queues"]["a"]["gpu"]["allocated"], out["queues"]["a"]["gpu"]["requested"]) == (1, 2)
    assert (out["queues"]["b"]["gpu"]["allocated"], out["queues"]["b"]["gpu"]["requested"]) == (0, 1)


def test_between_rounds_the_plan_is_carried_out_and_then_all_is_quiet() -> None:
    out = run(reclaim(), 4)
    outlines = [([each["task"] for each in done["bind"]], len(done["evict"])) for done in out["rounds"]]
    assert outlines == [([], 1), (["new-0"], 0), ([], 0), ([], 0)]
    states = {name: (each["state"], each["node"]) for name, each in out["tasks"].items()}
    assert states == {"old-0": ("Running", "n1"), "old2-0": ("Pending", None), "new-0": ("Running", "n1")}


def test_who_lingers_stays_terminating_and_nobody_else_is_stopped() -> None:
    out = run(reclaim(lingers=True), 3)
    assert [len(done["evict"]) for done in out["rounds"]] == [1, 0, 0]
    assert [len(done["nominate"]) for done in out["rounds"]] == [1, 1, 1]
    assert out["tasks"]["old2-0"]["state"] == "Terminating"
    assert out["tasks"]["new-0"] == {"state": "Nominated", "node": "n1", "devices": [], "gpus": 1.0}


def test_the_whole_gang_waits_while_one_of_it_must() -> None:
    going = job("going", "b", {**task("going-0", on="n2"), "state": "Terminating", "lingers": True})
    gang = job("gang", "a", task("gang-0"), task("gang-1"))
    out = run(cluster(going, gang, gpus=(1, 1), a=2))
    assert out["rounds"][0]["bind"] == []
    assert {each["task"]: each["node"] for each in out["rounds"][0]["nominate"]} == {"gang-0": "n1", "gang-1": "n2"}


def test_parts_of_devices_are_named() -> None:
    request = {"gpuFraction": 0.5}
    values = cluster(
        job("old", "a", {"name": "old-0", "state": "Running", "node": "n1", "devices": ["g1"], "request": request}),
        job("new", "a", {"name": "new-0", "request": request}),
    )
    out = run(values)
    [bind] = out["rounds"][0]["bind"]
    assert bind == {"job": "new", "task": "new-0", "node": "n1", "devices": ["g1"], "resource": "fraction"}
    assert out["tasks"]["new-0"] == {"state": "Bound", "node": "n1", "devices": ["g1"], "gpus": 0.5}
    assert out["nodes"]["n1"]["freeGpus"] == 1
    assert run(values, 2)["tasks"]["new-0"]["state"] == "Running"


def test_mig_devices_count_their_slices() -> None:
    node = {"name": "n1", "mig": {"strategy": "mixed", "devices": {"3g.40gb": 2}}}
    values = cluster(job("j", "a", {"name": "j-0", "request": {"mig": {"3g.40gb": 1}}}), nodes=[node])
    out = run(values)
    assert out["rounds"][0]["bind"][0]["resource"] == "mig"
    assert out["tasks"]["j-0"]["gpus"] == 0.42


@pytest.mark.parametrize("state", ["Succeeded", "Failed"])
def test_ended_tasks_keep_their_state_and_use_nothing(state: str) -> None:
    out = run(cluster(job("j", "a", task("j-0", 2, state=state, node="n1"))), 2)
    assert out["tasks"]["j-0"]["state"] == state
    assert out["nodes"]["n1"]["freeGpus"] == 2


@pytest.mark.parametrize(
    ("gang", "starts"),
    [
        pytest.param({}, [], id="default: all of them"),
        pytest.param({"group": {"podSets": [{"minMember": 2}]}}, ["g-0", "g-1"], id="two of three"),
        pytest.param({"group": {"podSets": [{"minMember": None}]}}, [], id="a pod set without a minimum: all of it"),
    ],
)
def test_a_gang_starts_with_its_minimum_or_not_at_all(gang: Values, starts: list[str]) -> None:
    out = run(cluster(job("g", "a", task("g-0"), task("g-1"), task("g-2"), **gang), a=3))
    assert sorted(each["task"] for each in out["rounds"][0]["bind"]) == starts


def test_priorities_from_100_are_not_preemptible_unless_it_says_so() -> None:
    out = run(cluster(job("fixed", "a", priority=100), job("free", "a", priority=100, preemptible=True)))
    assert out["queues"]["a"]["gpu"]["allocatedNonPreemptible"] == 1
    assert out["queues"]["a"]["gpu"]["allocated"] == 2


def test_the_order_of_the_document_makes_no_difference() -> None:
    values = cluster(
        *(job(name, queue) for name, queue in [("x", "a"), ("y", "b"), ("z", "a"), ("w", "b")]), gpus=(1, 2)
    )
    backwards = {key: list(reversed(entries)) for key, entries in values.items()}
    assert run(values)["rounds"] == run(backwards)["rounds"]


def test_created_may_be_a_number_or_a_moment() -> None:
    older = job("older", "a", created="1970-01-01T00:00:05Z")
    out = run(cluster(job("aa", "a", created=6), older, gpus=(1,)))
    assert [each["job"] for each in out["rounds"][0]["bind"]] == ["older"]


def test_fair_shares_are_those_of_the_state_that_the_round_decided_on(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[tuple[int, ...], float]] = []

    def fair_shares(pool: PoolState, usage_factor: float) -> dict[str, tuple[int, int, int]]:
        seen.append((tuple(pool.queues.usage["a"].held), usage_factor))
        return {"a": (150, 2500, 1024), "b": (UNLIMITED, 0, 0)}

    module = ModuleType("fair_share")
    vars(module)["fair_shares"] = fair_shares
    monkeypatch.setitem(sys.modules, "aliquot.core.scheduling.fairness.fair_share", module)
    out = run(reclaim() | {"settings": {"timeBasedFairShare": {"k": 0.5}}})
    assert seen == [((200, 0, 0), 0.5)]
    assert [out["queues"]["a"][each]["fairShare"] for each in ("gpu", "cpu", "memory")] == [1.5, 2.5, 1024]
    assert out["queues"]["b"]["gpu"]["fairShare"] is None


def test_a_job_that_starts_has_begun_to_run_now() -> None:
    document = document_from(cluster(job("new", "a"), job("old", "b", task("old-0", on="n1"), lastStartedSecondsAgo=9)))
    world = world_of(document)
    state = ClusterState.rebuild(world.events)
    begin(state, decide(state, NOW))
    carry_out(state, world.lingering)
    assert {name: job.last_started for name, job in state.jobs().items()} == {"new": NOW, "old": NOW - 9}
