"""pynvml, unchanged, on the fake library: every function answers what the state file says."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from demo.fake_gpus import library, products
from demo.fake_gpus.model import Failure, Gpu, GpuEvent, GpuProcess, Hang, MigInstance, NodeState
from tests.fake_gpus.probing import Nvml, NvmlError, nvml_process

Start = Callable[..., Nvml]
MIB = 1 << 20
XID, SINGLE_BIT = 8, 1

# Every reading differs from every other.
WHOLE = Gpu(
    uuid="GPU-11111111-0000-0000-0000-000000000000",
    name='A "quoted" card, 80 GB',
    memory_total_mib=80_000,
    memory_reserved_mib=600,
    memory_used_mib=1_500,
    minor=5,
    pci_bus_id="0001:3B:0A.0",
    compute_major=9,
    compute_minor=4,
    mig=False,
    ecc=True,
    gpu_percent=71,
    memory_percent=33,
    encoder_percent=12,
    decoder_percent=13,
    temperature_celsius=54,
    memory_temperature_celsius=67,
    power_milliwatts=321_000,
    power_limit_milliwatts=700_000,
    energy_millijoules=2**40,
    fan_percent=38,
    graphics_clock_mhz=1_755,
    sm_clock_mhz=1_756,
    memory_clock_mhz=2_619,
    video_clock_mhz=1_545,
    pcie_replays=8,
    volatile_corrected_errors=101,
    volatile_uncorrected_errors=102,
    aggregate_corrected_errors=103,
    aggregate_uncorrected_errors=104,
    remapped_corrected_rows=2,
    remapped_uncorrected_rows=1,
    remapping_pending=True,
    remapping_failed=False,
    processes=(
        GpuProcess(pid=4_194_000, memory_used_mib=1_000, sm_percent=60, memory_percent=20),
        GpuProcess(pid=17, memory_used_mib=None),
        GpuProcess(pid=16, memory_used_mib=7, kind="mps"),
        GpuProcess(pid=18, memory_used_mib=500, kind="graphics", encoder_percent=3, decoder_percent=4),
    ),
)
BARE = Gpu(uuid="GPU-22222222-0000-0000-0000-000000000000", name="Bare", memory_total_mib=None)
INSTANCES = (
    MigInstance(
        uuid="MIG-44444444-0000-0000-0000-000000000000",
        profile="1g.10gb",
        gpu_instance=9,
        compute_instance=1,
        slices=1,
        multiprocessors=16,
        memory_total_mib=9_984,
        memory_reserved_mib=4,
        memory_used_mib=2_000,
        processes=(GpuProcess(pid=19, memory_used_mib=2_000, sm_percent=99),),
    ),
    MigInstance(
        uuid="MIG-55555555-0000-0000-0000-000000000000",
        profile="2g.20gb",
        gpu_instance=3,
        slices=2,
        multiprocessors=32,
        memory_total_mib=20_096,
    ),
)
DIVIDED = Gpu(
    uuid="GPU-33333333-0000-0000-0000-000000000000",
    name="NVIDIA H100 80GB HBM3",
    memory_total_mib=81_559,
    compute_major=9,
    compute_minor=0,
    mig=True,
    gpu_percent=50,
    memory_percent=50,
    encoder_percent=50,
    decoder_percent=50,
    instances=INSTANCES,
)
NODE = NodeState(driver="575.51.03", nvml="12.575.51.03", cuda=12090, gpus=(WHOLE, BARE, DIVIDED))
NONE = 0xFFFFFFFF


def process(pid: int, used: int | None, gpu_instance: int = NONE, compute_instance: int = NONE) -> dict[str, object]:
    memory = None if used is None else used * MIB
    return {
        "pid": pid,
        "usedGpuMemory": memory,
        "gpuInstanceId": gpu_instance,
        "computeInstanceId": compute_instance,
    }


SYSTEM = [
    ("nvmlSystemGetDriverVersion", (), "575.51.03"),
    ("nvmlSystemGetNVMLVersion", (), "12.575.51.03"),
    ("nvmlSystemGetCudaDriverVersion", (), 12090),
    ("nvmlSystemGetCudaDriverVersion_v2", (), 12090),
    ("nvmlDeviceGetCount_v2", (), 3),
]
# What is told of WHOLE.
READINGS = [
    ("nvmlDeviceGetIndex", (), 0),
    ("nvmlDeviceGetUUID", (), WHOLE.uuid),
    ("nvmlDeviceGetName", (), WHOLE.name),
    ("nvmlDeviceIsMigDeviceHandle", (), 0),
    ("nvmlDeviceGetMaxMigDeviceCount", (), 0),
    ("nvmlDeviceGetMinorNumber", (), 5),
    ("nvmlDeviceGetCudaComputeCapability", (), [9, 4]),
    ("nvmlDeviceGetMemoryInfo", (), {"total": 80_000 * MIB, "used": 2_100 * MIB, "free": 77_900 * MIB}),
    ("nvmlDeviceGetUtilizationRates", (), {"gpu": 71, "memory": 33}),
    ("nvmlDeviceGetEncoderUtilization", (), [12, 167000]),
    ("nvmlDeviceGetDecoderUtilization", (), [13, 167000]),
    ("nvmlDeviceGetComputeRunningProcesses_v3", (), [process(4_194_000, 1_000), process(17, None)]),
    ("nvmlDeviceGetGraphicsRunningProcesses_v3", (), [process(18, 500)]),
    ("nvmlDeviceGetMPSComputeRunningProcesses_v3", (), [process(16, 7)]),
    ("nvmlDeviceGetTemperature", (0,), 54),
    ("nvmlDeviceGetTemperatureV", (0,), 54),
    ("nvmlDeviceGetPowerUsage", (), 321_000),
    ("nvmlDeviceGetEnforcedPowerLimit", (), 700_000),
    ("nvmlDeviceGetTotalEnergyConsumption", (), 2**40),
    ("nvmlDeviceGetFanSpeed", (), 38),
    ("nvmlDeviceGetClockInfo", (0,), 1_755),
    ("nvmlDeviceGetClockInfo", (1,), 1_756),
    ("nvmlDeviceGetClockInfo", (2,), 2_619),
    ("nvmlDeviceGetClockInfo", (3,), 1_545),
    ("nvmlDeviceGetPcieReplayCounter", (), 8),
    ("nvmlDeviceGetEccMode", (), [1, 1]),
    ("nvmlDeviceGetTotalEccErrors", (0, 0), 101),
    ("nvmlDeviceGetTotalEccErrors", (1, 0), 102),
    ("nvmlDeviceGetTotalEccErrors", (0, 1), 103),
    ("nvmlDeviceGetTotalEccErrors", (1, 1), 104),
    ("nvmlDeviceGetRemappedRows", (), [2, 1, 1, 0]),
    ("nvmlDeviceGetFieldValues", ([82, 83, 150],), [67, 2**40, None]),
    ("nvmlDeviceGetMigMode", (), [0, 0]),
    ("nvmlDeviceGetSupportedEventTypes", (), 1 | 2 | 8),
]
# What BARE and instances can answer all the same.
ALWAYS = {
    "nvmlDeviceGetIndex",
    "nvmlDeviceGetUUID",
    "nvmlDeviceGetName",
    "nvmlDeviceIsMigDeviceHandle",
    "nvmlDeviceGetComputeRunningProcesses_v3",
    "nvmlDeviceGetGraphicsRunningProcesses_v3",
    "nvmlDeviceGetMPSComputeRunningProcesses_v3",
}
LENIENT = {"nvmlDeviceGetFieldValues", "nvmlDeviceGetMaxMigDeviceCount", "nvmlDeviceGetSupportedEventTypes"}
ELSEWHERE = {  # have tests of their own below
    *("nvmlInitWithFlags", "nvmlInit_v2", "nvmlShutdown", "nvmlErrorString", "nvmlDeviceGetHandleByIndex_v2"),
    *("nvmlDeviceGetHandleByUUID", "nvmlDeviceGetMemoryInfo_v2", "nvmlDeviceGetProcessUtilization"),
    *("nvmlDeviceGetPciInfo_v3", "nvmlDeviceGetMigDeviceHandleByIndex", "nvmlDeviceGetGpuInstanceId"),
    *("nvmlDeviceGetComputeInstanceId", "nvmlDeviceGetDeviceHandleFromMigDeviceHandle", "nvmlDeviceGetAttributes_v2"),
    *("nvmlEventSetCreate", "nvmlDeviceRegisterEvents", "nvmlEventSetWait_v2", "nvmlEventSetFree"),
}


def defined() -> set[str]:
    sources = "\n".join(file.read_text() for file in library.SOURCES.glob("*.c"))
    return set(re.findall(r"^(?:nvmlReturn_t |const char \*|READING\(|CODEC\()(nvml\w+)", sources, re.MULTILINE))


def error_of(nvml: Nvml, function: str, *arguments: object) -> tuple[str, int | None]:
    with pytest.raises(NvmlError) as raised:
        nvml.call(function, *arguments)
    return raised.value.name, raised.value.code


def test_every_function_of_the_library_has_a_test_and_a_line_in_the_manual() -> None:
    tested = {function for function, *_ in (*SYSTEM, *READINGS)} | ELSEWHERE
    manual = Path(__file__).parents[2].joinpath("docs", "fake-gpus.md").read_text()
    assert tested == defined()
    assert set(re.findall(r"`(nvml[A-Z]\w+)`", manual)) >= defined()


def test_the_sources_compile_without_a_warning() -> None:
    command = [str(library.find_compiler()), *library.FLAGS, "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
    files = [str(file) for file in library.SOURCES.glob("*.c")]
    done = subprocess.run(
        [*command, "-isystem", str(library.find_header().parent), *files], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_every_reading_is_what_the_file_says(started: Start) -> None:
    nvml = started(NODE)
    gpu = nvml.gpu(0)
    spoken = {"nvmlDeviceGetCount_v2": "nvmlDeviceGetCount"}  # where pynvml has a name of its own
    told = {
        (function, str(arguments)): nvml.call(spoken.get(function, function), *arguments)
        for function, arguments, _ in SYSTEM
    }
    told |= {(function, str(arguments)): nvml.call(function, gpu, *arguments) for function, arguments, _ in READINGS}
    assert told == {(function, str(arguments)): value for function, arguments, value in (*SYSTEM, *READINGS)}


def test_what_a_card_does_not_have_is_not_supported(started: Start) -> None:
    nvml = started(NODE)
    gpu = nvml.gpu(1)
    for function, arguments, _ in READINGS:
        if function not in ALWAYS | LENIENT:
            assert error_of(nvml, function, gpu, *arguments) == ("NVMLError_NotSupported", 3), function
    assert nvml.call("nvmlDeviceGetFieldValues", gpu, [82, 83]) == [None, None]
    assert nvml.call("nvmlDeviceGetSupportedEventTypes", gpu) == XID
    assert error_of(nvml, "nvmlDeviceGetPciInfo_v3", gpu) == ("NVMLError_NotSupported", 3)


def test_reserved_memory_is_told_apart_only_by_version_2(started: Start) -> None:
    nvml = started(NODE)
    version = 0x02000028
    told = nvml.call("nvmlDeviceGetMemoryInfo", nvml.gpu(0), version)
    amounts = {"total": 80_000 * MIB, "reserved": 600 * MIB, "used": 1_500 * MIB, "free": 77_900 * MIB}
    assert told == {"version": version, **amounts}
    assert error_of(nvml, "nvmlDeviceGetMemoryInfo", nvml.gpu(0), 0x01000028)[0] == "NVMLError_ArgumentVersionMismatch"


def test_devices_are_found_by_index_and_uuid(started: Start) -> None:
    nvml = started(NODE)
    for device in NODE.devices():
        found = nvml.keep("nvmlDeviceGetHandleByUUID", device.uuid)
        assert nvml.call("nvmlDeviceGetUUID", found) == device.uuid
    assert [nvml.call("nvmlDeviceGetUUID", nvml.gpu(index)) for index in range(3)] == [gpu.uuid for gpu in NODE.gpus]
    assert error_of(nvml, "nvmlDeviceGetHandleByIndex", 3) == ("NVMLError_InvalidArgument", 2)
    assert error_of(nvml, "nvmlDeviceGetHandleByUUID", "GPU-none") == ("NVMLError_NotFound", 6)


def test_where_a_card_is_on_the_bus(started: Start) -> None:
    nvml = started(NODE)
    told = nvml.call("nvmlDeviceGetPciInfo_v3", nvml.gpu(0))
    assert (told["busId"], told["busIdLegacy"]) == ("00000001:3B:0A.0", "0001:3B:0A.0")
    assert (told["domain"], told["bus"], told["device"]) == (1, 0x3B, 0x0A)


def test_processes_that_used_nothing_have_no_sample(started: Start) -> None:
    nvml = started(NODE)
    samples = nvml.call("nvmlDeviceGetProcessUtilization", nvml.gpu(0), 0)
    used = [(s["pid"], s["smUtil"], s["memUtil"], s["encUtil"], s["decUtil"]) for s in samples]
    assert used == [(4_194_000, 60, 20, 0, 0), (18, 0, 0, 3, 4)]
    assert error_of(nvml, "nvmlDeviceGetProcessUtilization", nvml.gpu(1), 0) == ("NVMLError_NotFound", 6)
    future = samples[0]["timeStamp"] + 10**12
    assert error_of(nvml, "nvmlDeviceGetProcessUtilization", nvml.gpu(0), future) == ("NVMLError_NotFound", 6)


def test_mig_devices_are_told_by_their_own_handles(started: Start) -> None:
    nvml = started(NODE)
    gpu = nvml.gpu(2)
    assert nvml.call("nvmlDeviceGetMigMode", gpu) == [1, 1]
    assert nvml.call("nvmlDeviceGetMaxMigDeviceCount", gpu) == 7
    for index, instance in enumerate(INSTANCES):
        handle = nvml.keep("nvmlDeviceGetMigDeviceHandleByIndex", gpu, index)
        attributes = nvml.call("nvmlDeviceGetAttributes_v2", handle)
        parent = nvml.keep("nvmlDeviceGetDeviceHandleFromMigDeviceHandle", handle)
        memory = nvml.call("nvmlDeviceGetMemoryInfo", handle)
        assert nvml.call("nvmlDeviceGetUUID", handle) == instance.uuid
        assert nvml.call("nvmlDeviceGetName", handle) == f"NVIDIA H100 80GB HBM3 MIG {instance.profile}"
        assert nvml.call("nvmlDeviceGetIndex", handle) == index
        assert nvml.call("nvmlDeviceIsMigDeviceHandle", handle) == 1
        assert nvml.call("nvmlDeviceGetGpuInstanceId", handle) == instance.gpu_instance
        assert nvml.call("nvmlDeviceGetComputeInstanceId", handle) == instance.compute_instance
        assert nvml.call("nvmlDeviceGetUUID", parent) == DIVIDED.uuid
        assert nvml.call("nvmlDeviceGetCudaComputeCapability", handle) == [9, 0]
        assert memory["used"] == (instance.memory_used_mib + instance.memory_reserved_mib) * MIB
        assert attributes["memorySizeMB"] == instance.memory_total_mib
        assert attributes["multiprocessorCount"] == instance.multiprocessors
        assert attributes["gpuInstanceSliceCount"] == instance.slices
        assert error_of(nvml, "nvmlDeviceGetPowerUsage", handle) == ("NVMLError_NotSupported", 3)
    assert error_of(nvml, "nvmlDeviceGetMigDeviceHandleByIndex", gpu, 2) == ("NVMLError_NotFound", 6)
    assert error_of(nvml, "nvmlDeviceGetMigDeviceHandleByIndex", nvml.gpu(0), 0)[0] == "NVMLError_NotSupported"
    for function in ("nvmlDeviceGetGpuInstanceId", "nvmlDeviceGetComputeInstanceId"):
        assert error_of(nvml, function, gpu)[0] == "NVMLError_InvalidArgument"
    assert error_of(nvml, "nvmlDeviceGetDeviceHandleFromMigDeviceHandle", gpu)[0] == "NVMLError_InvalidArgument"
    assert error_of(nvml, "nvmlDeviceGetAttributes_v2", gpu)[0] == "NVMLError_NotSupported"


def test_in_mig_mode_processes_are_told_and_use_is_not(started: Start) -> None:
    nvml = started(NODE)
    gpu = nvml.gpu(2)
    first, second = (nvml.keep("nvmlDeviceGetMigDeviceHandleByIndex", gpu, index) for index in range(2))
    told = [nvml.call("nvmlDeviceGetComputeRunningProcesses", handle) for handle in (gpu, first, second)]
    assert told == [[process(19, 2_000, 9, 1)], [process(19, 2_000, 9, 1)], []]
    for function in ("UtilizationRates", "EncoderUtilization", "DecoderUtilization"):
        assert error_of(nvml, f"nvmlDeviceGet{function}", gpu)[0] == "NVMLError_NotSupported"
    assert error_of(nvml, "nvmlDeviceGetProcessUtilization", gpu, 0)[0] == "NVMLError_NotSupported"


def test_what_the_file_says_later_is_told_later(started: Start) -> None:
    nvml = started(NODE)
    first, last = nvml.gpu(0), nvml.gpu(2)
    nvml.set(NODE.with_gpu(0, temperature_celsius=91, processes=()))
    assert nvml.call("nvmlDeviceGetTemperature", first, 0) == 91
    assert nvml.call("nvmlDeviceGetComputeRunningProcesses", first) == []
    nvml.set(NODE.with_fields(gpus=NODE.gpus[1:]))
    assert nvml.call("nvmlDeviceGetCount") == 2
    assert nvml.call("nvmlDeviceGetIndex", last) == 1
    assert nvml.call("nvmlDeviceGetUUID", last) == DIVIDED.uuid
    assert error_of(nvml, "nvmlDeviceGetName", first) == ("NVMLError_GpuIsLost", 15)
    nvml.set(NODE)
    assert nvml.call("nvmlDeviceGetName", first) == WHOLE.name


def test_a_mig_device_that_is_no_more_has_no_valid_handle(started: Start) -> None:
    nvml = started(NODE)
    instance = nvml.keep("nvmlDeviceGetHandleByUUID", INSTANCES[0].uuid)
    nvml.set(NODE.with_gpu(2, instances=(INSTANCES[1],)))
    assert error_of(nvml, "nvmlDeviceGetName", instance) == ("NVMLError_InvalidArgument", 2)


FAILURES = [
    ("one function", Failure(function="nvmlDeviceGetTemperature", code=999), {"Temperature"}, {"Unknown"}),
    ("all its versions", Failure(function="nvmlDeviceGetMemoryInfo", code=4), {"MemoryInfo"}, {"NoPermission"}),
    ("that are not there", Failure(function="nvmlDeviceGetName", code=13), {"Name"}, {"FunctionNotFound"}),
    ("another version", Failure(function="nvmlDeviceGetMemoryInfo_v2", code=4), set[str](), set[str]()),
    ("another GPU", Failure(function="*", code=15, gpu="1"), set[str](), set[str]()),
    ("by index", Failure(function="*", code=15, gpu="0"), {"Temperature", "MemoryInfo", "Name"}, {"GpuIsLost"}),
    ("by UUID", Failure(function="nvmlDeviceGetName", code=15, gpu=WHOLE.uuid), {"Name"}, {"GpuIsLost"}),
    ("everything", Failure(function="*", code=9), {"Temperature", "MemoryInfo", "Name"}, {"DriverNotLoaded"}),
]


@pytest.mark.parametrize(
    ("failure", "failing", "names"), [row[1:] for row in FAILURES], ids=[row[0] for row in FAILURES]
)
def test_functions_fail_as_the_file_says(started: Start, failure: Failure, failing: set[str], names: set[str]) -> None:
    nvml = started(NODE)
    gpu = nvml.gpu(0)
    nvml.set(NODE.with_fields(failures=[failure]))
    found: dict[str, str] = {}
    for function, arguments in (("Temperature", (0,)), ("MemoryInfo", ()), ("Name", ())):
        try:
            nvml.call(f"nvmlDeviceGet{function}", gpu, *arguments)
        except NvmlError as problem:
            found[function] = problem.name
    assert set(found) == failing
    assert set(found.values()) == {f"NVMLError_{name}" for name in names}
    nvml.set(NODE)
    assert nvml.call("nvmlDeviceGetName", gpu) == WHOLE.name


def test_a_lost_gpu_is_not_handed_out_and_its_neighbours_are(started: Start) -> None:
    nvml = started(NODE.with_fields(failures=[Failure(function="*", code=15, gpu="1")]))
    assert nvml.call("nvmlDeviceGetCount") == 3
    assert error_of(nvml, "nvmlDeviceGetHandleByIndex", 1)[0] == "NVMLError_GpuIsLost"
    assert error_of(nvml, "nvmlDeviceGetHandleByUUID", BARE.uuid)[0] == "NVMLError_GpuIsLost"
    assert nvml.call("nvmlDeviceGetName", nvml.gpu(2)) == DIVIDED.name


def test_a_function_hangs_until_the_file_lets_it_go(started: Start) -> None:
    nvml = started(NODE)
    gpu = nvml.gpu(0)
    forever = NODE.with_fields(hangs=[Hang(function="nvmlDeviceGetName", seconds=1e6, gpu="0")])
    nvml.set(forever)
    nvml.ask("&nvmlDeviceGetName", gpu)
    assert nvml.call("nvmlDeviceGetUUID", gpu) == WHOLE.uuid  # a call that hangs is in nobody's way
    assert nvml.call("nvmlDeviceGetName", nvml.gpu(2)) == DIVIDED.name
    nvml.set(NODE.with_gpu(0, name="Renamed"))
    assert nvml.answer() == "Renamed"
    nvml.set(NODE.with_fields(hangs=[Hang(function="nvmlDeviceGetName", seconds=0.01)]))
    assert nvml.call("nvmlDeviceGetName", gpu) == WHOLE.name


def test_events_come_once_and_in_order_to_those_who_registered_before(started: Start) -> None:
    old = GpuEvent(sequence=1, xid=13)
    node = NODE.with_gpu(0, events=(old,))
    nvml = started(node)
    events = nvml.keep("nvmlEventSetCreate")
    for index, types in ((0, XID | SINGLE_BIT), (2, XID)):
        nvml.call("nvmlDeviceRegisterEvents", nvml.gpu(index), types, events)
    assert error_of(nvml, "nvmlEventSetWait_v2", events, 0) == ("NVMLError_Timeout", 10)
    nvml.ask("nvmlEventSetWait_v2", events, 60_000)
    broken = INSTANCES[0].model_copy(update={"events": (GpuEvent(sequence=4, xid=43),)})
    told = (
        old,
        GpuEvent(sequence=5, xid=79),
        GpuEvent(sequence=3, kind="single-bit-ecc"),
        GpuEvent(sequence=2, kind="double-bit-ecc"),
    )
    nvml.set(node.with_gpu(0, events=told).with_gpu(2, instances=(broken, INSTANCES[1])))
    came = [nvml.answer(), *(nvml.call("nvmlEventSetWait_v2", events, 60_000) for _ in range(2))]
    assert [(event["device"], event["eventType"], event["eventData"]) for event in came] == [
        (WHOLE.uuid, SINGLE_BIT, 0),
        (DIVIDED.uuid, XID, 43),
        (WHOLE.uuid, XID, 79),
    ]
    assert [(event["gpuInstanceId"], event["computeInstanceId"]) for event in came] == [
        (NONE, NONE),
        (9, 1),
        (NONE, NONE),
    ]
    assert error_of(nvml, "nvmlEventSetWait_v2", events, 0)[0] == "NVMLError_Timeout"
    nvml.call("nvmlEventSetFree", events)
    assert error_of(nvml, "nvmlEventSetFree", events)[0] == "NVMLError_InvalidArgument"


def test_only_events_that_a_card_has_can_be_registered_for(started: Start) -> None:
    nvml = started(NODE)
    events = nvml.keep("nvmlEventSetCreate")
    assert error_of(nvml, "nvmlDeviceRegisterEvents", nvml.gpu(1), SINGLE_BIT, events)[0] == "NVMLError_NotSupported"
    nvml.call("nvmlDeviceRegisterEvents", nvml.gpu(1), XID, events)
    nvml.set(NODE.with_fields(failures=[Failure(function="nvmlEventSetWait", code=15)]))
    assert error_of(nvml, "nvmlEventSetWait_v2", events, 60_000)[0] == "NVMLError_GpuIsLost"


VISIBLE: list[tuple[str, list[str]]] = [
    ("all", [gpu.uuid for gpu in NODE.gpus]),
    ("void", []),
    (f"{DIVIDED.uuid},0", [WHOLE.uuid, DIVIDED.uuid]),
    (INSTANCES[1].uuid, [DIVIDED.uuid]),
]


@pytest.mark.parametrize(("value", "uuids"), VISIBLE, ids=["all", "void", "two", "instance"])
def test_a_container_sees_the_devices_it_was_given(started: Start, value: str, uuids: list[str]) -> None:
    nvml = started(NODE, NVIDIA_VISIBLE_DEVICES=value)
    assert nvml.call("nvmlDeviceGetCount") == len(uuids)
    seen = [nvml.gpu(index) for index in range(len(uuids))]
    assert [nvml.call("nvmlDeviceGetUUID", handle) for handle in seen] == uuids
    assert [nvml.call("nvmlDeviceGetIndex", handle) for handle in seen] == list(range(len(uuids)))
    if value == INSTANCES[1].uuid:
        assert nvml.call("nvmlDeviceGetUUID", nvml.keep("nvmlDeviceGetMigDeviceHandleByIndex", seen[0], 0)) == value
        assert error_of(nvml, "nvmlDeviceGetHandleByUUID", INSTANCES[0].uuid)[0] == "NVMLError_NotFound"


def test_functions_that_the_library_lacks_are_not_found(started: Start) -> None:
    nvml = started(NODE)
    assert error_of(nvml, "nvmlDeviceGetBrand", nvml.gpu(0)) == ("NVMLError_FunctionNotFound", 13)


def test_nothing_answers_before_init_and_after_shutdown(fake_library: Path, tmp_path: Path) -> None:
    with nvml_process(fake_library, tmp_path, NODE) as nvml:
        assert error_of(nvml, "nvmlDeviceGetCount") == ("NVMLError_Uninitialized", 1)
        nvml.call("nvmlInit")
        nvml.call("nvmlInit")
        nvml.call("nvmlShutdown")
        assert nvml.call("nvmlDeviceGetCount") == 3
        nvml.call("nvmlShutdown")
        assert error_of(nvml, "nvmlDeviceGetCount") == ("NVMLError_Uninitialized", 1)
        assert error_of(nvml, "nvmlShutdown") == ("NVMLError_Uninitialized", 1)


def test_without_a_file_there_is_no_driver(fake_library: Path, tmp_path: Path) -> None:
    with nvml_process(fake_library, tmp_path, None) as nvml:
        assert error_of(nvml, "nvmlInit") == ("NVMLError_DriverNotLoaded", 9)
        nvml.set(NODE)
        nvml.call("nvmlInit")
        assert nvml.call("nvmlDeviceGetCount") == 3


def test_a_file_that_is_not_in_order_is_an_unknown_error_until_it_is(started: Start) -> None:
    nvml = started(NODE)
    for text in (
        "gpu\n",
        "process 1\n",
        "gpu GPU-1\n  colour red\n",
        "gpu GPU-1\n  minor x\n",
        "fail nvmlInit\n",
        "x" * 9999,
    ):
        nvml.path.write_text(text)
        assert error_of(nvml, "nvmlDeviceGetCount") == ("NVMLError_Unknown", 999), text[:40]
    nvml.set(NODE)
    assert nvml.call("nvmlDeviceGetCount") == 3


def test_a_reader_never_sees_half_a_file(started: Start) -> None:
    nodes = [
        NODE.with_gpu(0, memory_total_mib=total, memory_reserved_mib=0, memory_used_mib=total) for total in (10, 20)
    ]
    nvml = started(nodes[0])
    gpu = nvml.gpu(0)
    for number in range(200):
        nvml.ask("nvmlDeviceGetMemoryInfo", gpu)
        nvml.set(nodes[number % 2])
        told = nvml.answer()
        assert told["used"] == told["total"] in (10 * MIB, 20 * MIB)
        assert nvml.call("nvmlDeviceGetMemoryInfo", gpu)["total"] == (10, 20)[number % 2] * MIB


def test_a_gpu_may_have_ten_thousand_processes(started: Start) -> None:
    crowd = tuple(GpuProcess(pid=pid, memory_used_mib=1, sm_percent=1) for pid in range(1, 10_001))
    nvml = started(products.node("n1", 1).with_gpu(0, processes=crowd))
    told = nvml.call("nvmlDeviceGetComputeRunningProcesses", nvml.gpu(0))
    assert [each["pid"] for each in told] == list(range(1, 10_001))
    assert len(nvml.call("nvmlDeviceGetProcessUtilization", nvml.gpu(0), 0)) == 10_000
