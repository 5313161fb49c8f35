"""What is created and deleted next of a gang: one line a rule."""

from typing import Any

import pytest

from aliquot.core.lifecycle import NewPod, ObservedPod, Record, Steps, plan
from aliquot.core.lifecycle.steps import MOST_CREATIONS
from aliquot.core.submission import ValidDistributed
from tests.core.lifecycle.lifecycle_world import RETRY, failed, gang, going, running, starting, succeeded, waiting

NOTHING = Record()
THREE = gang()
STRICT = gang(backoff_limit=0)
NO_MASTER = gang(master=None, workers=3)
TENSORFLOW = gang(job_type="TFJob", master=None, workers=3)
ELASTIC = gang(elastic=(2, 4))
EVICTION: dict[str, Any] = {"disrupted": True, "reason": "EvictionByAliquot"}

Case = tuple[ValidDistributed, list[ObservedPod], Record, float, Steps]


def create(*pods: tuple[int, int, int], again: float | None = None) -> Steps:
    return Steps(create=tuple(NewPod(*pod) for pod in pods), look_again_at=again)


def all_of(attempt: int, failures: int, size: int = 3) -> Steps:
    return create(*((rank, attempt, failures) for rank in range(size)))


CASES: dict[str, Case] = {
    # what is missing
    "a new gang gets all its pods": (THREE, [], NOTHING, 100, all_of(0, 0)),
    "… without a master only workers": (NO_MASTER, [], NOTHING, 100, all_of(0, 0)),
    "… an elastic one as many as it can make use of": (ELASTIC, [], NOTHING, 100, all_of(0, 0, size=4)),
    "what was not made yet is made, under the attempt of the rest": (
        THREE,
        [waiting(0, 2, failed_attempts=1), failed(1, 1)],
        NOTHING,
        300,
        create((1, 2, 1), (2, 2, 1)),
    ),
    "a gang that is whole is left alone": (THREE, [waiting(0), starting(1), running(2)], NOTHING, 300, Steps()),
    "one plan makes five hundred pods at most": (
        gang(workers=2000),
        [],
        NOTHING,
        100,
        all_of(0, 0, size=MOST_CREATIONS),
    ),
    "… and a broken gang begins anew with as many": (
        gang(workers=2000),
        [failed(0)],
        NOTHING,
        300,
        all_of(1, 1, size=MOST_CREATIONS),
    ),
    # a rigid gang restarts as a whole
    "when one fails the others go at once": (
        THREE,
        [running(0), failed(1), running(2)],
        NOTHING,
        201,
        Steps(delete=("train-0-0", "train-2-0")),
    ),
    "… a worker's failure ends the master too": (
        THREE,
        [running(0), running(1), failed(2)],
        NOTHING,
        201,
        Steps(delete=("train-0-0", "train-1-0")),
    ),
    "… are waited for": (THREE, [going(running(0)), failed(1)], NOTHING, 201, Steps()),
    "… then the gang waits as a whole": (THREE, [going(failed(0)), failed(1)], NOTHING, 201, Steps(look_again_at=210)),
    "… and is made anew": (THREE, [going(failed(0)), failed(1)], NOTHING, 210, all_of(1, 1)),
    "however many fail, it is one failure": (
        gang(backoff_limit=1),
        [failed(0), failed(1), failed(2)],
        NOTHING,
        210,
        all_of(1, 1),
    ),
    "the second wait is twice as long": (
        THREE,
        [failed(0, 0), failed(1, 1, failed_attempts=1, finished_at=300)],
        NOTHING,
        310,
        Steps(look_again_at=320),
    ),
    "pods that succeeded begin anew with the rest": (
        THREE,
        [failed(0), succeeded(1), failed(2)],
        Record(completed=frozenset({1})),
        210,
        all_of(1, 1),
    ),
    "what is left of an earlier generation goes": (
        THREE,
        [running(0, 0), running(0, 1), running(1, 1), running(2, 1)],
        NOTHING,
        300,
        Steps(delete=("train-0-0",)),
    ),
    # disruptions
    "a gang of which one pod is evicted ends as a whole": (
        STRICT,
        [running(0), going(running(1), **EVICTION), running(2)],
        NOTHING,
        201,
        Steps(delete=("train-0-0", "train-2-0")),
    ),
    "… and is made anew at once, without a retry": (
        STRICT,
        [going(failed(0)), failed(1, **EVICTION), going(failed(2))],
        NOTHING,
        201,
        all_of(1, 0),
    ),
    "… though the others failed when it was gone": (
        STRICT,
        [failed(0), failed(1, **EVICTION), failed(2)],
        NOTHING,
        201,
        all_of(1, 0),
    ),
    "a pod that vanishes while the others run breaks the gang": (
        STRICT,
        [running(0), running(2)],
        NOTHING,
        201,
        Steps(delete=("train-0-0", "train-2-0")),
    ),
    "a gang of which nothing is left is made anew": (STRICT, [], NOTHING, 201, all_of(0, 0)),
    "… and carries on what it had failed": (THREE, [], Record(failed=2), 201, all_of(2, 2)),
    "a pod that succeeded before it vanished is not missed": (
        NO_MASTER,
        [running(0), running(2)],
        Record(completed=frozenset({1})),
        201,
        Steps(),
    ),
    "… but what an earlier generation did counts no more": (
        NO_MASTER,
        [waiting(0, 1), waiting(2, 1)],
        Record(completed=frozenset({1})),
        201,
        create((1, 1, 0)),
    ),
    # an elastic gang
    "of an elastic gang a worker is made anew alone": (
        ELASTIC,
        [running(0), running(1), failed(2), running(3)],
        NOTHING,
        210,
        create((2, 1, 1)),
    ),
    "… after a wait": (
        ELASTIC,
        [running(0), running(1), failed(2), running(3)],
        NOTHING,
        201,
        Steps(look_again_at=210),
    ),
    "… at once, if others took it": (
        ELASTIC,
        [running(0), running(1), failed(2, **EVICTION), running(3)],
        NOTHING,
        201,
        create((2, 1, 0)),
    ),
    "… also if it vanished": (ELASTIC, [running(0), running(1), running(3)], NOTHING, 201, create((2, 0, 0))),
    "without its leader it restarts as a whole": (
        ELASTIC,
        [failed(0), running(1), running(2, 3), running(3)],
        NOTHING,
        201,
        Steps(delete=("train-1-0", "train-2-3", "train-3-0")),
    ),
    "… under an attempt that no pod had": (
        ELASTIC,
        [failed(0), going(failed(2, 3))],
        NOTHING,
        210,
        all_of(4, 1, size=4),
    ),
    "… and the failures of those who lost it are none of theirs": (
        gang(elastic=(2, 4), backoff_limit=0),
        [failed(0, **EVICTION), failed(1), failed(2)],
        NOTHING,
        201,
        all_of(1, 0, size=4),
    ),
    "a leader that was not made yet joins those that wait": (
        ELASTIC,
        [waiting(1, 2), waiting(2, 2)],
        NOTHING,
        201,
        create((0, 2, 0), (3, 2, 0)),
    ),
    # the end
    "the master's success is that of the workload": (
        THREE,
        [succeeded(0), running(1), succeeded(2)],
        NOTHING,
        300,
        Steps(delete=("train-1-0",), outcome="Completed"),
    ),
    "a worker's is not": (THREE, [running(0), succeeded(1), succeeded(2)], NOTHING, 300, Steps()),
    "without a master all workers must succeed": (
        NO_MASTER,
        [succeeded(0), running(1), succeeded(2)],
        NOTHING,
        300,
        Steps(),
    ),
    "… then the workload has": (
        NO_MASTER,
        [succeeded(0), succeeded(1), succeeded(2)],
        NOTHING,
        300,
        Steps(outcome="Completed"),
    ),
    "TensorFlow without a chief is led by worker 0": (
        TENSORFLOW,
        [succeeded(0), running(1), running(2)],
        NOTHING,
        300,
        Steps(delete=("train-1-0", "train-2-0"), outcome="Completed"),
    ),
    "an elastic gang by rank 0": (
        gang(master=None, workers=3, elastic=(1, 3)),
        [succeeded(0), waiting(2)],
        NOTHING,
        300,
        Steps(delete=("train-2-0",), outcome="Completed"),
    ),
    "failures that come with the master's success are borne": (
        STRICT,
        [succeeded(0), failed(1), failed(2)],
        NOTHING,
        300,
        Steps(outcome="Completed"),
    ),
    "no failure is borne where none is allowed": (
        STRICT,
        [running(0), failed(1), running(2)],
        NOTHING,
        201,
        Steps(delete=("train-0-0", "train-2-0"), outcome="Failed"),
    ),
    "deleting failed pods by hand gives no new tries": (STRICT, [], Record(failed=1), 201, Steps(outcome="Failed")),
    # what is cleaned at the end
    "cleanPodPolicy None: whoever still runs may": (
        gang(clean_pod_policy="None"),
        [succeeded(0), running(1), failed(2)],
        NOTHING,
        300,
        Steps(outcome="Completed"),
    ),
    "cleanPodPolicy All: those that have ended stay until the status knows": (
        gang(clean_pod_policy="All"),
        [succeeded(0), running(1), failed(2)],
        NOTHING,
        300,
        Steps(delete=("train-1-0",), look_again_at=301, outcome="Completed"),
    ),
    "… then they go, too": (
        gang(clean_pod_policy="All"),
        [succeeded(0), failed(2)],
        Record(finished="Completed", completed=frozenset({0})),
        300,
        Steps(delete=("train-0-0", "train-2-0"), outcome="Completed"),
    ),
    "a finished gang goes when its time is over": (
        gang(ttl_seconds=60),
        [succeeded(0, finished_at=200), succeeded(1, finished_at=230)],
        NOTHING,
        260,
        Steps(delete_workload=True, outcome="Completed"),
    ),
    "a pod of a rank beyond the last goes": (
        THREE,
        [running(0), running(1), running(2), running(7)],
        NOTHING,
        300,
        Steps(delete=("train-7-0",)),
    ),
}


@pytest.mark.parametrize(("asked", "pods", "record", "now", "wanted"), CASES.values(), ids=CASES)
def test_the_next_steps(
    asked: ValidDistributed, pods: list[ObservedPod], record: Record, now: float, wanted: Steps
) -> None:
    assert plan(asked, pods, record, now, RETRY) == wanted
    assert plan(asked, pods[::-1], record, now, RETRY) == wanted, "the order of pods does not matter"
