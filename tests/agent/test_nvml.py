"""A reading of the GPUs: what they say, what they lack, and what becomes of it when the driver is in trouble."""

from collections.abc import Generator
from functools import wraps
from pathlib import Path
from typing import Any, cast

import pynvml
import pytest

from aliquot.agent.nvml import EccErrors, Library, Memory, NvmlError, Process, RemappedRows, load
from demo.fake_gpus.model import GpuEvent, GpuProcess, NodeState
from demo.fake_gpus.products import node
from tests.agent.gpu_node import LOST, GpuNode, Instead, open_node, pids

MIB = 1 << 20
UNSUPPORTED, NOT_FOUND, UNKNOWN, UNINITIALIZED, NO_DRIVER, RESET, MISMATCH = 3, 13, 999, 1, 9, 16, 18


@pytest.fixture
def gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[GpuNode]:
    made = open_node(tmp_path / "state", monkeypatch)
    yield made
    made.has(NodeState())
    made.session.close()


def test_everything_that_a_card_says(gpus: GpuNode) -> None:
    gpus.gpu(
        0,
        gpu_percent=70,
        memory_percent=20,
        encoder_percent=3,
        decoder_percent=4,
        memory_used_mib=1000,
        power_milliwatts=300_500,
        energy_millijoules=5_000,
        temperature_celsius=61,
        memory_temperature_celsius=72,
        sm_clock_mhz=1755,
        memory_clock_mhz=2619,
        pcie_replays=2,
        volatile_corrected_errors=1,
        volatile_uncorrected_errors=2,
        aggregate_corrected_errors=3,
        aggregate_uncorrected_errors=4,
        remapped_corrected_rows=5,
        remapped_uncorrected_rows=6,
        remapping_pending=True,
        processes=[GpuProcess(pid=4242, memory_used_mib=900, sm_percent=55)],
    )
    snapshot = gpus.read()
    device = snapshot.devices[0]
    assert snapshot.driver_version == "580.95.05"
    assert (device.index, device.uuid, device.name) == (0, gpus.state.gpus[0].uuid, "NVIDIA H100 80GB HBM3")
    assert device.pci_bus_id.endswith("17:00.0")
    assert device.state == "ok"
    assert device.memory == Memory(81559 * MIB, 1000 * MIB, (81559 - 551 - 1000) * MIB, 551 * MIB)
    assert device.processes == (Process(4242, 900 * MIB, 55.0),)
    assert (device.utilization_percent, device.copy_utilization_percent) == (70, 20)
    assert (device.encoder_utilization_percent, device.decoder_utilization_percent) == (3, 4)
    assert (device.temperature_celsius, device.memory_temperature_celsius) == (61, 72)
    assert (device.power_milliwatts, device.power_limit_milliwatts, device.energy_millijoules) == (
        300_500,
        700_000,
        5_000,
    )
    assert (device.sm_clock_mhz, device.memory_clock_mhz, device.pcie_replays) == (1755, 2619, 2)
    assert device.ecc == EccErrors(1, 2, 3, 4)
    assert device.remapped_rows == RemappedRows(5, 6, pending=True, failed=False)
    assert (device.mig, device.xids, device.last_xid) == (None, (), 0)
    assert gpus.ledger.errors == {}
    assert gpus.ledger.refused == {}


ABSENT = {
    "nvmlDeviceGetUtilizationRates": "utilization_percent",
    "nvmlDeviceGetEncoderUtilization": "encoder_utilization_percent",
    "nvmlDeviceGetPowerUsage": "power_milliwatts",
    "nvmlDeviceGetTotalEnergyConsumption": "energy_millijoules",
    "nvmlDeviceGetClockInfo": "sm_clock_mhz",
    "nvmlDeviceGetPcieReplayCounter": "pcie_replays",
    "nvmlDeviceGetTotalEccErrors": "ecc",
    "nvmlDeviceGetRemappedRows": "remapped_rows",
    "nvmlDeviceGetMemoryInfo": "memory",
    "nvmlDeviceGetFieldValues": "memory_temperature_celsius",
}


@pytest.mark.parametrize("code", [UNSUPPORTED, NOT_FOUND])
@pytest.mark.parametrize(("function", "field"), ABSENT.items(), ids=ABSENT)
def test_what_a_card_does_not_support_is_absent_and_named(gpus: GpuNode, function: str, field: str, code: int) -> None:
    gpus.fails(function, code)
    device = gpus.device()
    assert getattr(device, field) is None
    assert function in device.not_supported
    assert (device.state, gpus.ledger.errors) == ("ok", {})


def test_another_failure_is_counted_and_costs_nothing_else(gpus: GpuNode) -> None:
    gpus.fails("nvmlDeviceGetPowerUsage", UNKNOWN)
    device = gpus.device()
    assert device.power_milliwatts is None
    assert device.temperature_celsius == 34
    assert device.not_supported == ()
    assert gpus.ledger.errors == {("nvmlDeviceGetPowerUsage", "Unknown Error"): 2}  # two cards


def test_where_reserved_memory_is_not_told_apart_it_counts_as_used(gpus: GpuNode) -> None:
    gpus.fails("nvmlDeviceGetMemoryInfo_v2", NOT_FOUND)
    memory = gpus.device().memory
    assert memory is not None
    assert (memory.used_bytes, memory.reserved_bytes) == (551 * MIB, None)


def test_where_use_of_processes_is_not_told_it_is_unknown(gpus: GpuNode) -> None:
    gpus.gpu(0, processes=[GpuProcess(pid=1, memory_used_mib=5, sm_percent=5), GpuProcess(pid=2)])
    gpus.fails("nvmlDeviceGetProcessUtilization", UNSUPPORTED)
    assert gpus.device().processes == (Process(1, 5 * MIB, None), Process(2, None, None))


def test_who_has_no_sample_did_nothing(gpus: GpuNode) -> None:
    gpus.gpu(0, processes=[GpuProcess(pid=1, memory_used_mib=5)])
    assert gpus.device().processes == (Process(1, 5 * MIB, 0.0),)


def test_a_process_in_several_lists_counts_once(gpus: GpuNode) -> None:
    gpus.gpu(
        0,
        processes=[
            GpuProcess(pid=7, memory_used_mib=100),
            GpuProcess(pid=7, memory_used_mib=100, kind="graphics"),
            GpuProcess(pid=9, memory_used_mib=50, kind="mps"),
        ],
    )
    assert pids(gpus.device()) == [7, 9]


def test_ten_thousand_processes(gpus: GpuNode) -> None:
    gpus.gpu(0, processes=[GpuProcess(pid=pid, memory_used_mib=1) for pid in range(1, 10_001)])
    assert len(gpus.device().processes) == 10_000


def test_an_old_driver_lacks_functions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def mismatch(*_: object) -> None:
        raise pynvml.NVMLLibraryMismatchError

    def missing(*_: object) -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_FUNCTION_NOT_FOUND)

    old = Instead(
        nvmlDeviceGetProcessUtilization=mismatch,
        nvmlDeviceGetMPSComputeRunningProcesses=mismatch,
        nvmlDeviceGetComputeRunningProcesses=missing,
        nvmlDeviceGetComputeRunningProcesses_v2=load().nvmlDeviceGetComputeRunningProcesses,
    )
    gpus = open_node(tmp_path / "state", monkeypatch, cast("Library", old))
    gpus.gpu(0, processes=[GpuProcess(pid=1, memory_used_mib=5, sm_percent=50)])
    assert gpus.device().processes == (Process(1, 5 * MIB, None),)
    gpus.session.close()


def test_mig_devices(gpus: GpuNode) -> None:
    cut = node("n1", 1, mig=("1g.10gb", "2g.20gb"))
    [gpu] = cut.gpus
    busy = gpu.instances[0].model_copy(update={"processes": (GpuProcess(pid=5, memory_used_mib=70),)})
    gpus.has(cut.with_gpu(0, instances=(busy, *gpu.instances[1:])))
    device = gpus.device()
    assert device.mig is not None
    assert [(mig.uuid, mig.profile) for mig in device.mig] == [(each.uuid, each.profile) for each in gpu.instances]
    assert device.mig[0].memory is not None
    assert device.mig[0].memory.total_bytes == 9984 * MIB
    assert [process.pid for process in device.mig[0].processes] == [5]
    assert device.processes == ()


@pytest.mark.parametrize(("code", "state"), [(LOST, "lost"), (RESET, "reset_required")])
def test_a_card_that_is_gone_is_still_told_of(gpus: GpuNode, code: int, state: str) -> None:
    gpus.read()
    whole = gpus.state
    gpus.fails("*", code, gpu="1")
    first, second = gpus.read().devices
    assert (first.state, first.temperature_celsius) == ("ok", 34)
    assert (second.state, second.uuid, second.memory, second.processes) == (state, whole.gpus[1].uuid, None, ())
    gpus.has(whole)
    assert [device.state for device in gpus.read().devices] == ["ok", "ok"]


def test_a_card_that_was_taken_out_is_gone(gpus: GpuNode) -> None:
    gpus.read()
    gpus.has(node("n1", 1))
    assert len(gpus.read().devices) == 1


TROUBLES = {
    "the driver is not loaded": ("nvmlInitWithFlags", NO_DRIVER, "Driver Not Loaded", False),
    "the driver is of another version": ("nvmlInitWithFlags", MISMATCH, "mismatch", True),
    "the driver was unloaded": ("nvmlDeviceGetCount", UNINITIALIZED, "Uninitialized", False),
    "the driver was replaced": ("nvmlDeviceGetMemoryInfo", MISMATCH, "mismatch", True),
}


@pytest.mark.parametrize(("function", "code", "text", "outdated"), TROUBLES.values(), ids=TROUBLES)
def test_a_driver_in_trouble_is_told_and_tried_again(
    gpus: GpuNode, function: str, code: int, text: str, outdated: bool
) -> None:
    healthy = gpus.state
    gpus.fails(function, code)
    with pytest.raises(NvmlError, match=text) as caught:
        gpus.read()
    assert caught.value.outdated == outdated
    gpus.has(healthy)
    assert len(gpus.read().devices) == 2


def test_xid_errors_are_counted_and_a_fatal_one_fails_the_card(gpus: GpuNode) -> None:
    assert gpus.device().last_xid == 0
    gpus.gpu(0, events=[GpuEvent(sequence=1, xid=31), GpuEvent(sequence=2, xid=31)])
    device = gpus.device()
    assert (device.xids, device.last_xid, device.state) == (((31, 2),), 31, "ok")
    gpus.gpu(0, events=[*gpus.state.gpus[0].events, GpuEvent(sequence=3, xid=79)])
    device = gpus.device()
    assert (device.xids, device.last_xid, device.state) == (((31, 2), (79, 1)), 79, "failed")
    assert gpus.device().xids == device.xids
    assert gpus.device(1).xids == ()


def saying(function: str, answer: Any) -> Any:
    @wraps(getattr(load(), function))
    def say(*_: object) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return say


GARBAGE: dict[str, tuple[str, Any]] = {
    "more cards than a machine can have": ("nvmlDeviceGetCount", 1 << 31),
    "a name that is no text": ("nvmlDeviceGetName", UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")),
    "no UUID": ("nvmlDeviceGetUUID", "\x00\x01"),
    "one UUID for all": ("nvmlDeviceGetUUID", "GPU-the-same"),
    "more power than a power station": ("nvmlDeviceGetPowerUsage", 4_294_967_295),
    "hotter than the sun": ("nvmlDeviceGetTemperatureV", 6_000),
    "more than all of the time": ("nvmlDeviceGetEncoderUtilization", [250, 1]),
    "a clock of light": ("nvmlDeviceGetClockInfo", 1 << 30),
}


@pytest.mark.parametrize(("function", "answer"), GARBAGE.values(), ids=GARBAGE)
def test_what_cannot_be_true_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str, answer: Any
) -> None:
    gpus = open_node(tmp_path / "state", monkeypatch, cast("Library", Instead(**{function: saying(function, answer)})))
    devices = gpus.read().devices
    assert sum(gpus.ledger.refused.values()) > 0
    assert len({device.uuid for device in devices if device.uuid}) == sum(bool(device.uuid) for device in devices)
    if function == "nvmlDeviceGetCount":
        assert devices == ()
    else:
        assert devices[1].temperature_celsius == (
            None if function.startswith(("nvmlDeviceGetT", "nvmlDeviceGetUU")) else 34
        )
    gpus.session.close()


def test_more_memory_in_use_than_there_is(gpus: GpuNode) -> None:
    gpus.gpu(0, memory_used_mib=90_000)
    assert gpus.device().memory is None
    assert gpus.ledger.refused == {"nvmlDeviceGetMemoryInfo": 1}


def test_a_name_from_a_stranger_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = Instead(nvmlDeviceGetName=saying("nvmlDeviceGetName", 'H100 "x"} 1\n\u2028\u202e\ud800' + "é" * 999))
    gpus = open_node(tmp_path / "state", monkeypatch, cast("Library", named))
    name = gpus.device().name
    assert name.isprintable()
    assert len(name) <= 128
    gpus.session.close()


def test_a_clock_that_jumps_does_not_matter(gpus: GpuNode) -> None:
    gpus.gpu(0, processes=[GpuProcess(pid=1, sm_percent=50, memory_used_mib=1)])
    gpus.read()
    gpus.jumped_seconds = -1e9
    assert gpus.device().processes == (Process(1, MIB, 50.0),)
