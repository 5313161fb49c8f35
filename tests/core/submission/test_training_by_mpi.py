"""Training by MPI, said in the older way: what is read is what a DistributedWorkload says with jobType MPIJob."""

from typing import Any

import pytest

from aliquot.contracts.kinds.workloads import DistributedWorkload, TrainingWorkload
from aliquot.core.submission import (
    NOTHING,
    Defaults,
    InvalidWorkload,
    Valid,
    ValidDistributed,
    carried_out,
    effective_distributed,
)

DEFAULTS = Defaults(cpu_milli_per_gpu=1000, memory_bytes_per_gpu=2**30)
COMMON: dict[str, Any] = {"image": "ubuntu", "gpu": "2", "memoryLimit": "8G", "environment": {"A": "b"}}


def written(given: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {name: {"value": value} for name, value in given.items()}
    variables: dict[str, str] = given.get("environment", {})
    if variables:
        found["environment"] = {"items": {name: {"value": value} for name, value in variables.items()}}
    return found


def read(**given: Any) -> Valid:
    workload = TrainingWorkload.model_validate({"spec": written({**COMMON, **given})})
    return carried_out(workload, NOTHING, DEFAULTS)


def distributed(**given: Any) -> ValidDistributed:
    groups = {name: {"values": written(given.pop(name))} for name in ("mpiJob", "runPolicy") if name in given}
    spec = {**written({**COMMON, **given}), **groups, "jobType": "MPIJob"}
    return effective_distributed(DistributedWorkload.model_validate({"spec": spec}), DEFAULTS)


SAME: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "one worker unless it says more": ({}, {}),
    "workers and slots": ({"processes": 4, "slotsPerWorker": 2}, {"workers": 4, "mpiJob": {"slotsPerWorker": 2}}),
    "failures that are borne": ({"backoffLimit": 2}, {"runPolicy": {"backoffLimit": 2}}),
    "preemptions that are borne": ({"preemptionLimit": 3}, {"preemptionLimit": 3}),
    "none of them": ({"terminateAfterPreemption": True}, {"preemptionLimit": 0}),
    "its deletion": ({"ttlAfterFinish": "2m"}, {"autoDeletionTimeAfterCompletionSeconds": 120}),
    "parts of GPUs": ({"gpu": "0.5"}, {"gpu": "0.5"}),
    "that it runs": ({"active": True}, {}),
}


@pytest.mark.parametrize(("training", "same"), SAME.values(), ids=SAME)
def test_it_says_the_same_in_other_words(training: dict[str, Any], same: dict[str, Any]) -> None:
    assert read(mpi=True, **training) == distributed(**same)


def test_its_launcher_has_no_gpus() -> None:
    found = read(mpi=True, processes=3)
    assert isinstance(found, ValidDistributed)
    assert [found.gpus(rank) for rank in range(found.size)] == [0, 2, 2, 2]
    assert (found.pod(0).compute.cpu_milli, found.pod(1).compute.cpu_milli) == (0, 2000)


def test_who_does_not_want_mpi_has_none() -> None:
    assert read(mpi=False) == read()
    assert not isinstance(read(), ValidDistributed)


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"processes": 2}, "spec.processes.value", "spec.mpi is not true"),
    ({"slotsPerWorker": 2, "mpi": False}, "spec.slotsPerWorker.value", "spec.mpi is not true"),
    ({"mpi": True, "processes": 0}, "spec.processes.value", "a whole number from 1 to"),
    ({"mpi": True, "slotsPerWorker": 0}, "spec.slotsPerWorker.value", "a whole number from 1 to"),
    ({"mpi": True, "completions": 2}, "spec.completions.value", "give spec.processes"),
    ({"mpi": True, "parallelism": 2}, "spec.parallelism.value", "give spec.processes"),
    ({"mpi": True, "active": False}, "spec.active.value", "cannot be suspended"),
    ({"mpi": True, "gpu": "x"}, "spec.gpu.value", "a whole number of GPUs"),
    ({"mpi": True, "image": "a b"}, "spec.image.value", "a container image"),
]


@pytest.mark.parametrize(
    ("given", "field", "allowed"), REFUSED, ids=[f"{field} {given}" for given, field, _ in REFUSED]
)
def test_what_makes_no_sense_is_refused_once_by_its_own_name(given: dict[str, Any], field: str, allowed: str) -> None:
    with pytest.raises(InvalidWorkload) as caught:
        read(**given)
    [error] = caught.value.errors
    assert error.field == field
    assert allowed in error.allowed
