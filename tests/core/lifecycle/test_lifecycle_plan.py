"""What is created and deleted next: one line a rule."""

import pytest

from aliquot.core.lifecycle import NewPod, ObservedPod, Record, Retry, Steps, plan
from aliquot.core.submission import ValidSpec
from tests.core.lifecycle.lifecycle_world import (
    RETRY,
    failed,
    going,
    running,
    spec,
    starting,
    succeeded,
    waiting,
)

NOTHING = Record()
ONE = spec()
THREE = spec(completions=3, parallelism=3)
TWO_OF_FOUR = spec(completions=4, parallelism=2)
STRICT = spec(backoff_limit=0)
PAUSED = spec(completions=3, parallelism=3, active=False)
GOES = spec(ttl_seconds=60)
EVICTED = failed(disrupted=True, reason="EvictionByAliquot")

Case = tuple[ValidSpec, list[ObservedPod], Record, float, Steps]


def create(*pods: tuple[int, int, int], again: float | None = None) -> Steps:
    return Steps(create=tuple(NewPod(*pod) for pod in pods), look_again_at=again)


CASES: dict[str, Case] = {
    # what is missing
    "a new workload gets its pod": (ONE, [], NOTHING, 100, create((0, 0, 0))),
    "as many pods as may run, lowest indexes first": (TWO_OF_FOUR, [], NOTHING, 100, create((0, 0, 0), (1, 0, 0))),
    "all indexes at once where parallelism allows": (THREE, [], NOTHING, 100, create((0, 0, 0), (1, 0, 0), (2, 0, 0))),
    "a pod that exists is not made again": (ONE, [waiting()], NOTHING, 100, Steps()),
    "a pod that starts is not made again": (ONE, [starting()], NOTHING, 100, Steps()),
    "when an index succeeds the next begins": (
        TWO_OF_FOUR,
        [succeeded(0), running(1)],
        NOTHING,
        300,
        create((2, 0, 0)),
    ),
    "an index that succeeded once never runs again, though its pod is gone": (
        TWO_OF_FOUR,
        [running(1)],
        Record(completed=frozenset({0})),
        300,
        create((2, 0, 0)),
    ),
    "a pod that vanished while it ran is made again under its name": (
        ONE,
        [],
        Record(failed=0),
        300,
        create((0, 0, 0)),
    ),
    "one plan makes five hundred pods at most": (
        spec(completions=2000, parallelism=2000),
        [],
        NOTHING,
        100,
        create(*((index, 0, 0) for index in range(500))),
    ),
    # retries
    "a failed index waits": (ONE, [failed(finished_at=200)], NOTHING, 201, Steps(look_again_at=210)),
    "… and is tried again then": (ONE, [failed(finished_at=200)], NOTHING, 210, create((0, 1, 1))),
    "the second wait is twice as long": (
        ONE,
        [failed(0, 0), failed(0, 1, failed_attempts=1, finished_at=300)],
        NOTHING,
        310,
        Steps(look_again_at=320),
    ),
    "… although the first failed pod is gone": (
        ONE,
        [failed(0, 1, failed_attempts=1, finished_at=300)],
        NOTHING,
        310,
        Steps(look_again_at=320),
    ),
    "a failure without an end counts from its creation": (
        ONE,
        [failed(finished_at=None, created=100)],
        NOTHING,
        101,
        Steps(look_again_at=110),
    ),
    "other indexes go on while one waits": (
        TWO_OF_FOUR,
        [failed(0, finished_at=200), running(1)],
        NOTHING,
        201,
        create((2, 0, 0), again=210),
    ),
    "the first retry of several tells when to look again": (
        TWO_OF_FOUR,
        [failed(0, finished_at=205), failed(1, finished_at=202), succeeded(2), succeeded(3)],
        NOTHING,
        206,
        Steps(look_again_at=212),
    ),
    # disruptions
    "an evicted pod is replaced at once and costs no retry": (STRICT, [EVICTED], NOTHING, 201, create((0, 1, 0))),
    "an eviction forgets no earlier failure": (
        ONE,
        [failed(0, 0, finished_at=100), failed(0, 1, failed_attempts=1, disrupted=True)],
        NOTHING,
        201,
        create((0, 2, 1)),
    ),
    "a pod that is being deleted is waited for": (ONE, [going(running())], NOTHING, 201, Steps()),
    "… it takes its place among those that may run": (
        TWO_OF_FOUR,
        [going(running(0)), running(1)],
        NOTHING,
        201,
        Steps(),
    ),
    "… until it has ended": (ONE, [going(failed())], NOTHING, 201, create((0, 1, 0))),
    "a pod that succeeds while it is being deleted has succeeded": (
        ONE,
        [going(succeeded(), disrupted=False)],
        NOTHING,
        201,
        Steps(outcome="Completed"),
    ),
    # the end
    "when all indexes have succeeded the workload has": (
        THREE,
        [succeeded(0), succeeded(1), succeeded(2)],
        NOTHING,
        300,
        Steps(outcome="Completed"),
    ),
    "no failure is borne where none is allowed": (STRICT, [failed()], NOTHING, 201, Steps(outcome="Failed")),
    "as many retries as the limit says": (
        spec(backoff_limit=1),
        [failed(finished_at=200)],
        NOTHING,
        210,
        create((0, 1, 1)),
    ),
    "… and not one more": (
        spec(backoff_limit=1),
        [failed(0, 0), failed(0, 1, failed_attempts=1)],
        NOTHING,
        900,
        Steps(outcome="Failed"),
    ),
    "failures of all indexes count together": (
        spec(completions=3, parallelism=3, backoff_limit=1),
        [failed(0), failed(1), running(2)],
        NOTHING,
        201,
        Steps(delete=("train-2-0",), outcome="Failed"),
    ),
    "deleting failed pods by hand gives no new tries": (
        spec(backoff_limit=1),
        [],
        Record(failed=2),
        300,
        Steps(outcome="Failed"),
    ),
    "… the next pod carries their number on": (ONE, [], Record(failed=2), 300, create((0, 2, 2))),
    "… and so does only one": (THREE, [], Record(failed=2), 300, create((0, 2, 2), (1, 0, 0), (2, 0, 0))),
    "success counts although failures came too many at last": (
        STRICT,
        [failed(0, 0), succeeded(0, 1, failed_attempts=1)],
        NOTHING,
        300,
        Steps(outcome="Completed"),
    ),
    "a completed workload stays so, whatever becomes of its pods": (
        ONE,
        [],
        Record(finished="Completed", completed_at=200),
        300,
        Steps(outcome="Completed"),
    ),
    "a failed workload stays so": (ONE, [], Record(finished="Failed"), 300, Steps(outcome="Failed")),
    "a pod too many at the end is deleted": (
        ONE,
        [succeeded(), running(0, 1)],
        NOTHING,
        300,
        Steps(delete=("train-0-1",), outcome="Completed"),
    ),
    # the time after
    "a finished workload stays for its time": (
        GOES,
        [succeeded(finished_at=200)],
        NOTHING,
        201,
        Steps(look_again_at=260, outcome="Completed"),
    ),
    "… and goes then": (
        GOES,
        [succeeded(finished_at=200)],
        NOTHING,
        260,
        Steps(delete_workload=True, outcome="Completed"),
    ),
    "the recorded end counts": (
        GOES,
        [succeeded(finished_at=200)],
        Record(finished="Completed", completed_at=250),
        260,
        Steps(look_again_at=310, outcome="Completed"),
    ),
    "a failed workload goes too": (
        spec(ttl_seconds=0, backoff_limit=0),
        [failed(finished_at=200)],
        NOTHING,
        200,
        Steps(delete_workload=True, outcome="Failed"),
    ),
    "an end of which nothing tells when begins now": (
        GOES,
        [succeeded(finished_at=None)],
        NOTHING,
        500,
        Steps(look_again_at=560, outcome="Completed"),
    ),
    # too many
    "fewer may run than do: the highest indexes go": (
        spec(completions=4, parallelism=2),
        [running(0), waiting(1), running(2), running(3)],
        NOTHING,
        300,
        Steps(delete=("train-2-0", "train-3-0")),
    ),
    "a pod that goes already is not asked again": (
        spec(completions=4, parallelism=1),
        [running(0), going(running(1))],
        NOTHING,
        300,
        Steps(),
    ),
    "of two pods of an index the older stays": (
        ONE,
        [running(0, 1, created=150), running(0, 0, created=100)],
        NOTHING,
        300,
        Steps(delete=("train-0-1",)),
    ),
    "a pod of an index beyond the last goes": (
        THREE,
        [running(0), running(1), running(7)],
        NOTHING,
        300,
        Steps(delete=("train-7-0",)),
    ),
    "a pod of an index that has succeeded goes": (
        TWO_OF_FOUR,
        [running(0), running(1)],
        Record(completed=frozenset({0})),
        300,
        Steps(delete=("train-0-0",)),
    ),
    # suspended
    "a suspended workload loses its pods": (
        PAUSED,
        [running(0), waiting(1), going(running(2))],
        NOTHING,
        300,
        Steps(delete=("train-0-0", "train-1-0")),
    ),
    "… and gets none": (PAUSED, [], NOTHING, 300, Steps()),
    "… not even for a retry": (PAUSED, [failed(finished_at=200)], NOTHING, 201, Steps()),
    "when it resumes it goes on where it was": (
        THREE,
        [going(failed(2))],
        Record(completed=frozenset({0})),
        300,
        create((1, 0, 0), (2, 1, 0)),
    ),
}


@pytest.mark.parametrize(("asked", "pods", "record", "now", "wanted"), CASES.values(), ids=CASES)
def test_the_next_steps(asked: ValidSpec, pods: list[ObservedPod], record: Record, now: float, wanted: Steps) -> None:
    assert plan(asked, pods, record, now, RETRY) == wanted
    assert plan(asked, pods[::-1], record, now, RETRY) == wanted, "the order of pods does not matter"


@pytest.mark.parametrize(
    ("failures", "wanted"),
    [(0, 0), (1, 10), (2, 20), (3, 40), (6, 320), (7, 360), (1000, 360), (10**9, 360)],
)
def test_waits_double_up_to_the_cap(failures: int, wanted: float) -> None:
    assert RETRY.wait_seconds(failures) == wanted


def test_a_wait_of_nothing_stays_nothing() -> None:
    assert Retry(base_seconds=0, cap_seconds=360).wait_seconds(5) == 0
