"""What kubelets, autoscalers and others say, as people read it in the status of a workload."""

from typing import Any

import msgspec
import pytest

from aliquot import names
from aliquot.contracts.kubernetes import CarrierStatus, Pod
from aliquot.core.lifecycle import Wait, observe, scaling_trouble, status
from tests.core.lifecycle.lifecycle_world import NEW, facts, failed

SECRET = 'secret "my-secret" not found'


def pod_that_waits(reason: str, message: str) -> Pod:
    """One that has its node, and whose container does not start."""
    labels = {names.POD_INDEX_LABEL: "0", names.ATTEMPT_LABEL: "0"}
    waiting = {"name": "main", "state": {"waiting": {"reason": reason, "message": message}}}
    written: dict[str, Any] = {
        "metadata": {"name": "train-0-0", "uid": "u", "labels": labels, "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"nodeName": "n1", "containers": [{"name": "main"}]},
        "status": {"phase": "Pending", "containerStatuses": [waiting]},
    }
    return msgspec.convert(written, Pod)


def test_a_secret_that_is_not_there_is_named_as_the_kubelet_names_it() -> None:
    pod = observe(pod_that_waits("CreateContainerConfigError", SECRET))
    assert pod is not None
    found = status(facts(pod), NEW, 1000)
    assert (found.phase, found.reason) == ("Initializing", "CreateContainerConfigError")
    assert found.phase_message == f"pod train-0-0 cannot start: CreateContainerConfigError: {SECRET}"


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("größe 雪 🎿 is fine", "größe 雪 🎿 is fine"),
        ("one\ntwo\r\n\tthree", "one two   three"),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("\u202etxet\u202c", r"\u202etxet\u202c"),
        ("a\x00b\u200bc", r"a\x00b\u200bc"),
        ("x" * 5000, "x" * 100),
    ],
    ids=["letters of all kinds", "lines", "colours", "backwards", "unseen", "much"],
)
@pytest.mark.parametrize("where", ["of a pod", "of what cannot be made"])
def test_a_text_from_elsewhere_is_one_line_that_can_be_read(said: str, read: str, where: str) -> None:
    wait = Wait("CreateRefused", said)
    given = facts(failed(0, message=said)) if where == "of a pod" else facts(wait=wait, trouble=wait)
    message = status(given, NEW, 1000).phase_message or ""
    assert read in message
    assert message.isprintable()
    assert len(message) < 1200


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        (None, None),
        ({"status": "True", "reason": "ValidMetricFound", "message": "it counts"}, None),
        (
            {"status": "False", "reason": "FailedGetPodsMetric", "message": "no\nmetrics"},
            "the number of pods does not follow the load: no metrics",
        ),
        (
            {"status": "False", "reason": "ScalingDisabled", "message": ""},
            "the number of pods does not follow the load: ScalingDisabled",
        ),
    ],
    ids=["nothing yet", "at work", "without values", "without words"],
)
def test_an_autoscaler_that_does_not_scale_says_why(condition: dict[str, str] | None, said: str | None) -> None:
    conditions = [{"type": "AbleToScale", "status": "False", "reason": "X"}]
    if condition is not None:
        conditions.append({"type": "ScalingActive", **condition})
    assert scaling_trouble(msgspec.convert({"conditions": conditions}, CarrierStatus)) == said
