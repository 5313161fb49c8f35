"""The book-keeper of the crash tests: it finds what is wrong, and cries no wolf."""

from typing import Any

import pytest

from aliquot_lab.audit import Record
from tests.support.auditor import Books

GPUS = {"n1": 2}


def moment(second: float) -> str:
    return f"2030-01-01T00:00:{second:09.6f}Z"


def write(
    at: tuple[float, float],
    verb: str,
    name: str,
    body: dict[str, Any] | None = None,
    *,
    subresource: str = "",
    code: int = 201,
) -> Record:
    """A write that came at the first of the two times, and whose answer was complete at the second."""
    return Record(
        verb=verb,
        resource="pods",
        subresource=subresource,
        namespace="a",
        name=name,
        user="somebody",
        user_agent="",
        code=code,
        received=moment(at[0]),
        finished=moment(at[1]),
        request=body,
    )


def pod(name: str, *, gpus: int = 1, work: str = "") -> dict[str, Any]:
    """What a pod is made of; `work` is the uid of its workload, and its index."""
    metadata: dict[str, Any] = {"name": name}
    if work:
        owner, index = work.split()
        metadata["ownerReferences"] = [{"uid": owner, "controller": True}]
        metadata["labels"] = {"aliquot.dev/pod-index": index}
    containers = [{"name": "main", "resources": {"limits": {"nvidia.com/gpu": str(gpus)}}}]
    return {"metadata": metadata, "spec": {"containers": containers}}


def created(at: float, name: str, *, gpus: int = 1, work: str = "") -> Record:
    return write((at, at + 0.01), "create", name, pod(name, gpus=gpus, work=work))


def bound(at: float, name: str, node: str = "n1", *, uid: str = "", code: int = 201) -> Record:
    body = {"metadata": {"uid": uid or f"uid of {name}"}, "target": {"name": node}}
    return write((at, at + 0.01), "create", name, body, subresource="binding", code=code)


def said(at: float, name: str, phase: str, *, takes: float = 0.01) -> Record:
    body = {"status": {"phase": phase}}
    return write((at, at + takes), "patch", name, body, subresource="status", code=200)


def deleted(at: float, name: str, *, grace: int | None = None) -> Record:
    return write((at, at + 0.01), "delete", name, {} if grace is None else {"gracePeriodSeconds": grace}, code=200)


def present(name: str, *, finished: float | None = None, gpus: int = 1, work: str = "") -> dict[str, Any]:
    """A pod that exists, and has succeeded if it is said when."""
    made = pod(name, gpus=gpus, work=work)
    state: dict[str, Any] = (
        {"running": {}} if finished is None else {"terminated": {"finishedAt": moment(int(finished))}}
    )
    bound = {"type": "PodScheduled", "status": "True", "lastTransitionTime": moment(1)}
    return {
        "metadata": {**made["metadata"], "namespace": "a", "uid": f"uid of {name}", "creationTimestamp": moment(0)},
        "spec": {**made["spec"], "nodeName": "n1"},
        "status": {
            "phase": "Running" if finished is None else "Succeeded",
            "conditions": [bound],
            "containerStatuses": [{"state": state}],
        },
    }


def alive(name: str, at: float, *, gpus: int = 1, work: str = "") -> list[Record]:
    """A pod that is made, bound and running."""
    return [created(at, name, gpus=gpus, work=work), bound(at + 0.1, name), said(at + 0.2, name, "Running")]


def sharing(name: str, at: float, fraction: str, device: str = "GPU-1") -> list[Record]:
    """A pod that is made with a part of a GPU, bound with its device, and running."""
    made = pod(name, gpus=0)
    made["metadata"]["annotations"] = {"gpu-fraction": fraction}
    binding = {"metadata": {"annotations": {"aliquot.dev/gpu-ids": device}}, "target": {"name": "n1"}}
    return [
        write((at, at + 0.01), "create", name, made),
        write((at + 0.1, at + 0.11), "create", name, binding, subresource="binding"),
        said(at + 0.2, name, "Running"),
    ]


def present_sharing(name: str, fraction: str, device: str = "GPU-1") -> dict[str, Any]:
    found = present(name, gpus=0)
    found["metadata"]["annotations"] = {"gpu-fraction": fraction, "aliquot.dev/gpu-ids": device}
    return found


@pytest.mark.parametrize(
    ("history", "there"),
    [
        pytest.param(
            [*sharing("p", 1, "0.5"), *sharing("q", 1, "0.5"), *sharing("r", 2, "0.7", "GPU-2")],
            [present_sharing("p", "0.5"), present_sharing("q", "0.5"), present_sharing("r", "0.7", "GPU-2")],
            id="as much of each device as there is",
        ),
        pytest.param(
            [*sharing("p", 1, "0.9"), said(3, "p", "Succeeded"), *sharing("q", 3.001, "0.9")],
            [present_sharing("q", "0.9")],
            id="one part after the other",
        ),
        pytest.param([*alive("p", 1), *alive("q", 1)], [present("p"), present("q")], id="as many GPUs as there are"),
        pytest.param(
            [*alive("p", 1, gpus=2), said(3, "p", "Succeeded"), *alive("q", 3.001, gpus=2)],
            [present("q", gpus=2)],
            id="one after the other",
        ),
        pytest.param(
            # The end became true somewhere between 3 and 4, and the binding after it.
            [*alive("p", 1, gpus=2), said(3, "p", "Failed", takes=1), created(1, "q", gpus=2), bound(3.5, "q")],
            [present("q", gpus=2)],
            id="whose end was reported slowly",
        ),
        pytest.param(
            [*alive("p", 1, gpus=2), deleted(2, "p", grace=0), *alive("q", 2.1, gpus=2)],
            [present("q", gpus=2)],
            id="removed by force",
        ),
        pytest.param(
            [*alive("p", 1, gpus=2), bound(2, "p", code=409)], [present("p", gpus=2)], id="bound again, but refused"
        ),
        pytest.param(
            [*alive("p", 1, gpus=2), created(1, "q"), bound(2, "q", code=409)],
            [present("p", gpus=2)],
            id="another refused",
        ),
        pytest.param(
            [*alive("p", 1, work="w 0"), said(3, "p", "Failed"), *alive("q", 4, work="w 0")],
            [present("q", work="w 0")],
            id="tried again",
        ),
        pytest.param(
            [*alive("p", 1, work="w 0"), *alive("q", 1, work="w 1")],
            [present("p", work="w 0"), present("q", work="w 1")],
            id="a sweep",
        ),
        pytest.param(
            [created(1, "p", work="w 0"), deleted(2, "p"), *alive("q", 2.1, work="w 0")],
            [present("q", work="w 0")],
            id="gone unbound",
        ),
        pytest.param(
            [*alive("p", 1, gpus=2), *alive("q", 5, gpus=2)], [present("q", gpus=2)], id="gone without a word"
        ),
        pytest.param(
            [*alive("p", 1, gpus=2), said(2, "p", "Failed"), deleted(2.1, "p", grace=0), *alive("p", 3, gpus=2)],
            [present("p", gpus=2)],
            id="two of one name",
        ),
        pytest.param(
            [*alive("p", 1, work="w 0"), deleted(2, "p"), said(2.001, "p", "Succeeded"), *alive("q", 3, work="w 0")],
            [present("q", finished=5, work="w 0")],
            id="done while it was being stopped, and once more",
        ),
        pytest.param(
            [*alive("p", 1, gpus=2), *alive("q", 4, gpus=2)],
            [present("p", finished=3.2, gpus=2), present("q", gpus=2)],
            id="whose end was not recorded, but its object tells",
        ),
    ],
)
def test_what_is_right_is_not_reported(history: list[Record], there: list[dict[str, Any]]) -> None:
    assert Books(history, there).violations(GPUS) == []


@pytest.mark.parametrize(
    ("history", "there", "words"),
    [
        pytest.param(
            [*sharing("p", 1, "0.5"), *sharing("q", 2, "0.6")],
            [present_sharing("p", "0.5"), present_sharing("q", "0.6")],
            "GPU-1 of n1 was held to more than 100 %",
            id="more than all of a device",
        ),
        pytest.param(
            [*alive("p", 1, gpus=2), *alive("q", 2)],
            [present("p", gpus=2), present("q")],
            "n1 has 2 GPUs",
            id="too many",
        ),
        pytest.param(
            [*alive("p", 1, gpus=2), deleted(2, "p"), *alive("q", 2.5), said(3, "p", "Failed")],
            [present("q")],
            "n1 has 2 GPUs",
            id="given while the one before was still stopping",
        ),
        pytest.param(
            [*alive("p", 1, gpus=2), *alive("q", 4, gpus=2)],
            [present("p", finished=9.2, gpus=2), present("q", gpus=2)],
            "n1 has 2 GPUs",
            id="given before the one before ended, as its object tells",
        ),
        pytest.param(
            alive("p", 1, gpus=2), [present("p", gpus=2), present("q")], "n1 has 2 GPUs", id="written, but not recorded"
        ),
        pytest.param([*alive("p", 1), bound(2, "p", "n2")], [present("p")], "was bound 2 times", id="bound twice"),
        pytest.param(
            [*alive("p", 1, work="w 0"), *alive("q", 2, work="w 0")],
            [present("p", work="w 0"), present("q", work="w 0")],
            "while a/p lived",
            id="two for the same work",
        ),
        pytest.param(
            [*alive("p", 1, work="w 0"), said(2, "p", "Succeeded"), *alive("q", 3, work="w 0")],
            [present("q", finished=5, work="w 0")],
            "done 2 times",
            id="done twice",
        ),
        pytest.param(
            [*alive("p", 1, work="w 0"), said(2, "p", "Succeeded"), deleted(3, "p"), *alive("q", 4, work="w 0")],
            [present("q", finished=6, work="w 0")],
            "done 2 times",
            id="done, deleted, and done again",
        ),
    ],
)
def test_what_is_wrong_is_reported(history: list[Record], there: list[dict[str, Any]], words: str) -> None:
    [violation] = Books(history, there).violations(GPUS)
    assert words in violation


def test_a_node_that_is_gone_is_not_looked_at() -> None:
    history = alive("p", 1, gpus=3)
    assert Books(history, [present("p", gpus=3)]).violations({}) == []
