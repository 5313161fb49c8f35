"""Which Events a workload gets: what is told of a way through facts, one after the other."""

import pytest

from aliquot.core.lifecycle import Facts, Happening, Wait, happenings, status
from aliquot.core.lifecycle.status import CREATED
from aliquot.errors import UserError
from tests.core.lifecycle.lifecycle_world import NEW, facts, failed, going, running, spec, starting, succeeded, waiting

FULL = Wait("NotEnoughResources", "needs 2 GPUs; 0 are free")
FEWER = Wait("NotEnoughResources", "needs 2 GPUs; 1 is free")
LIMIT = Wait("OverLimit", "the project has 8 of 8 GPUs")
NO_PROJECT = facts(project=None, trouble=Wait("NoProject", "belongs to no project"))
INVALID = facts(spec=None, errors=(UserError("spec.gpu.value", "one", "a number"),))
PAUSED = facts(spec=spec(active=False))
PULL, PULL_AGAIN = (facts(starting(reason=reason)) for reason in ("ErrImagePull", "ImagePullBackOff"))
EVICTED = running(disrupted=True, deleting=True, reason="EvictionByAliquot", message="search takes its GPUs")
PAIR = spec(completions=2, parallelism=2)

WAYS: dict[str, tuple[list[Facts], list[str]]] = {
    "runs through": ([facts(), facts(waiting()), facts(starting()), facts(running()), facts(succeeded())], []),
    "is seen only at its end": ([facts(succeeded())], []),
    "waits": (
        [facts(waiting()), facts(waiting(), wait=FULL), facts(running()), facts(succeeded())],
        ["Normal NotEnoughResources: needs 2 GPUs; 0 are free"],
    ),
    "waits, and only numbers change": (
        [facts(waiting(), wait=FULL), facts(waiting(), wait=FEWER)],
        ["Normal NotEnoughResources: needs 2 GPUs; 0 are free"],
    ),
    "waits, then for something else": (
        [facts(waiting(), wait=FULL), facts(waiting(), wait=LIMIT)],
        ["Normal NotEnoughResources: needs 2 GPUs; 0 are free", "Normal OverLimit: the project has 8 of 8 GPUs"],
    ),
    "waits once more": (
        [facts(waiting(), wait=FULL), facts(running()), facts(waiting(0, 1), wait=FULL)],
        ["Normal NotEnoughResources: needs 2 GPUs; 0 are free"] * 2,
    ),
    "is evicted": (
        [facts(running()), facts(EVICTED), facts(waiting(0, 1)), facts(running(0, 1))],
        ["Warning Evicted: pod train-0-0 is being stopped: search takes its GPUs"],
    ),
    "fails once": (
        [facts(running()), facts(failed()), facts(failed(), running(0, 1, failed_attempts=1))],
        [
            (
                "Warning BackOff: pod train-0-0 failed with exit code 3; "
                "next try at 1970-01-01T00:03:30Z or later, retry 1 of 6"
            )
        ],
    ),
    "fails twice, and the retry between was not seen": (
        [
            facts(failed(), retry=None),
            facts(failed(), failed(0, 1, failed_attempts=1, finished_at=300), retry=None),
        ],
        [
            "Warning BackOff: pod train-0-0 failed with exit code 3; to be tried again, retry 1 of 6",
            "Warning BackOff: pod train-0-1 failed with exit code 3; to be tried again, retry 2 of 6",
        ],
    ),
    "fails, and is seen when the retry runs": (
        [facts(running()), facts(failed(), running(0, 1, failed_attempts=1))],
        ["Warning PodFailed: pods that failed so far: 1; 1 pod running"],
    ),
    "fails for good": (
        [facts(running()), facts(failed(exit_code=137, reason="OOMKilled"), spec=spec(backoff_limit=0))],
        [
            (
                "Warning BackoffLimitExceeded: failures: 1, backoffLimit: 0; "
                "pod train-0-0 ran out of memory and was killed (OOMKilled, exit code 137)"
            )
        ],
    ),
    "one of its images cannot be pulled, again and again": (
        [PULL, PULL_AGAIN, PULL, PULL_AGAIN],
        ["Warning ErrImagePull: pod train-0-0 cannot start: ErrImagePull"],
    ),
    "cannot be carried out as it is": (
        [INVALID, INVALID, facts()],
        ["Warning InvalidSpec: spec.gpu.value: 'one' is not allowed: a number"],
    ),
    "has no project": (
        [NO_PROJECT, facts(), facts(running())],
        ["Warning NoProject: belongs to no project"],
    ),
    "has no project any more": (
        [facts(running()), facts(running(), project=None, trouble=NO_PROJECT.trouble)],
        ["Warning NoProject: belongs to no project"],
    ),
    "is suspended and goes on": (
        [facts(running()), PAUSED, PAUSED, facts(waiting(0, 1))],
        ["Normal Suspended: suspended: active is false", "Normal Resumed: active is no longer false"],
    ),
    "is deleted while it waits for a retry": (
        [facts(failed(), retry=None), facts(failed(), retry=None, deleting=True)],
        ["Warning BackOff: pod train-0-0 failed with exit code 3; to be tried again, retry 1 of 6"],
    ),
    "loses a pod by hand": ([facts(running()), facts(going(running())), facts(running(0, 0))], []),
    "half of it waits": (
        [facts(running(0), waiting(1), spec=PAIR), facts(running(0), waiting(1), spec=PAIR, wait=FULL)],
        ["Normal NotEnoughResources: 1 of 2 pods running, 1 not: needs 2 GPUs; 0 are free"],
    ),
}


def told(way: list[Facts]) -> list[Happening]:
    found: list[Happening] = []
    before = NEW
    for number, each in enumerate(way):
        after = status(each, before, 1000 + number)
        found += happenings(before, after)
        before = after
    return found


@pytest.mark.parametrize(("way", "wanted"), WAYS.values(), ids=WAYS)
def test_what_is_told(way: list[Facts], wanted: list[str]) -> None:
    assert [f"{happening.type} {happening.reason}: {happening.message}" for happening in told(way)] == wanted


@pytest.mark.parametrize(("way", "wanted"), WAYS.values(), ids=WAYS)
def test_the_status_keeps_what_was_told(way: list[Facts], wanted: list[str]) -> None:
    before = NEW
    for number, each in enumerate(way):
        before = status(each, before, 1000 + number)
    ordinary = (CREATED, "Completed: 1 pod succeeded")
    kept = [event.details for event in before.events if event.details not in ordinary]
    assert kept == [line.split(" ", 1)[1] for line in wanted]
