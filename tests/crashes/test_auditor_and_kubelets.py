"""The book-keeper of the crash tests, and real kubelets: containers end a moment before the phase of their pod does.

Until then a kubelet counts the devices of the pod, and refuses whoever comes for them.
"""

from typing import Any

from aliquot_lab.audit import Record
from tests.crashes.test_auditor import GPUS, alive, deleted, said, write
from tests.support.auditor import Books


def stopped(at: float, name: str, *ended: bool) -> Record:
    """A status of a pod with so many containers, as a kubelet writes it before the phase."""
    states: list[dict[str, Any]] = [
        {"running": None, "terminated": {"exitCode": 0}} if end else {"running": {}} for end in ended
    ]
    body = {"status": {"containerStatuses": [{"state": state} for state in states]}}
    return write((at, at + 0.01), "patch", name, body, subresource="status", code=200)


def found(*records: Record) -> list[str]:
    return Books([*alive("old", 1, gpus=2), *records, *alive("new", 4), said(5, "old", "Failed")]).violations(GPUS)


def test_a_pod_that_is_to_end_holds_its_gpus_until_its_phase_is_final() -> None:
    assert found(deleted(2, "old"), stopped(3, "old", True, True))
    assert not found(deleted(2, "old"), stopped(3, "old", True, True), said(3.5, "old", "Failed"))


def test_a_pod_holds_its_gpus_while_a_container_runs_or_may_start_again() -> None:
    assert found(deleted(2, "old"), stopped(3, "old", True, False))
    assert found(stopped(3, "old", True, True))
