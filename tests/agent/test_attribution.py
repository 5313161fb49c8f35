"""Whose work it is, and how it compares with what each was given."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aliquot.agent.attribution import Container, Grant, PodOnNode, PodRef, PodUse, Usage, attribute
from aliquot.agent.nvml import Device, Memory, MigInstance, Process, Snapshot
from aliquot.agent.pod_resources import Assignment

MIB = 1 << 20
RESERVATIONS = "runai-reservation"
CARD = Device(
    0, "GPU-a", "H100", "", "ok", memory=Memory(80_000 * MIB, 1_000 * MIB, 79_000 * MIB, 0), utilization_percent=70
)


def pod(name: str, *grants: Grant) -> PodOnNode:
    return PodOnNode(PodRef("team", name, f"uid-{name}"), grants)


def half(memory_mib: int | None = None) -> Grant:
    return Grant("GPU-a", 50, memory_mib)


def held(name: str, *devices: str, namespace: str = "team") -> Assignment:
    return Assignment(namespace, name, "main", "nvidia.com/gpu", devices)


def seen(
    processes: dict[str, tuple[int | None, float | None]],
    pods: list[PodOnNode] | None,
    *assignments: Assignment,
    card: Device = CARD,
) -> Usage:
    """One process for each owner: a pod's name, or `host`; its MiB and its percentage."""
    running = tuple(
        Process(pid, None if mib is None else mib * MIB, percent)
        for pid, (mib, percent) in enumerate(processes.values(), 100)
    )
    owners = {
        pid: Container("c" * 64, f"uid-{owner}")
        for pid, owner in enumerate(processes, 100)
        if not owner.startswith("host")
    }
    return attribute(Snapshot("1", (replace(card, processes=running),)), owners, pods, assignments, RESERVATIONS)


def of(usage: Usage, name: str) -> PodUse:
    [found] = [use for use in usage.pods if use.pod.name == name or use.pod.uid == f"uid-{name}"]
    return found


def test_two_share_a_card() -> None:
    usage = seen({"a": (1_000, 30.0), "b": (41_000, 10.0)}, [pod("a", half()), pod("b", half())])
    a, b = of(usage, "a"), of(usage, "b")
    assert (a.used_bytes, a.limit_bytes, a.overuse_bytes, a.utilization_percent) == (1_000 * MIB, 40_000 * MIB, 0, 30)
    assert (b.used_bytes, b.overuse_bytes, b.utilization_percent) == (41_000 * MIB, 1_000 * MIB, 10)
    [card] = usage.devices
    assert (card.allocated_percent, card.stray_processes, card.sole) == (100, 0, None)


def test_memory_that_was_asked_for_is_the_limit_not_the_part_it_was_rounded_to() -> None:
    usage = seen({"a": (4_200, 0.0)}, [pod("a", half(memory_mib=4_096))])
    assert of(usage, "a").overuse_bytes == 104 * MIB


@pytest.mark.parametrize(
    ("grant", "mib"),
    [
        (half(), None),
        (Grant("GPU-a", 50, burst_percent=80), 64_000),
        (Grant("GPU-a", 50, 4_096, burst_mib=8_192), 8_192),
    ],
    ids=["no more", "a fraction", "memory"],
)
def test_memory_that_a_pod_may_use_while_nobody_needs_it(grant: Grant, mib: int | None) -> None:
    usage = seen({"a": (1_000, 0.0)}, [pod("a", grant)])
    assert of(usage, "a").burst_bytes == (None if mib is None else mib * MIB)


def test_a_whole_card_is_known_from_the_kubelet_and_its_use_is_the_cards() -> None:
    usage = seen({"a": (500, 20.0)}, [pod("a")], held("a", "GPU-a"))
    assert (of(usage, "a").utilization_percent, of(usage, "a").limit_bytes) == (70, 80_000 * MIB)
    assert usage.devices[0].sole == (PodRef("team", "a", "uid-a"), "main")


def test_the_pod_that_holds_a_card_for_others_has_nothing_itself() -> None:
    reservation = held("r", "GPU-a", namespace=RESERVATIONS)
    usage = seen({"a": (500, 20.0)}, [pod("a", half())], reservation)
    assert [use.pod.name for use in usage.pods] == ["a"]
    assert usage.devices[0].allocated_percent == 50


def test_a_card_given_out_several_times_by_its_plugin_is_one_card() -> None:
    usage = seen({}, [pod("a"), pod("b")], held("a", "GPU-a::0"), held("b", "GPU-a::1"))
    assert [use.pod.name for use in usage.pods] == ["a", "b"]
    assert usage.devices[0].sole is None


def test_who_was_given_nothing_is_over_with_everything_and_a_stray() -> None:
    usage = seen({"a": (100, 5.0), "thief": (700, 90.0), "host": (30, 0.0)}, [pod("a", half()), pod("thief")])
    thief = of(usage, "thief")
    assert (thief.grant, thief.overuse_bytes) == (None, 700 * MIB)
    assert (usage.devices[0].stray_processes, usage.devices[0].stray_bytes) == (2, 730 * MIB)


def test_without_the_pods_nobody_is_accused() -> None:
    usage = seen({"a": (100, 5.0), "host": (30, 0.0)}, None)
    assert of(usage, "a").overuse_bytes is None
    assert usage.devices[0].stray_processes == 1


def test_without_the_pods_what_runs_on_a_card_is_its_only_holders() -> None:
    usage = seen({"a": (100, 5.0)}, None, held("named", "GPU-a"))
    assert [(use.pod.name, use.used_bytes) for use in usage.pods] == [("named", 100 * MIB)]


def test_what_the_driver_does_not_say_is_none_and_not_nothing() -> None:
    usage = seen({"a": (None, None)}, [pod("a", half())])
    assert (of(usage, "a").used_bytes, of(usage, "a").utilization_percent) == (None, None)
    assert usage.activity() == {PodRef("team", "a", "uid-a"): None}


def test_a_pod_without_processes_does_nothing_even_where_the_driver_says_little() -> None:
    usage = seen({}, [pod("a", half())], card=replace(CARD, utilization_percent=None))
    assert usage.activity() == {PodRef("team", "a", "uid-a"): False}


def test_a_pod_is_active_when_one_of_its_cards_is() -> None:
    cards = (CARD, replace(CARD, index=1, uuid="GPU-b", utilization_percent=0))
    usage = attribute(Snapshot("1", cards), {}, [pod("a")], [held("a", "GPU-a", "GPU-b")], RESERVATIONS)
    assert usage.activity() == {PodRef("team", "a", "uid-a"): True}


def test_a_mig_device_has_its_own_memory_and_is_no_part_of_a_card() -> None:
    mig = MigInstance("MIG-1", "1g.10gb", 7, Memory(10_000 * MIB, 0, 0, 0), (Process(1, 400 * MIB, None),))
    snapshot = Snapshot("1", (replace(CARD, mig=(mig,), utilization_percent=None),))
    owners = {1: Container("c" * 64, "uid-a")}
    usage = attribute(snapshot, owners, [pod("a")], [held("a", "MIG-1")], RESERVATIONS)
    assert (of(usage, "a").unit, of(usage, "a").limit_bytes, of(usage, "a").used_bytes) == (
        "MIG-1",
        10_000 * MIB,
        400 * MIB,
    )
    assert usage.devices[0].allocated_percent == 0
    assert usage.devices[0].holders == (PodRef("team", "a", "uid-a"),)


@pytest.mark.parametrize("state", ["lost", "reset_required"])
def test_a_card_that_is_gone_keeps_its_holders(state: str) -> None:
    gone = Device(0, "GPU-a", "H100", "", "lost" if state == "lost" else "reset_required")
    usage = attribute(Snapshot("1", (gone,)), {}, [pod("a", half())], [], RESERVATIONS)
    assert usage.devices[0].allocated_percent == 50
    assert of(usage, "a").limit_bytes is None


def test_devices_of_other_kinds_and_other_nodes_are_left_out() -> None:
    usage = seen({}, [pod("a", Grant("GPU-elsewhere", 50))], held("a", "nic-0"))
    assert usage.pods == ()


NAMES = ("a", "b", "c")
PROCESSES = st.lists(
    st.tuples(
        st.sampled_from((*NAMES, "unknown", "host")),
        st.one_of(st.none(), st.integers(0, 1 << 40)),
        st.one_of(st.none(), st.floats(0, 100)),
    ),
    max_size=12,
)
GRANTS = st.dictionaries(st.sampled_from(NAMES), st.integers(1, 100), max_size=3)


@given(processes=PROCESSES, grants=GRANTS)
def test_every_process_counts_once(
    processes: list[tuple[str, int | None, float | None]], grants: dict[str, int]
) -> None:
    running = tuple(Process(pid, size, percent) for pid, (_, size, percent) in enumerate(processes, 1))
    owners = {
        pid: Container("c" * 64, f"uid-{owner}") for pid, (owner, _, _) in enumerate(processes, 1) if owner != "host"
    }
    pods = [pod(name, *([Grant("GPU-a", grants[name])] if name in grants else [])) for name in NAMES]
    usage = attribute(Snapshot("1", (replace(CARD, processes=running),)), owners, pods, [], RESERVATIONS)
    [card] = usage.devices
    rightful = [use for use in usage.pods if use.grant is not None]
    assert sum(use.processes for use in rightful) + card.stray_processes == len(processes)
    told = sum(size or 0 for _, size, _ in processes)
    assert sum(use.used_bytes or 0 for use in rightful) + card.stray_bytes == told
    assert {use.pod.name for use in rightful} == set(grants)
    assert card.allocated_percent == sum(grants.values())
    assert all(use.utilization_percent is None or 0 <= use.utilization_percent <= 100 for use in usage.pods)
    assert all(use.overuse_bytes is None or 0 <= use.overuse_bytes <= (use.used_bytes or 0) for use in usage.pods)
