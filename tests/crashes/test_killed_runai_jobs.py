"""RunaiJobs of an operator that is killed at every n-th write of its life: they end as they must, no pod is double."""

from collections import Counter
from typing import Any, Final

import pytest

from aliquot_lab import FaultProxy
from tests.crashes.stage import Stage
from tests.crashes.test_killed_operator import Killer
from tests.support.runai_jobs import JOBS, submit

pytestmark = [pytest.mark.cluster, pytest.mark.crashes, pytest.mark.xdist_group("crashes-killed")]

FREE: Final[dict[str, dict[str, Any]]] = {
    "sweep": {"completions": 3, "parallelism": 2, "annotations": {"duration": "400ms"}},
    "bad": {"backoffLimit": 1, "annotations": {"duration": "200ms", "exit-code": "3"}},
    "late": {"activeDeadlineSeconds": 3},
    "brief": {"ttlSecondsAfterFinished": 0, "annotations": {"duration": "200ms"}},
}
"""Jobs of a project without time limits; `late` would never end."""
LIMITED: Final[dict[str, dict[str, Any]]] = {
    "long": {},
    "short": {"labels": {"priorityClassName": "build"}, "annotations": {"duration": "200ms"}},
}
"""Jobs of a project in which training may run for two seconds; `long` would never end."""
ENDS: Final = {
    "sweep": ("CompletionsReached", 3, 0),
    "bad": ("BackoffLimitExceeded", 0, 2),
    "late": ("DeadlineExceeded", 0, 0),
    "brief": None,
    "long": ("TimedOut", 0, 0),
    "short": ("CompletionsReached", 1, 0),
}
"""Reason of its end, pods that succeeded and pods that failed of each; None: it is gone."""
PODS: Final = {("sweep", "0"), ("sweep", "1"), ("sweep", "2"), ("bad", "0"), ("short", "0")}
"""Jobs and indexes of the pods that are left."""


def index_of(pod: dict[str, Any]) -> tuple[str, str]:
    labels = pod["metadata"]["labels"]
    return labels["release"], labels["aliquot.dev/pod-index"]


@pytest.mark.parametrize("nth", [3, 5])
def test_jobs_begin_and_end_as_they_would_have(stage: Stage, proxy: FaultProxy, nth: int) -> None:
    killer = Killer(proxy, operator := stage.mortal_operator(proxy), nth)
    stage.nodes(1)
    free = stage.project("a", deserved=6)
    limited = stage.project("b", deserved=2, members={"trainingJobTimeLimitSecs": 2})
    paths = {name: submit(stage, free, name, **given) for name, given in FREE.items()}
    paths |= {name: submit(stage, limited, name, **given) for name, given in LIMITED.items()}

    def end(name: str) -> tuple[str, int, int] | None:
        job = stage.get(paths[name])
        status = job.get("status", {})
        reason = [each["reason"] for each in status.get("conditions", ()) if each["status"] == "True"]
        return ("".join(reason), status.get("succeeded", 0), status.get("failed", 0)) if job else None

    def left() -> list[str]:
        pods = [*stage.pods(free), *stage.pods(limited)]
        alive = Counter(index_of(pod) for pod in pods if pod["status"]["phase"] in ("Pending", "Running"))
        assert not alive or max(alive.values()) == 1, alive
        found = {name: end(name) for name in ENDS}
        wrong = [f"{name} is {found[name]}, with {alive}" for name in ENDS if found[name] != ENDS[name]]
        there = {index_of(pod) for pod in pods}
        return wrong or ([] if there == PODS else [f"there are pods of {sorted(there)}"])

    stage.until_nothing(left)
    assert {request.resource for request in killer.struck} >= {"pods", "runaijobs/status"}
    attempts = [pod["metadata"]["labels"]["aliquot.dev/attempt"] for pod in stage.pods(free, "bad")]
    assert attempts == ["0", "1"]
    assert len(stage.pods(free, "sweep")) == 3, "a completion was done twice"
    assert stage.get(JOBS.format(limited))["items"], "a job went that was to stay"
    assert not operator.ended_by_itself, operator.process.log()[-4000:]
