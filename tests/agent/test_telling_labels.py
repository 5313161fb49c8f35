"""What the agent makes of a node's labels where GPU feature discovery does not."""

import json
from dataclasses import replace

import pytest

from aliquot.agent.node import OwnNode
from aliquot.agent.nvml import Device, Memory, MigInstance, Snapshot
from aliquot.agent.publishing.labels import node_labels
from aliquot.kube.decoding import PageDecoder

COUNT, MEMORY = "nvidia.com/gpu.count", "nvidia.com/gpu.memory"
PRODUCT, STRATEGY = "nvidia.com/gpu.product", "nvidia.com/mig.strategy"
GFD = "nvidia.com/gfd.timestamp"
MIB = 1 << 20

H100 = Device(0, "GPU-a", "NVIDIA H100 80GB HBM3", "", "ok", Memory(81_559 * MIB, 0, 0, 0))
OTHER = replace(H100, index=1, uuid="GPU-b")
L40S = replace(OTHER, name="NVIDIA L40S", memory=Memory(46_068 * MIB, 0, 0, 0))
SLICES = tuple(MigInstance(f"MIG-{number}", "1g.10gb", number, Memory(9_856 * MIB, 0, 0, 0), ()) for number in range(7))
SLICED = replace(H100, mig=SLICES)
ALL = {COUNT: "2", MEMORY: "81559", PRODUCT: "NVIDIA-H100-80GB-HBM3"}


def told(
    *gpus: Device,
    labels: dict[str, str] | None = None,
    ours: str = "",
    capacity: dict[str, str | int | float] | None = None,
) -> dict[str, str | None]:
    return node_labels(Snapshot("1", gpus), labels or {}, ours.split(), capacity or {})


def test_a_node_that_nobody_labels_gets_all_that_is_sensible() -> None:
    assert told(H100, OTHER) == ALL


def test_beside_feature_discovery_nothing_is_written() -> None:
    assert told(H100, OTHER, labels={GFD: "1"}) == {}
    assert told(H100, labels={GFD: "1", COUNT: "2"}, ours=COUNT) == {}


def test_labels_of_others_are_left_alone_and_our_own_are_kept_right() -> None:
    assert told(H100, OTHER, labels={MEMORY: "40000"}) == {COUNT: "2", PRODUCT: ALL[PRODUCT]}
    assert told(H100, labels={COUNT: "2", MEMORY: "40000"}, ours=f"{COUNT} {MEMORY}") == ALL | {COUNT: "1"}


@pytest.mark.parametrize(
    "sick",
    [
        replace(OTHER, state="lost"),
        replace(OTHER, state="unreadable"),
        replace(OTHER, uuid=""),
        replace(OTHER, memory=None),
    ],
    ids=["lost", "unreadable", "without a name", "without memory"],
)
def test_while_a_gpu_cannot_be_read_nothing_changes(sick: Device) -> None:
    assert told(H100, sick, labels={COUNT: "2"}, ours=COUNT) == {}


def test_without_gpus_nothing_is_said() -> None:
    assert told() == {}


def test_of_different_gpus_the_least_memory_is_told_and_no_product() -> None:
    assert told(H100, L40S) == {COUNT: "2", MEMORY: "46068"}
    assert told(H100, L40S, labels={PRODUCT: "x"}, ours=PRODUCT)[PRODUCT] is None


@pytest.mark.parametrize(
    ("capacity", "wanted"),
    [
        ({"nvidia.com/mig-1g.10gb": "7"}, {COUNT: "1", MEMORY: "81559", STRATEGY: "mixed"}),
        ({"nvidia.com/gpu": "7"}, {COUNT: "7", MEMORY: "9856", STRATEGY: "single"}),
        ({"nvidia.com/gpu": "1"}, {COUNT: "1", MEMORY: "81559"}),
    ],
    ids=["mixed", "single", "not clear"],
)
def test_the_mig_strategy_is_seen_from_what_the_node_has(
    capacity: dict[str, str | int | float], wanted: dict[str, str]
) -> None:
    found = told(SLICED, capacity=capacity)
    product = "NVIDIA-H100-80GB-HBM3-MIG-1g.10gb" if wanted.get(STRATEGY) == "single" else ALL[PRODUCT]
    assert found == wanted | {PRODUCT: product}


def test_a_strategy_of_ours_goes_with_the_last_mig_device() -> None:
    assert told(H100, labels={STRATEGY: "mixed"}, ours=STRATEGY)[STRATEGY] is None
    assert STRATEGY not in told(H100, labels={STRATEGY: "mixed"})


@pytest.mark.parametrize(
    ("name", "product"),
    [("Tesla T4", "Tesla-T4"), ("-é-", None), ("A" * 70, "A" * 63), ('x"y\n', "x-y")],
)
def test_a_product_becomes_what_a_label_may_have(name: str, product: str | None) -> None:
    assert told(replace(H100, name=name)).get(PRODUCT) == product


def test_whose_labels_they_are_say_the_managed_fields() -> None:
    ours = f'{{"f:metadata": {{"f:labels": {{".": {{}}, "f:{COUNT}": {{}}}}, "f:annotations": {{"f:x": {{}}}}}}}}'
    theirs = f'{{"f:metadata": {{"f:labels": {{"f:{MEMORY}": {{}}}}}}, "f:status": {{}}}}'
    written = [
        ("aliquot-agent", ours),
        ("kubelet", theirs),
        ("aliquot-agent", '{"f:metadata": 7}'),
        ("aliquot-agent", "{}"),
    ]
    managed = [{"manager": manager, "fieldsV1": json.loads(fields)} for manager, fields in written]
    item = json.dumps({"metadata": {"name": "n1", "labels": {COUNT: "2"}, "managedFields": managed}})
    page = PageDecoder(OwnNode).decode(f'{{"metadata": {{"resourceVersion": "1"}}, "items": [{item}]}}'.encode())
    [node] = page.items
    assert node.labels_of_the_agent() == {COUNT}
