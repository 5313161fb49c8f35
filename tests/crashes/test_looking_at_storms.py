"""What a storm of GPUs is looked at with: it finds what is wrong, and knows when nothing moves any more."""

from typing import Any

import pytest

from tests.support.gpu_storm import Snapshot, plan

Pod = dict[str, Any]


def pod(
    name: str,
    *,
    asks: dict[str, str] | None = None,
    whole: int = 0,
    parts_of: str = "",
    given: str = "",
    node: str = "n",
    phase: str = "Running",
    deleted: bool = False,
    namespace: str = "a",
) -> Pod:
    """A pod that asks for parts or whole GPUs, and what it was given: by the operator, and by its kubelet."""
    annotations = {**(asks or {}), **({"aliquot.dev/gpu-ids": parts_of} if parts_of else {})}
    metadata: Pod = {"name": name, "namespace": namespace, "annotations": annotations}
    if deleted:
        metadata["deletionTimestamp"] = "2030-01-01T00:00:00Z"
    resources = [{"name": "nvidia.com/gpu", "resources": [{"resourceID": each} for each in given.split(",") if each]}]
    return {
        "metadata": metadata,
        "spec": {
            "containers": [{"resources": {"limits": {"nvidia.com/gpu": str(whole)}} if whole else {}}],
            **({"nodeName": node} if node else {}),
        },
        "status": {
            "phase": phase,
            "containerStatuses": [{"state": {"running": {}}, "allocatedResourcesStatus": resources}] if node else [],
        },
    }


def half(name: str, device: str = "G1", **more: Any) -> Pod:
    return pod(name, asks={"gpu-fraction": "0.5"}, parts_of=device, **more)


def reservation(device: str, **more: Any) -> Pod:
    return pod(f"keeps-{device}", whole=1, given=device, namespace="runai-reservation", **more)


def seen(*pods: Pod) -> Snapshot:
    return Snapshot(pods, {"n": 2}, 1_000, "a")


WAITS: dict[str, Any] = {"asks": {"gpu-fraction": "0.5"}, "node": "", "phase": "Pending"}
FINE: dict[str, list[Pod]] = {
    "nothing": [],
    "two halves": [half("x"), half("y"), reservation("G1")],
    "a half beside a whole GPU": [half("x"), reservation("G1"), pod("w", whole=1, given="G2")],
    "memory that fills a card": [
        pod("x", asks={"gpu-memory": "600"}, parts_of="G1"),
        pod("y", asks={"gpu-memory": "400"}, parts_of="G1"),
        reservation("G1"),
    ],
    "one waits for whom there is no room": [
        *(pod(name, whole=1, given=name) for name in ("G1", "G2")),
        pod("z", **WAITS),
    ],
    "others' pods": [pod("x", whole=1, given="G1"), pod("y", whole=1, given="G1", namespace="b")],
}
WRONG: dict[str, tuple[list[Pod], str]] = {
    "three halves": ([half("x"), half("y"), half("z"), reservation("G1")], "1500 MiB, of 1000"),
    "two on one whole GPU": ([pod(name, whole=1, given="G1") for name in "xy"], "given to a/x, a/y"),
    "a whole one that is shared": ([half("x"), reservation("G1"), pod("w", whole=1, given="G1")], "is given to a/w"),
    "a half that nobody keeps": ([half("x"), reservation("G2")], "nobody keeps it"),
    "a half whose card is given back": ([half("x"), reservation("G1", deleted=True)], "nobody keeps it"),
}
UNSETTLED: dict[str, tuple[list[Pod], str]] = {
    "a card that nobody shares": ([reservation("G1")], "keeps a card for nobody"),
    "one that goes": ([half("x", deleted=True), reservation("G1")], "a/x is being deleted"),
    "one that starts": ([half("x", phase="Pending"), reservation("G1")], "a/x is Pending"),
    "one that failed": ([pod("x", whole=1, given="G1", phase="Failed")], "a/x is Failed"),
    "room on a shared card": ([half("x"), reservation("G1"), pod("w", whole=1, given="G2"), pod("z", **WAITS)], "a/z"),
    "a free GPU": ([pod("w", whole=1, node="", phase="Pending")], "a/w waits, and has room"),
}


@pytest.mark.parametrize("pods", FINE.values(), ids=FINE)
def test_nothing_is_found_where_all_is_well(pods: list[Pod]) -> None:
    assert (seen(*pods).wrong(), seen(*pods).unsettled()) == ([], [])


@pytest.mark.parametrize(("pods", "said"), WRONG.values(), ids=WRONG)
def test_what_must_never_be_is_found(pods: list[Pod], said: str) -> None:
    found = seen(*pods).wrong()
    assert said in "\n".join(found), found


def test_a_card_of_a_whole_gpu_that_is_to_end_may_be_the_next_ones_already() -> None:
    """Its kubelet knows that it has ended before it tells."""
    assert not seen(pod("old", whole=1, given="G1", deleted=True), half("x"), reservation("G1")).wrong()


@pytest.mark.parametrize(("pods", "said"), UNSETTLED.values(), ids=UNSETTLED)
def test_what_still_moves_is_found(pods: list[Pod], said: str) -> None:
    found = seen(*pods).unsettled()
    assert said in "\n".join(found), found


def test_whom_a_kubelet_has_refused_is_beside_the_one_in_its_place() -> None:
    old = pod("w-0", whole=1, phase="Failed")
    old["status"] = {"phase": "Failed", "reason": "UnexpectedAdmissionError"}
    found = seen(old, pod("w-1", whole=1, given="G1"))
    assert [each["metadata"]["name"] for each in found.refused] == ["w-0"]
    assert [each["metadata"]["name"] for each in found.workers] == ["w-1"]
    assert (found.wrong(), found.unsettled()) == ([], [])


def test_a_storm_comes_of_its_seed_alone() -> None:
    assert plan(1, 50, gpus=4, card_mib=80_000) == plan(1, 50, gpus=4, card_mib=80_000)
    assert plan(1, 50, gpus=4, card_mib=80_000) != plan(2, 50, gpus=4, card_mib=80_000)
