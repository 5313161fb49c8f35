"""Nodes and the pools they belong to."""

from datetime import UTC, datetime

import pytest

from aliquot.contracts import kubernetes
from aliquot.contracts.kinds.shapes import Metadata
from aliquot.contracts.kinds.tenancy import NodePool, NodePoolSpec, PlacementStrategy
from aliquot.contracts.kubernetes import Condition, NodeSpec, NodeStatus
from aliquot.core.intake import PoolRule, node_fact, node_problems, pool_of, pool_placements, pool_rules
from aliquot.core.quantities import Vector
from aliquot.core.scheduling import PoolPlacement
from aliquot.core.scheduling.facts import Taint

A100 = PoolRule("a100", "run.ai/type", "a100")
BIG = PoolRule("big", "size", "big")


def pool(name: str, key: str | None, value: str | None, day: int | None = None) -> NodePool:
    made = datetime(2024, 5, day, tzinfo=UTC) if day else None
    return NodePool(
        metadata=Metadata(name=name, creation_timestamp=made), spec=NodePoolSpec(label_key=key, label_value=value)
    )


POOL_CASES: dict[str, tuple[dict[str, str], tuple[PoolRule, ...], str]] = {
    "a node without labels is in default": ({}, (A100, BIG), "default"),
    "without pools all nodes are in default": ({"size": "big"}, (), "default"),
    "the label decides": ({"size": "big"}, (A100, BIG), "big"),
    "another value of the label does not": ({"size": "small"}, (A100, BIG), "default"),
    "the pool that comes first wins": ({"size": "big", "run.ai/type": "a100"}, (A100, BIG), "a100"),
    "whichever that is": ({"size": "big", "run.ai/type": "a100"}, (BIG, A100), "big"),
}


@pytest.mark.parametrize(("labels", "rules", "wanted"), POOL_CASES.values(), ids=POOL_CASES)
def test_pool_of(labels: dict[str, str], rules: tuple[PoolRule, ...], wanted: str) -> None:
    assert pool_of(labels, rules) == wanted


def test_older_pools_come_first_then_names_decide() -> None:
    pools = [pool("young", "k", "1", 9), pool("b", "k", "2", 3), pool("a", "k", "3", 3), pool("ageless", "k", "4")]
    assert [rule.name for rule in pool_rules(pools)] == ["ageless", "a", "b", "young"]
    assert pool_rules(pools) == pool_rules(reversed(pools))


def test_a_pool_without_a_label_selects_nothing() -> None:
    assert pool_rules([pool("default", None, None), pool("odd", "", ""), pool("half", "key", None)]) == ()


PLACEMENTS: dict[str, tuple[PlacementStrategy | None, dict[str, PoolPlacement]]] = {
    "nothing said": (None, {}),
    "for GPUs": (PlacementStrategy(gpu="spread"), {"a100": PoolPlacement(gpu="spread")}),
    "for the others": (PlacementStrategy(cpu="binpack"), {"a100": PoolPlacement(cpu="binpack")}),
    "as the documents have it": (
        PlacementStrategy(gpu="Bin Packing", cpu="Spreading"),
        {"a100": PoolPlacement("binpack", "spread")},
    ),
    "a word of another version": (PlacementStrategy(gpu="random"), {"a100": PoolPlacement()}),
}


@pytest.mark.parametrize(("strategy", "wanted"), PLACEMENTS.values(), ids=PLACEMENTS)
def test_how_a_pool_is_filled(strategy: PlacementStrategy | None, wanted: dict[str, PoolPlacement]) -> None:
    pool = NodePool(metadata=Metadata(name="a100"), spec=NodePoolSpec(placement_strategy=strategy))
    assert pool_placements([pool]) == wanted


def test_a_node_is_taken_as_it_is() -> None:
    node = kubernetes.Node(
        metadata=kubernetes.Metadata(name="n1", labels={"size": "big"}),
        spec=NodeSpec(unschedulable=True, taints=(kubernetes.Taint(key="maintenance", effect="NoSchedule"),)),
        status=NodeStatus(
            allocatable={"cpu": "95500m", "memory": "1024Mi", "pods": "110", "nvidia.com/gpu": "8", "hugepages-2Mi": 0},
            conditions=(Condition(type="MemoryPressure", status="False"), Condition(type="Ready", status="True")),
        ),
    )
    fact = node_fact(node, (A100, BIG))
    assert (fact.name, fact.pool, fact.labels) == ("n1", "big", {"size": "big"})
    assert fact.allocatable == Vector(gpu_percent=800, cpu_milli=95_500, memory_bytes=2**30, pods=110)
    assert fact.taints == (Taint("maintenance", "", "NoSchedule"),)
    assert (fact.schedulable, fact.ready) == (False, True)


@pytest.mark.parametrize("conditions", [(), ("False",), ("Unknown",)], ids=["nothing said", "says no", "not heard of"])
def test_a_node_is_ready_only_when_it_says_so(conditions: tuple[str, ...]) -> None:
    said = tuple(Condition(type="Ready", status=status) for status in conditions)
    assert not node_fact(kubernetes.Node(status=NodeStatus(conditions=said)), ()).ready


def labelled(**labels: str) -> kubernetes.Node:
    keys = {"memory": "nvidia.com/gpu.memory", "mig": "nvidia.com/mig.strategy"}
    written = {keys[name]: value for name, value in labels.items()}
    return kubernetes.Node(metadata=kubernetes.Metadata(name="n1", labels=written))


@pytest.mark.parametrize(
    ("written", "wanted", "problem"),
    [
        ("81559", 81_500, False),
        ("81500", 81_500, False),
        ("100", 100, False),
        ("99", 0, True),
        ("0", 0, True),
        ("80Gi", 0, True),
        ("-81559", 0, True),
        ("", 0, True),
        ("9" * 40, 0, True),
        ("\u0663\u0663\u0663", 0, True),
    ],
)
def test_memory_of_devices_counts_in_full_hundreds(written: str, wanted: int, problem: bool) -> None:
    node = labelled(memory=written)
    assert node_fact(node, ()).device_memory_mib == wanted
    told = (f"label nvidia.com/gpu.memory is {written!r}: allowed is a number of MiB, 100 or more",)
    assert node_problems(node) == (told if problem else ())


def test_nothing_is_known_of_the_memory_when_no_label_says() -> None:
    assert node_fact(labelled(), ()).device_memory_mib == 0
    assert node_problems(labelled()) == ()


@pytest.mark.parametrize(
    ("written", "wanted"),
    [("none", "none"), ("", "none"), ("single", "single"), ("mixed", "mixed"), ("dual", "mixed")],
)
def test_mig_strategy(written: str, wanted: str) -> None:
    assert node_fact(labelled(mig=written), ()).mig == wanted


def test_a_strategy_that_nobody_knows_is_told() -> None:
    told = "label nvidia.com/mig.strategy is 'dual': allowed are none, single and mixed"
    assert node_problems(labelled(mig="dual")) == (told,)


def test_other_resources_of_a_node() -> None:
    written: dict[str, str | int | float] = {
        "cpu": "1",
        "nvidia.com/gpu": "8",
        "nvidia.com/mig-1g.10gb": "7",
        "rdma/hca": 1,
        "hugepages-2Mi": "0",
        "odd": "many",
    }
    fact = node_fact(kubernetes.Node(status=NodeStatus(allocatable=written)), ())
    assert fact.extended == {"nvidia.com/mig-1g.10gb": 7, "rdma/hca": 1}
