"""Facts → status: phases, reasons, numbers, times."""

from datetime import UTC, datetime
from typing import Any

import pytest

from aliquot.contracts.kinds.status import CreatedResource, WorkloadStatus
from aliquot.core.lifecycle import Facts, Wait, settled, status
from aliquot.core.lifecycle.status import CREATED, KEPT_EVENTS
from aliquot.errors import UserError
from tests.core.lifecycle.lifecycle_world import (
    NEW,
    facts,
    failed,
    going,
    running,
    spec,
    starting,
    succeeded,
    waiting,
)

FOUR = spec(completions=4, parallelism=4)
FULL = Wait("NotEnoughResources", "needs 2 GPUs; 0 are free")
NO_PROJECT = Wait("NoProject", "the namespace belongs to no project")
PULL: dict[str, Any] = {"reason": "ImagePullBackOff", "message": "back-off"}
EVICTION: dict[str, Any] = {
    "disrupted": True,
    "deleting": True,
    "reason": "EvictionByAliquot",
    "message": "search takes its GPUs",
}
DRAIN: dict[str, Any] = {**EVICTION, "reason": "EvictionByEvictionAPI", "message": ""}
BAD = (UserError("spec.gpu.value", "one", "a number"), UserError("spec.image", None, "an image's name"))


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def after(*given: Facts, before: WorkloadStatus = NEW) -> WorkloadStatus:
    """Return the last of the statuses that facts, one after the other, lead to: one every 100 s from 1000 s on."""
    for number, each in enumerate(given):
        before = status(each, before, 1000 + 100 * number)
    return before


STANDS: dict[str, tuple[Facts, tuple[str, str | None, str]]] = {
    "nothing is made yet": (facts(), ("Creating", None, "pods are being created")),
    "a pod waits and nobody has looked yet": (facts(waiting()), ("Pending", None, "1 pod without a node")),
    "a pod waits, and the scheduler says why": (
        facts(waiting(), wait=FULL),
        ("Pending", "NotEnoughResources", "needs 2 GPUs; 0 are free"),
    ),
    "some have nodes": (
        facts(starting(0), waiting(1), spec=FOUR, wait=FULL),
        ("Pending", "NotEnoughResources", "needs 2 GPUs; 0 are free"),
    ),
    "all have nodes, none runs": (facts(starting()), ("Initializing", None, "1 pod starting")),
    "S68: an image cannot be pulled": (
        facts(starting(**PULL)),
        ("Initializing", "ImagePullBackOff", "pod train-0-0 cannot start: ImagePullBackOff: back-off"),
    ),
    "runs": (facts(running()), ("Running", None, "1 pod running")),
    "some run, one waits": (
        facts(running(0), running(1), running(2), waiting(3), spec=FOUR, wait=FULL),
        ("Running", "NotEnoughResources", "3 of 4 pods running, 1 not: needs 2 GPUs; 0 are free"),
    ),
    "some run, one cannot pull its image": (
        facts(running(0), starting(1, **PULL), spec=spec(completions=2, parallelism=2)),
        (
            "Running",
            "ImagePullBackOff",
            "1 of 2 pods running, 1 not: pod train-1-0 cannot start: ImagePullBackOff: back-off",
        ),
    ),
    "some run, one just starts": (
        facts(running(0), starting(1), spec=spec(completions=2, parallelism=2)),
        ("Running", None, "1 of 2 pods running, 1 not"),
    ),
    "some run, one cannot be made": (
        facts(running(0), spec=spec(completions=2, parallelism=2), wait=Wait("CreateRefused", "its pod was refused")),
        ("Running", "CreateRefused", "1 of 2 pods running, 1 not: its pod was refused"),
    ),
    "some run, one waits for its retry": (
        facts(running(0), failed(1), spec=spec(completions=2, parallelism=2)),
        (
            "Running",
            "BackOff",
            (
                "1 of 2 pods running, 1 not: pod train-1-0 failed with exit code 3; "
                "next try at 1970-01-01T00:03:30Z or later, retry 1 of 6"
            ),
        ),
    ),
    "what ended is no longer missed": (
        facts(succeeded(0), succeeded(1), running(2), running(3), spec=FOUR),
        ("Running", None, "2 pods running"),
    ),
    "S66: a failed pod is tried again": (
        facts(failed()),
        (
            "Pending",
            "BackOff",
            "pod train-0-0 failed with exit code 3; next try at 1970-01-01T00:03:30Z or later, retry 1 of 6",
        ),
    ),
    "nobody said how long retries wait": (
        facts(failed(), retry=None),
        ("Pending", "BackOff", "pod train-0-0 failed with exit code 3; to be tried again, retry 1 of 6"),
    ),
    "a kill for want of memory is called by its name": (
        facts(failed(reason="OOMKilled", exit_code=137)),
        (
            "Pending",
            "BackOff",
            (
                "pod train-0-0 ran out of memory and was killed (OOMKilled, exit code 137); "
                "next try at 1970-01-01T00:03:30Z or later, retry 1 of 6"
            ),
        ),
    ),
    "the retry runs": (facts(failed(), running(0, 1, failed_attempts=1)), ("Running", None, "1 pod running")),
    "S66: too many failed": (
        facts(failed(0, 0), failed(0, 1, failed_attempts=1, message="no data"), spec=spec(backoff_limit=1)),
        (
            "Failed",
            "BackoffLimitExceeded",
            "failures: 2, backoffLimit: 1; pod train-0-1 failed with exit code 3: no data",
        ),
    ),
    "all succeeded": (facts(succeeded()), ("Completed", None, "1 pod succeeded")),
    "S69: evicted by us, still stopping": (
        facts(running(**EVICTION)),
        ("Pending", "Evicted", "pod train-0-0 is being stopped: search takes its GPUs"),
    ),
    "one of several is evicted": (
        facts(running(0), running(1, **EVICTION), spec=spec(completions=2, parallelism=2)),
        (
            "Running",
            "Evicted",
            "1 of 2 pods running, 1 not: pod train-1-0 is being stopped: search takes its GPUs",
        ),
    ),
    "its node is drained": (
        facts(running(**DRAIN)),
        ("Pending", "EvictionByEvictionAPI", "pod train-0-0 is being stopped"),
    ),
    "deleted by hand": (facts(going(running())), ("Pending", None, "1 pod still to end")),
    "an evicted pod has ended": (
        facts(failed(disrupted=True, reason="EvictionByAliquot")),
        ("Pending", None, "the next pod is being created"),
    ),
    "suspended": (
        facts(spec=spec(active=False)),
        ("Stopped", "Suspended", "suspended: active is false"),
    ),
    "suspended, pods still stopping": (
        facts(going(running()), spec=spec(active=False)),
        ("Stopped", "Suspended", "suspended: active is false; 1 pod still to end"),
    ),
    "no project": (
        facts(project=None, trouble=NO_PROJECT),
        ("Pending", "NoProject", "the namespace belongs to no project"),
    ),
    "no project any more, and pods run": (
        facts(running(), project=None, trouble=NO_PROJECT),
        ("Degraded", "NoProject", "the namespace belongs to no project"),
    ),
    "what it asks for is wrong": (
        facts(spec=None, errors=BAD),
        (
            "Failed",
            "InvalidSpec",
            "spec.gpu.value: 'one' is not allowed: a number; spec.image: missing: an image's name",
        ),
    ),
    "what it asks for became wrong while pods run": (
        facts(running(), spec=None, errors=BAD[:1]),
        ("Degraded", "InvalidSpec", "spec.gpu.value: 'one' is not allowed: a number"),
    ),
    "it is being deleted": (
        facts(running(), deleting=True),
        ("Terminating", None, "is being deleted; 1 pod still to end"),
    ),
}


@pytest.mark.parametrize(("given", "wanted"), STANDS.values(), ids=STANDS)
def test_phase_reason_and_message(given: Facts, wanted: tuple[str, str | None, str]) -> None:
    found = after(given)
    assert (found.phase, found.reason, found.phase_message) == wanted
    assert status(given, found, 5000) is found, "the same facts again write nothing"


NUMBERS: dict[str, tuple[Facts, dict[str, Any]]] = {
    "a new workload": (
        facts(),
        {"requested_gpu": "2", "total_allocated_gpu": "0", "pending_pods": 0, "running_pods": 0, "failed_pods": 0},
    ),
    "waiting pods hold nothing": (facts(waiting()), {"total_allocated_gpu": "0", "pending_pods": 1}),
    "starting pods do": (facts(starting()), {"total_allocated_gpu": "2", "pending_pods": 1, "start_time": None}),
    "and running ones": (
        facts(running(0), running(1), spec=FOUR),
        {"requested_gpu": "8", "total_allocated_gpu": "4", "running_pods": 2, "start_time": at(110)},
    ),
    "a pod that is being stopped still does": (facts(going(running())), {"total_allocated_gpu": "2"}),
    "ended ones do not": (
        facts(succeeded(0), failed(1), spec=FOUR),
        {
            "total_allocated_gpu": "0",
            "succeeded_pods": 1,
            "failed_pods": 1,
            "completed_indexes": "0",
            "completion_time": None,
        },
    ),
    "an evicted pod is no failed one": (facts(failed(disrupted=True)), {"failed_pods": 0}),
    "what is left to do asks for no more than it needs": (
        facts(succeeded(0), succeeded(1), succeeded(2), running(3), spec=FOUR),
        {"requested_gpu": "2", "completed_indexes": "0-2"},
    ),
    "a finished workload asks for nothing": (
        facts(succeeded()),
        {"requested_gpu": "0", "total_allocated_gpu": "0", "start_time": at(110), "completion_time": at(200)},
    ),
    "a suspended one neither": (facts(spec=spec(active=False)), {"requested_gpu": "0"}),
    "an end of which nothing tells when is now": (
        facts(succeeded(finished_at=None)),
        {"completion_time": at(1000)},
    ),
    "times that no calendar has": (facts(succeeded(finished_at=1e30)), {"completion_time": at(253402300799)}),
    "identity": (
        facts(generation=7),
        {"observed_generation": 7, "project": "vision", "job_name": "train", "first_acknowledged_time": at(1000)},
    ),
    "made": (facts(waiting()), {"creation_status": "Submitted"}),
    "not made yet": (facts(), {"creation_status": None}),
    "cannot be made": (facts(trouble=NO_PROJECT), {"creation_status": "Failed"}),
    "must not be made": (facts(spec=None, errors=BAD), {"creation_status": "Failed", "requested_gpu": None}),
}


@pytest.mark.parametrize(("given", "wanted"), NUMBERS.values(), ids=NUMBERS)
def test_numbers_and_times(given: Facts, wanted: dict[str, Any]) -> None:
    found = after(given)
    assert {name: getattr(found, name) for name in wanted} == wanted


CONDITIONS: dict[str, tuple[Facts, list[tuple[str, str, str | None]]]] = {
    "no pods, no conditions": (facts(), []),
    "waits": (
        facts(waiting(), wait=FULL),
        [("PodsScheduled", "False", "NotEnoughResources"), ("Running", "False", "NotEnoughResources")],
    ),
    "starts": (facts(starting()), [("PodsScheduled", "True", "PodsScheduled"), ("Running", "False", "Initializing")]),
    "runs": (facts(running()), [("PodsScheduled", "True", "PodsScheduled"), ("Running", "True", "Running")]),
    "runs in part": (
        facts(running(0), starting(1), spec=spec(completions=2, parallelism=2)),
        [("PodsScheduled", "True", "PodsScheduled"), ("Running", "False", "Running")],
    ),
    "completed": (
        facts(succeeded()),
        [
            ("PodsScheduled", "False", "Completed"),
            ("Running", "False", "Completed"),
            ("Completed", "True", "Completed"),
        ],
    ),
    "failed": (
        facts(failed(), spec=spec(backoff_limit=0)),
        [
            ("PodsScheduled", "False", "BackoffLimitExceeded"),
            ("Running", "False", "BackoffLimitExceeded"),
            ("Failed", "True", "BackoffLimitExceeded"),
        ],
    ),
    "invalid": (facts(spec=None, errors=BAD), [("Failed", "True", "InvalidSpec")]),
}


@pytest.mark.parametrize(("given", "wanted"), CONDITIONS.values(), ids=CONDITIONS)
def test_conditions(given: Facts, wanted: list[tuple[str, str, str | None]]) -> None:
    said = [(condition.type, condition.status, condition.reason) for condition in after(given).conditions]
    submitted = [("Submitted", "True", "Submitted")] if given.pods else []
    assert said == [*submitted, *wanted]


def test_a_condition_keeps_its_time_until_it_flips() -> None:
    def since(found: WorkloadStatus) -> list[datetime | None]:
        return [condition.last_transition_time for condition in found.conditions]

    assert since(after(facts(waiting()))) == [at(1000), at(1000), at(1000)]
    assert since(after(facts(waiting()), facts(waiting(), wait=FULL))) == [at(1000), at(1000), at(1000)]
    assert since(after(facts(waiting()), facts(starting()))) == [at(1000), at(1100), at(1000)]
    assert since(after(facts(waiting()), facts(starting()), facts(running()))) == [at(1000), at(1100), at(1200)]


def test_a_status_tells_when_it_last_changed() -> None:
    assert after(facts(waiting()), facts(waiting())).last_status_change_time == at(1000)
    assert after(facts(waiting()), facts(running())).last_status_change_time == at(1100)
    assert after(facts(waiting()), facts(running())).first_acknowledged_time == at(1000)


def test_s70_a_workload_that_runs_through() -> None:
    steps = [facts(), facts(waiting()), facts(starting()), facts(running()), facts(succeeded())]
    phases: list[str | None] = []
    before = NEW
    for number, each in enumerate(steps):
        before = status(each, before, 1000 + number)
        phases.append(before.phase)
        assert before.reason is None
    assert phases == ["Creating", "Pending", "Initializing", "Running", "Completed"]
    assert [event.details for event in before.events] == [CREATED, "Completed: 1 pod succeeded"]
    assert after(facts(succeeded())).phase == "Completed", "a status can be made of the last facts alone"


@pytest.mark.parametrize(
    "later",
    [
        facts(),
        facts(spec=None, errors=BAD),
        facts(running()),
        facts(spec=spec(active=False)),
        facts(project=None, trouble=NO_PROJECT),
    ],
    ids=["pods gone", "spec invalid", "a pod appears", "suspended", "project gone"],
)
@pytest.mark.parametrize(
    "end", [facts(succeeded()), facts(failed(), spec=spec(backoff_limit=0))], ids=["completed", "failed"]
)
def test_what_was_said_at_the_end_stays(end: Facts, later: Facts) -> None:
    said, found = after(end), after(end, later)
    for name in ("phase", "reason", "phase_message", "completion_time", "completed_indexes", "failed_pods", "project"):
        assert getattr(found, name) == getattr(said, name), name
    assert said.conditions[-1] in found.conditions
    assert found.requested_gpu == ("0" if later.spec else None)


def test_a_finished_workload_is_finished_while_it_is_deleted_too() -> None:
    found = after(facts(succeeded()), facts(succeeded(), deleting=True))
    assert found.phase == "Terminating"
    assert [condition.type for condition in found.conditions if condition.status == "True"] == [
        "Submitted",
        "Completed",
    ]


def test_an_invalid_spec_can_be_mended() -> None:
    found = after(facts(spec=None, errors=BAD), facts(), facts(running()))
    assert (found.phase, found.reason, found.creation_status) == ("Running", None, "Submitted")
    assert all(condition.type != "Failed" for condition in found.conditions)


def test_an_obstacle_can_be_cleared_away() -> None:
    found = after(facts(project=None, trouble=NO_PROJECT), facts(), facts(waiting()))
    assert (found.phase, found.reason, found.creation_status) == ("Pending", None, "Submitted")


def test_the_condition_of_what_cannot_be_carried_out_says_why_in_the_words_of_the_phase() -> None:
    found = after(facts(spec=None, errors=BAD))
    [condition] = found.conditions
    assert condition.message == found.phase_message
    [condition] = after(facts(failed(failed_attempts=7))).conditions[-1:]
    assert (condition.type, condition.message) == ("Failed", None)


def test_values_of_any_size_are_cut() -> None:
    errors = tuple(UserError(f"spec.field{number}", "x" * 1_000_000, "less") for number in range(100))
    message = after(facts(spec=None, errors=errors)).phase_message or ""
    assert len(message) < 10_000
    assert message.startswith("spec.field0: 'xxx")
    assert message.endswith("and 75 more")


def test_sentences_of_any_size_are_cut() -> None:
    found = after(facts(failed(message="x" * 1_000_000)), facts(waiting(), wait=Wait("y" * 5000, "z" * 1_000_000)))
    assert len(found.model_dump_json(exclude_unset=True)) < 10_000


def test_only_the_latest_events_are_kept() -> None:
    before = NEW
    for number in range(100):
        before = status(facts(waiting(), wait=Wait(f"Code{number}", "waits")), before, 1000 + number)
    assert len(before.events) == KEPT_EVENTS
    assert before.events[-1].details == "Code99: waits"


def test_members_that_others_write_stay() -> None:
    theirs = WorkloadStatus(external_urls=("https://x",), created_resources=(CreatedResource(kind="Pod"),))
    found = after(facts(running()), facts(succeeded()), before=theirs)
    assert (found.external_urls, found.created_resources) == (theirs.external_urls, theirs.created_resources)


@pytest.mark.parametrize(
    "given", [facts(), facts(running()), facts(succeeded()), facts(spec=None, errors=BAD), facts(failed(), waiting(1))]
)
def test_a_status_survives_being_written_and_read(given: Facts) -> None:
    found = after(given)
    read = WorkloadStatus.model_validate_json(found.model_dump_json(exclude_unset=True))
    assert read == found
    assert "null" not in found.model_dump_json(exclude_unset=True)
    assert status(given, read, 9000) is read


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (facts(waiting()), False),
        (facts(running()), False),
        (facts(failed()), False),
        (facts(succeeded()), True),
        (facts(failed(), spec=spec(backoff_limit=0)), True),
        (facts(spec=None, errors=BAD), True),
        (facts(running(), spec=None, errors=BAD), True),
    ],
)
def test_what_nothing_overtakes_is_written_at_once(given: Facts, wanted: bool) -> None:
    assert settled(after(given)) is wanted
