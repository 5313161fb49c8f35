"""The state file: what is written is read again, and what is wrong is named."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demo.fake_gpus import products, state
from demo.fake_gpus.model import Failure, Gpu, GpuEvent, GpuProcess, Hang, MigInstance, NodeState
from demo.fake_gpus.state import StateError

CARD = "gpu GPU-1\n  name Card\n  memory_total_mib 100\n"

numbers = st.none() | st.integers(0, 2**32 - 2)
uuids = st.uuids().map(lambda uuid: f"GPU-{uuid}")
processes = st.builds(
    GpuProcess,
    pid=st.integers(0, 2**32 - 1),
    kind=st.sampled_from(["compute", "graphics", "mps"]),
    memory_used_mib=st.none() | st.integers(0, 2**43 - 1),
    sm_percent=numbers,
)
targets = st.none() | st.sampled_from(["0", "7", "GPU-1"])
functions = st.sampled_from(["*", "nvmlInit", "nvmlDeviceGetMemoryInfo_v2"])


@st.composite
def gpus(draw: st.DrawFn, number: int) -> Gpu:
    """A GPU whose events and uuid are its own among others of other numbers."""
    instances = [
        MigInstance(
            uuid=f"MIG-{draw(st.uuids())}",
            profile=draw(st.sampled_from(["1g.10gb", "1g.10gb+me"])),
            gpu_instance=index,
            slices=1,
            multiprocessors=draw(st.integers(0, 200)),
            memory_total_mib=draw(st.none() | st.integers(0, 10**6)),
            processes=tuple(draw(st.lists(processes, max_size=2))),
        )
        for index in range(draw(st.integers(0, 3)))
    ]
    return Gpu(
        uuid=draw(uuids),
        name=draw(st.from_regex(r"^[!-~]([ -~]{0,40}[!-~])?\Z").filter(lambda name: name != "unsupported")),
        healthy=draw(st.booleans()),
        memory_total_mib=draw(st.none() | st.integers(0, 10**6)),
        mig=True if instances else draw(st.none() | st.booleans()),
        temperature_celsius=draw(numbers),
        energy_millijoules=draw(st.none() | st.integers(0, 2**64 - 2)),
        numa=draw(numbers),
        instances=tuple(instances),
        processes=tuple(draw(st.lists(processes, max_size=3))),
        events=tuple(GpuEvent(sequence=number * 10 + index, xid=31) for index in range(draw(st.integers(1, 3)))),
    )


@st.composite
def nodes(draw: st.DrawFn) -> NodeState:
    faults = st.builds(Failure, function=functions, code=st.integers(1, 999), gpu=targets)
    hangs = st.builds(Hang, function=functions, seconds=st.floats(1e-3, 1e6), gpu=targets)
    return NodeState(
        gpus=tuple(draw(gpus(number)) for number in range(1, draw(st.integers(0, 3)) + 1)),
        failures=tuple(draw(st.lists(faults, max_size=2))),
        hangs=tuple(draw(st.lists(hangs, max_size=2))),
    )


@settings(max_examples=40)
@given(nodes())
def test_what_is_written_is_read_again(node: NodeState) -> None:
    assert state.parse(state.render(node)) == node


@pytest.mark.parametrize("product", products.PRODUCTS)
def test_the_products_can_be_written(product: str, tmp_path: Path) -> None:
    profiles = tuple(products.PRODUCTS[product].profiles or {})[:2]
    node = products.node("n1", 8, product=product, mig=profiles)
    state.write(tmp_path / "folder" / "state", node)
    assert state.read(tmp_path / "folder" / "state") == node
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["state"]


def test_a_node_has_the_same_uuids_every_time_and_no_other_has_them() -> None:
    assert products.node("n1", 8) == products.node("n1", 8)
    devices = [device.uuid for name in ("n1", "n2") for device in products.node(name, 8, mig=("1g.10gb",)).devices()]
    assert len(set(devices)) == 32


def test_people_may_write_it_by_hand() -> None:
    text = f"# my node\ndriver 1.2\r\n\n{CARD}\tprocess 7\n\t\tmemory_used_mib 5\n  event 3\nfan_percent 4\n"
    with pytest.raises(StateError, match="event 3: fan_percent: there is no such key"):
        state.parse(text)
    (gpu,) = state.parse(text.replace("fan_percent 4\n", "")).gpus
    assert (gpu.processes, gpu.events) == ((GpuProcess(pid=7, memory_used_mib=5),), (GpuEvent(sequence=3),))
    assert (gpu.temperature_celsius, gpu.memory_used_mib, gpu.healthy) == (None, 0, True)


WRONG = {
    "no value": (CARD + "mig\n", "line 4: mig: there is no value"),
    "unknown key": ("colour red\n", "colour: there is no such key"),
    "a list by its name": ("gpus 3\n", "line 1: gpus: there is no such key"),
    "twice": ("cuda 1\ncuda 2\n", "line 2: cuda: is there twice"),
    "missing": ("gpu GPU-1\n  name Card\n", "gpu GPU-1: memory_total_mib: is missing"),
    "no number": (CARD + "minor x\n", "gpu GPU-1: minor: 'x': allowed are decimal digits"),
    "negative": (CARD + "minor -1\n", "gpu GPU-1: minor: '-1': allowed are decimal digits"),
    "too large": (CARD + "minor 4294967295\n", "gpu GPU-1: minor: '4294967295': Input should be less than 4294967295"),
    "no switch": (CARD + "mig on\n", "gpu GPU-1: mig: 'on': allowed are 'yes' and 'no'"),
    "never unsupported": (CARD + "healthy unsupported\n", "gpu GPU-1: healthy: 'unsupported': Input should be a valid"),
    "no bus": (CARD + "pci_bus_id 3B\n", "gpu GPU-1: pci_bus_id: '3B': String should match"),
    "no kind": (
        CARD + "process 1\nkind shader\n",
        "gpu GPU-1: process 1: kind: 'shader': Input should be",
    ),
    "no profile": (
        CARD + "mig yes\ninstance MIG-1\nmemory_total_mib 1\nprofile big\n",
        "gpu GPU-1: instance MIG-1: profile: 'big': ",
    ),
    "a part of nothing": ("process 1\n", "line 1: process: stands only within gpu or instance"),
    "instance of nothing": ("instance MIG-1\n", "line 1: instance: stands only within gpu"),
    "a late failure": (CARD + "fail nvmlInit 9\n", "line 4: fail: stands before the first 'gpu' line"),
    "no code": ("fail nvmlInit\n", "line 1: fail: 'nvmlInit' is not 'FUNCTION[:GPU] CODE'"),
    "code of success": ("fail nvmlInit 0\n", "failures 0: code: '0': Input should be greater than or equal to 1"),
    "no function": ("hang cudaMalloc 3\n", "hangs 0: function: 'cudaMalloc': String should match"),
    "no seconds": ("hang nvmlInit nan\n", "hangs 0: seconds: 'nan': Input should be a finite number"),
    "a UUID twice": (CARD + CARD, "uuid: GPU-1 is there 2 times, and must be unique on a node"),
    "an event twice": (CARD + "event 1\nevent 1\n", "event: 1 is there 2 times, and must be unique on a node"),
    "MIG devices without MIG": (
        CARD + "instance MIG-1\nprofile 1g.10gb\ngpu_instance 1\nslices 1\nmultiprocessors 1\nmemory_total_mib 1\n",
        "gpu GPU-1: mig: it has MIG instances, so it must be 'yes'",
    ),
}


@pytest.mark.parametrize(("text", "told"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_named(text: str, told: str, tmp_path: Path) -> None:
    file = tmp_path / "state"
    file.write_text(text)
    with pytest.raises(StateError) as raised:
        state.read(file)
    assert str(raised.value).startswith(f"{file}: {told}")


def test_a_file_that_is_missing_or_no_text_is_named(tmp_path: Path) -> None:
    file = tmp_path / "state"
    with pytest.raises(StateError, match=f"^{file}: cannot be read: .*No such file"):
        state.read(file)
    file.write_bytes(b"driver \xff\n")
    with pytest.raises(StateError, match=f"^{file}: cannot be read: .*utf-8"):
        state.read(file)


CHANGES: list[tuple[int, list[str], str]] = [
    (2, ["healthy=no"], "GPU 2: there are 2, counted from 0"),
    (0, ["healthy"], "'healthy' is not KEY=VALUE"),
    (0, ["colour=red"], "colour: there is no such key"),
    (0, ["minor=x"], "minor: 'x': allowed are decimal digits"),
    (0, ["uuid=" + products.node("n1", 2).gpus[1].uuid], "uuid: GPU-"),
]


def test_readings_are_changed_in_the_words_of_the_file() -> None:
    node = products.node("n1", 2)
    changed = state.changed(node, 1, ["healthy=no", "gpu_percent=90", "fan_percent=unsupported", "name=New card"])
    assert changed == node.with_gpu(1, healthy=False, gpu_percent=90, fan_percent=None, name="New card")
    for gpu, fields, told in CHANGES:
        with pytest.raises(StateError) as raised:
            state.changed(node, gpu, fields)
        assert str(raised.value).startswith(told)


NO_SUCH: list[tuple[str, tuple[str, ...], str]] = [
    ("k80", (), "product 'k80': allowed are t4, l40s"),
    ("t4", ("1g.5gb",), "MIG profile '1g.5gb': Tesla T4 has no MIG"),
    ("h100", ("1g.5gb",), "MIG profile '1g.5gb': NVIDIA H100 80GB HBM3 has 1g.10gb"),
    ("h100", ("3g.40gb",) * 3, "MIG profiles 3g.40gb, 3g.40gb, 3g.40gb: they have 9 slices, a card has 7"),
]


@pytest.mark.parametrize(("product", "mig", "told"), NO_SUCH, ids=["product", "without MIG", "profile", "too many"])
def test_cards_that_there_are_not_are_refused(product: str, mig: tuple[str, ...], told: str) -> None:
    with pytest.raises(StateError) as raised:
        products.node("n1", 1, product=product, mig=mig)
    assert str(raised.value).startswith(told)


def test_the_examples_of_the_manual_are_in_order(tmp_path: Path) -> None:
    manual = Path(__file__).parents[2].joinpath("docs", "fake-gpus.md").read_text()
    (text,) = re.findall(r"^```\n(driver .*?)^```", manual, re.DOTALL | re.MULTILINE)
    (gpu,) = state.parse(text).gpus
    assert (gpu.fan_percent, gpu.processes[0].sm_percent, gpu.events[0].xid) == (None, 70, 79)
    (program,) = re.findall(r"^```python\n(.*?)^```", manual, re.DOTALL | re.MULTILINE)
    exec(compile(program, "docs/fake-gpus.md", "exec"), {"path": tmp_path / "state"})
    node = state.read(tmp_path / "state")
    assert (node.gpus[0].memory_used_mib, node.gpus[3].healthy, node.failures[0].gpu) == (2_000, False, "3")
