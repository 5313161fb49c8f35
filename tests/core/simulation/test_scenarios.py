"""Acceptance scenarios of cluster-api.md 8.5, played on paper: a cluster, and who runs when nothing more happens."""

from typing import Any

import pytest
import yaml

from aliquot.core.simulation import document_from, simulate

ROUNDS = 6

CASES: dict[str, tuple[str, list[str]]] = {
    # a cluster, and the tasks that run in the end
    "S52: within its quota, from one over its fair share": (
        """
        nodes: [{name: n1, gpus: 4}]
        queues: [{name: a, gpu: {deserved: 2}}, {name: b, gpu: {deserved: 2}}]
        jobs:
        - {name: b1, queue: b, created: 1, tasks: [{name: b1, state: Running, node: n1, request: {gpu: 2}}]}
        - {name: b2, queue: b, created: 2, tasks: [{name: b2, state: Running, node: n1, request: {gpu: 2}}]}
        - {name: a1, queue: a, created: 3, tasks: [{name: a1, request: {gpu: 2}}]}
        """,
        ["a1", "b1"],
    ),
    "S52: beyond its quota within its fair share, from one over its fair share": (
        """
        nodes: [{name: n1, gpus: 4}]
        queues: [{name: a, gpu: {deserved: 1}}, {name: b, gpu: {deserved: 1}}]
        jobs:
        - {name: b1, queue: b, created: 1, tasks: [{name: b1, state: Running, node: n1, request: {gpu: 1}}]}
        - {name: b2, queue: b, created: 2, tasks: [{name: b2, state: Running, node: n1, request: {gpu: 1}}]}
        - {name: b3, queue: b, created: 3, tasks: [{name: b3, state: Running, node: n1, request: {gpu: 1}}]}
        - {name: b4, queue: b, created: 4, tasks: [{name: b4, state: Running, node: n1, request: {gpu: 1}}]}
        - {name: a1, queue: a, created: 5, tasks: [{name: a1, request: {gpu: 1}}]}
        - {name: a2, queue: a, created: 6, tasks: [{name: a2, request: {gpu: 1}}]}
        - {name: a3, queue: a, created: 7, tasks: [{name: a3, request: {gpu: 1}}]}
        """,
        ["a1", "a2", "b1", "b2"],
    ),
    "S52: never so that it is over its own share": (
        """
        nodes: [{name: n1, gpus: 4}]
        queues: [{name: a, gpu: {deserved: 1}}, {name: b, gpu: {deserved: 3}}]
        jobs:
        - {name: b1, queue: b, created: 1, tasks: [{name: b1, state: Running, node: n1, request: {gpu: 4}}]}
        - {name: a1, queue: a, created: 3, tasks: [{name: a1, request: {gpu: 2}}]}
        """,
        ["b1"],
    ),
    "S52: not from one within its quota": (
        """
        nodes: [{name: n1, gpus: 4}]
        queues: [{name: a, gpu: {deserved: 2}}, {name: b, gpu: {deserved: 4}}]
        jobs:
        - {name: b1, queue: b, created: 1, tasks: [{name: b1, state: Running, node: n1, request: {gpu: 4}}]}
        - {name: a1, queue: a, created: 3, tasks: [{name: a1, request: {gpu: 2}}]}
        """,
        ["b1"],
    ),
    "S52: not what may not be stopped": (
        """
        nodes: [{name: n1, gpus: 4}]
        queues: [{name: a, gpu: {deserved: 2}}, {name: b, gpu: {deserved: 2}}]
        jobs:
        - name: b1
          queue: b
          created: 1
          priority: 100
          tasks: [{name: b1, state: Running, node: n1, request: {gpu: 4}}]
        - {name: a1, queue: a, created: 3, tasks: [{name: a1, request: {gpu: 2}}]}
        """,
        ["b1"],
    ),
    "S52: training takes back from interactive work that may be stopped": (
        """
        nodes: [{name: n1, gpus: 2}]
        queues: [{name: a, gpu: {deserved: 2}}, {name: b}]
        jobs:
        - name: b1
          queue: b
          created: 1
          priority: 75
          tasks: [{name: b1, state: Running, node: n1, request: {gpu: 2}}]
        - {name: a1, queue: a, created: 3, priority: 50, tasks: [{name: a1, request: {gpu: 2}}]}
        """,
        ["a1"],
    ),
    "S55: halves fill one GPU before the next": (
        """
        nodes: [{name: n1, gpus: 2}]
        queues: [{name: a, gpu: {deserved: 2}}]
        jobs:
        - {name: h1, queue: a, created: 1, tasks: [{name: h1, request: {gpuFraction: 0.5}}]}
        - {name: h2, queue: a, created: 2, tasks: [{name: h2, request: {gpuFraction: 0.5}}]}
        - {name: whole, queue: a, created: 3, tasks: [{name: whole, request: {gpu: 1}}]}
        """,
        ["h1", "h2", "whole"],
    ),
    "S55: or take one each": (
        """
        settings: {placement: {gpu: spread}, actions: [allocate]}
        nodes: [{name: n1, gpus: 2}]
        queues: [{name: a, gpu: {deserved: 2}}]
        jobs:
        - {name: h1, queue: a, created: 1, tasks: [{name: h1, request: {gpuFraction: 0.5}}]}
        - {name: h2, queue: a, created: 2, tasks: [{name: h2, request: {gpuFraction: 0.5}}]}
        - {name: whole, queue: a, created: 3, tasks: [{name: whole, request: {gpu: 1}}]}
        """,
        ["h1", "h2"],
    ),
    "S58: interactive work takes the MIG device of training": (
        """
        nodes: [{name: n1, mig: {strategy: mixed, devices: {2g.10gb: 3}}}]
        queues: [{name: a, gpu: {deserved: 1}}]
        jobs:
        - {name: t1, queue: a, created: 1, tasks: [{name: t1, request: {mig: {2g.10gb: 1}}}]}
        - {name: t2, queue: a, created: 2, tasks: [{name: t2, request: {mig: {2g.10gb: 1}}}]}
        - {name: t3, queue: a, created: 3, tasks: [{name: t3, request: {mig: {2g.10gb: 1}}}]}
        - {name: build, queue: a, created: 4, priority: 100, tasks: [{name: build, request: {mig: {2g.10gb: 1}}}]}
        """,
        ["build", "t1", "t2"],
    ),
    "S59: what a part may burst to makes no difference to how many fit": (
        """
        nodes: [{name: n1, gpus: 1}]
        queues: [{name: a, gpu: {deserved: 1}}]
        jobs:
        - {name: q1, queue: a, created: 1, tasks: [{name: q1, request: {gpuFraction: 0.25}}]}
        - {name: q2, queue: a, created: 2, tasks: [{name: q2, request: {gpuFraction: 0.25}}]}
        - {name: q3, queue: a, created: 3, tasks: [{name: q3, request: {gpuFraction: 0.25}}]}
        - {name: q4, queue: a, created: 4, tasks: [{name: q4, request: {gpuFraction: 0.25}}]}
        - {name: q5, queue: a, created: 5, tasks: [{name: q5, request: {gpuFraction: 0.25}}]}
        """,
        ["q1", "q2", "q3", "q4"],
    ),
}


def run(text: str) -> dict[str, Any]:
    return simulate(document_from(yaml.safe_load(text)), ROUNDS).model_dump(mode="json")


@pytest.mark.parametrize(("text", "wanted"), CASES.values(), ids=CASES)
def test_who_runs_in_the_end(text: str, wanted: list[str]) -> None:
    outcome = run(text)
    last = outcome["rounds"][-1]
    assert (last["bind"], last["evict"], last["nominate"]) == ([], [], []), "it never comes to rest"
    assert sorted(name for name, task in outcome["tasks"].items() if task["state"] == "Running") == wanted


def test_room_that_other_schedulers_pods_hold_is_nobodys_share() -> None:
    """scheduling.md 1.5: of eight GPUs with four gone, two queues without quotas are due two each."""
    pod = {"name": "f", "state": "Running", "node": "n1", "request": {"gpu": 4}}
    foreign: dict[str, Any] = {"name": "foreign", "queue": None, "tasks": [pod]}
    jobs = [
        {"name": f"{queue}{number}", "queue": queue, "tasks": [{"name": f"{queue}{number}", "request": {"gpu": 1}}]}
        for queue in "ab"
        for number in range(4)
    ]
    document = {
        "nodes": [{"name": "n1", "gpus": 8}],
        "queues": [{"name": "a"}, {"name": "b"}],
        "jobs": [foreign, *jobs],
    }
    outcome = simulate(document_from(document), 3).model_dump(mode="json")
    assert {name: queue["gpu"]["fairShare"] for name, queue in outcome["queues"].items()} == {"a": 2, "b": 2}
    assert sum(task["state"] == "Running" for name, task in outcome["tasks"].items() if name != "f") == 4
