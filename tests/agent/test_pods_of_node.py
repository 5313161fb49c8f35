"""What the agent reads from the pods of its node."""

import pytest

from aliquot.agent.attribution import Grant, PodRef
from aliquot.agent.pods import idle_since, pod_on_node
from aliquot.contracts.kubernetes import Metadata, Pod, PodStatus

PART = {"aliquot.dev/gpu-ids": "GPU-a", "aliquot.dev/gpu-portion": "0.25"}


def pod(annotations: dict[str, str], phase: str = "Running") -> Pod:
    metadata = Metadata(namespace="team", name="a", uid="u", annotations=annotations)
    return Pod(metadata=metadata, status=PodStatus(phase=phase))


GRANTS: dict[str, tuple[dict[str, str], tuple[Grant, ...]]] = {
    "none": ({}, ()),
    "a part of one": (PART, (Grant("GPU-a", 25),)),
    "a part of two": (
        {**PART, "aliquot.dev/gpu-ids": "GPU-a,GPU-b"},
        (Grant("GPU-a", 25), Grant("GPU-b", 25)),
    ),
    "memory": ({**PART, "gpu-memory": "4096"}, (Grant("GPU-a", 25, 4096),)),
    "more while nobody needs it": ({**PART, "runai-gpu-limit": "0.5"}, (Grant("GPU-a", 25, burst_percent=50),)),
    "more memory while nobody needs it": (
        {**PART, "gpu-memory": "4096", "runai-gpu-limit": "8Gi"},
        (Grant("GPU-a", 25, 4096, burst_mib=8192),),
    ),
    "a limit that is no number": ({**PART, "runai-gpu-limit": "lots"}, (Grant("GPU-a", 25),)),
    "a limit of more than all": ({**PART, "runai-gpu-limit": "1.5"}, (Grant("GPU-a", 25),)),
    "memory that is no number": ({**PART, "gpu-memory": "lots"}, (Grant("GPU-a", 25),)),
    "memory without end": ({**PART, "gpu-memory": "9" * 5000}, (Grant("GPU-a", 25),)),
    "for one of its containers": (
        {**PART, "gpu-fraction-container-name": "main"},
        (Grant("GPU-a", 25, container="main"),),
    ),
    "a part that is no number": ({**PART, "aliquot.dev/gpu-portion": "half"}, ()),
    "no part": ({**PART, "aliquot.dev/gpu-portion": "0"}, ()),
    "more than all of it": ({**PART, "aliquot.dev/gpu-portion": "1.01"}, ()),
    "a part without end": ({**PART, "aliquot.dev/gpu-portion": "9" * 5000}, ()),
    "no device": ({**PART, "aliquot.dev/gpu-ids": ""}, ()),
}


@pytest.mark.parametrize(("annotations", "grants"), GRANTS.values(), ids=GRANTS)
def test_parts_of_gpus_stand_on_the_pod(annotations: dict[str, str], grants: tuple[Grant, ...]) -> None:
    found = pod_on_node(pod(annotations))
    assert found.ref == PodRef("team", "a", "u")
    assert found.grants == grants


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_pod_that_has_ended_holds_nothing(phase: str) -> None:
    assert pod_on_node(pod(PART, phase)).grants == ()


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("1970-01-01T00:01:00Z", 60), ("yesterday", None), ("", None)],
    ids=["a time", "no time", "nothing"],
)
def test_since_when_it_is_idle_stands_on_it_too(written: str, seconds: float | None) -> None:
    assert idle_since(pod({"aliquot.dev/gpu-idle-since": written})) == seconds
