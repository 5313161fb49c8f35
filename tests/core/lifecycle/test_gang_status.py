"""How a gang is doing: phases, numbers and memory of workloads whose pods run together."""

from decimal import Decimal
from typing import Any

import pytest

from aliquot.contracts.kinds.status import WorkloadStatus
from aliquot.core.lifecycle import Facts, Wait, record_of, status
from aliquot.core.submission.pod_values import Compute, Gpus
from tests.core.lifecycle.lifecycle_world import NEW, facts, failed, gang, going, running, starting, succeeded, waiting

FEW = Wait("NotEnoughResources", "3 pods of 2 GPUs each start together; room for 2")
EVICTION: dict[str, Any] = {"disrupted": True, "reason": "EvictionByAliquot", "message": "search takes its GPUs"}
ELASTIC = gang(elastic=(2, 4))


def of(*pods: Any, asked: Any = None, **changes: Any) -> Facts:
    return facts(*pods, spec=asked or gang(), **changes)


STANDS: dict[str, tuple[Facts, tuple[str, str | None, str]]] = {
    "nothing is made yet": (of(), ("Creating", None, "pods are being created")),
    "there is room for a part of it": (
        of(waiting(0), waiting(1), waiting(2), wait=FEW),
        ("Pending", "NotEnoughResources", FEW.sentence),
    ),
    "all have nodes": (of(starting(0), starting(1), starting(2)), ("Initializing", None, "3 pods starting")),
    "it runs": (of(running(0), running(1), running(2)), ("Running", None, "3 pods running")),
    "it is evicted": (
        of(*(going(running(rank), **EVICTION) for rank in range(3))),
        ("Pending", "Evicted", "pod train-0-0 is being stopped: search takes its GPUs"),
    ),
    "one failed": (
        of(failed(0), going(failed(1)), going(failed(2))),
        (
            "Pending",
            "BackOff",
            "pod train-0-0 failed with exit code 3; next try at 1970-01-01T00:03:30Z or later, retry 1 of 6",
        ),
    ),
    "it failed for good": (
        of(failed(0), running(1), asked=gang(backoff_limit=0)),
        ("Failed", "BackoffLimitExceeded", "failures: 1, backoffLimit: 0; pod train-0-0 failed with exit code 3"),
    ),
    "its master succeeded": (of(succeeded(0), going(running(1))), ("Completed", None, "1 pod succeeded")),
    "elastic, with as many as it needs": (
        of(running(0), running(1), waiting(2), waiting(3), asked=ELASTIC, wait=FEW),
        ("Running", "NotEnoughResources", f"2 of 4 pods running, 2 not: {FEW.sentence}"),
    ),
}


@pytest.mark.parametrize(("given", "wanted"), STANDS.values(), ids=STANDS)
def test_phase_reason_and_message(given: Facts, wanted: tuple[str, str | None, str]) -> None:
    found = status(given, NEW, 1000)
    assert (found.phase, found.reason, found.phase_message) == wanted


def test_all_its_pods_are_asked_for_the_masters_as_the_master_asks() -> None:
    small = gang()
    master = gang().worker
    master = type(master)(
        priority_class="train", process=master.process, compute=Compute(gpus=Gpus(devices=1)), identity=master.identity
    )
    given = of(waiting(0, gpus=Decimal(1)), waiting(1), waiting(2), asked=gang(master=master))
    assert status(given, NEW, 1000).requested_gpu == "5"
    assert status(of(asked=small), NEW, 1000).requested_gpu == "6"
    assert status(of(running(0), running(1), asked=ELASTIC), NEW, 1000).requested_gpu == "8"
    assert status(of(succeeded(0), asked=small), NEW, 1000).requested_gpu == "0"


def holds(found: WorkloadStatus, type_: str) -> str | None:
    return next((condition.status for condition in found.conditions if condition.type == type_), None)


def test_an_elastic_gang_runs_as_soon_as_its_minimum_does() -> None:
    assert holds(status(of(running(0), running(1), waiting(2), asked=ELASTIC), NEW, 1000), "Running") == "True"
    assert holds(status(of(running(0), waiting(1), asked=ELASTIC), NEW, 1000), "Running") == "False"
    assert holds(status(of(running(0), running(1), starting(2)), NEW, 1000), "Running") == "False"


def test_what_an_earlier_generation_achieved_is_forgotten() -> None:
    first = status(of(running(0), succeeded(1), running(2)), NEW, 1000)
    assert record_of(first).completed == {1}
    second = status(of(failed(0), succeeded(1), *(waiting(rank, 1) for rank in range(3))), first, 1100)
    assert record_of(second).completed == set()
    assert second.failed_pods == 0, "the new generation carries what there was to count"
