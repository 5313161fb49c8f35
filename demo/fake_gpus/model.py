"""What a node with GPUs has, as the fake library and the fake device plugin tell it.

`None` means that the device does not support what is asked for, as with a passively cooled card's fan. Numbers are
held to what NVML's types can carry, not to what is plausible: tests report 250 % of a GPU on purpose. The names of the
fields are the keys of the file (`demo.fake_gpus.state`), and each says its unit.
"""

import collections
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from demo.fake_gpus.fields import Counter, Function, Integer, Mebibytes, Number, Pid, Switch, Text, Word


class Part(BaseModel):
    """A part of a node's state; it never changes, `model_copy(update=…)` makes another one."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class GpuProcess(Part):
    """A process that uses a GPU or a MIG instance.

    Attributes:
        pid: in the host's pid namespace.
        kind: in which of NVML's lists it is.
        memory_used_mib: MiB of the device's memory.
        sm_percent: of the time of the last sample; NVML has no sample of a process that used nothing.
        memory_percent: likewise, of the memory's bandwidth.
        encoder_percent: likewise.
        decoder_percent: likewise.
    """

    pid: Pid
    kind: Literal["compute", "graphics", "mps"] = "compute"
    memory_used_mib: Mebibytes | None = None
    sm_percent: Number | None = None
    memory_percent: Number | None = None
    encoder_percent: Number | None = None
    decoder_percent: Number | None = None


class GpuEvent(Part):
    """Something that happened to a device.

    Whoever registered for events before it came into the file is told once.

    Attributes:
        sequence: tells it from others of the node; later ones have higher numbers.
        kind: which of NVML's event types.
        xid: the number of the XID error; 0 for other kinds.
    """

    sequence: Annotated[Integer, Field(ge=1, lt=2**63)]
    kind: Literal["xid", "single-bit-ecc", "double-bit-ecc"] = "xid"
    xid: Counter = 0


class Device(Part):
    """What GPUs and MIG instances have in common.

    Attributes:
        uuid: as NVML and the device plugin call it.
        healthy: whether the device plugin offers it as healthy.
        memory_total_mib: MiB, with what is reserved.
        memory_reserved_mib: MiB that driver and firmware keep for themselves.
        memory_used_mib: MiB that processes have, without what is reserved.
        processes: that use it.
        events: that happened to it, in any order.
    """

    uuid: Word
    healthy: Switch = True
    memory_total_mib: Mebibytes | None
    memory_reserved_mib: Mebibytes = 0
    memory_used_mib: Mebibytes = 0
    processes: tuple[GpuProcess, ...] = ()
    events: tuple[GpuEvent, ...] = ()


class MigInstance(Device):
    """A MIG device: a compute instance in a GPU instance.

    Attributes:
        profile: such as 1g.10gb; the device plugin's resource is `nvidia.com/mig-1g.10gb`.
        gpu_instance: id of the GPU instance.
        compute_instance: id of the compute instance in it.
        slices: of the GPU that it has.
        multiprocessors: that it has.
    """

    profile: Annotated[str, StringConstraints(pattern=r"^\d+g\.\d+gb(\+[a-z]+)?$")]
    gpu_instance: Number
    compute_instance: Number = 0
    slices: Number
    multiprocessors: Number


class Gpu(Device):
    """A GPU.

    Attributes:
        name: product name.
        minor: the number in /dev/nvidiaN.
        pci_bus_id: such as 0000:3B:00.0.
        numa: NUMA node that the device plugin reports; None reports none.
        compute_major: CUDA compute capability.
        compute_minor: likewise.
        mig: whether MIG mode is on; None: a product without MIG.
        ecc: whether ECC is on; None: a product without.
        gpu_percent: of the time of the last sample in which a kernel ran.
        memory_percent: of the time in which memory was read or written.
        encoder_percent: use of the video encoder.
        decoder_percent: use of the video decoder.
        temperature_celsius: of the chip.
        memory_temperature_celsius: of the memory.
        power_milliwatts: drawn now.
        power_limit_milliwatts: enforced.
        energy_millijoules: since the driver was loaded.
        fan_percent: of its highest speed.
        graphics_clock_mhz: now; likewise the other clocks.
        pcie_replays: so far.
        volatile_corrected_errors: ECC errors since the driver was loaded.
        volatile_uncorrected_errors: likewise.
        aggregate_corrected_errors: ECC errors over the card's life.
        aggregate_uncorrected_errors: likewise.
        remapped_corrected_rows: of memory, after corrected errors; None: a product without row remapping.
        remapped_uncorrected_rows: after uncorrected errors.
        remapping_pending: whether rows wait for a reset to be remapped.
        remapping_failed: whether a row could not be remapped.
        instances: the MIG devices, in the order of their indices.
    """

    name: Text
    minor: Number | None = None
    pci_bus_id: Annotated[str, StringConstraints(pattern=r"^[0-9A-F]{4,8}:[0-9A-F]{2}:[0-9A-F]{2}\.0$")] | None = None
    numa: Number | None = None
    compute_major: Number | None = None
    compute_minor: Number | None = None
    mig: Switch | None = None
    ecc: Switch | None = None
    gpu_percent: Number | None = None
    memory_percent: Number | None = None
    encoder_percent: Number | None = None
    decoder_percent: Number | None = None
    temperature_celsius: Number | None = None
    memory_temperature_celsius: Number | None = None
    power_milliwatts: Number | None = None
    power_limit_milliwatts: Number | None = None
    energy_millijoules: Counter | None = None
    fan_percent: Number | None = None
    graphics_clock_mhz: Number | None = None
    sm_clock_mhz: Number | None = None
    memory_clock_mhz: Number | None = None
    video_clock_mhz: Number | None = None
    pcie_replays: Number | None = None
    volatile_corrected_errors: Counter | None = None
    volatile_uncorrected_errors: Counter | None = None
    aggregate_corrected_errors: Counter | None = None
    aggregate_uncorrected_errors: Counter | None = None
    remapped_corrected_rows: Number | None = None
    remapped_uncorrected_rows: Number | None = None
    remapping_pending: Switch | None = None
    remapping_failed: Switch | None = None
    instances: tuple[MigInstance, ...] = ()


class Failure(Part):
    """An NVML function that answers with an error.

    Attributes:
        function: its name; `nvmlDeviceGetMemoryInfo` stands for its versions (`…_v2`), too, and `*` for every function.
        code: a number of NVML's `nvmlReturn_t`: 3 not supported, 9 driver not loaded, 13 function not found, 15 GPU is
            lost, 18 driver and library do not match, 999 unknown.
        gpu: index or UUID of the only device for which it is so; None: for all calls.
    """

    function: Function
    code: Annotated[Integer, Field(ge=1, le=999)]
    gpu: Word | None = None


class Hang(Part):
    """An NVML function that does not return for a while, or until the file says otherwise.

    Attributes:
        function: as in `Failure`.
        seconds: how long.
        gpu: as in `Failure`.
    """

    function: Function
    seconds: Annotated[float, Field(gt=0, lt=1e9, allow_inf_nan=False)]
    gpu: Word | None = None


class NodeState(Part):
    """All that a node has.

    Attributes:
        driver: version of the driver.
        nvml: version of the library.
        cuda: highest version of CUDA, as NVML tells it: 13000 is 13.0.
        gpus: in the order of their indices.
        failures: functions that fail.
        hangs: functions that hang.
    """

    driver: Word = "580.95.05"
    nvml: Word = "13.580.95.05"
    cuda: Annotated[Integer, Field(ge=0, lt=2**31)] = 13000
    gpus: tuple[Gpu, ...] = ()
    failures: tuple[Failure, ...] = ()
    hangs: tuple[Hang, ...] = ()

    def devices(self) -> Iterator[Device]:
        """Every GPU, each followed by its MIG instances."""
        for gpu in self.gpus:
            yield gpu
            yield from gpu.instances

    def with_gpu(self, index: int, **changes: object) -> Self:
        """The same node but for some fields of a GPU.

        Raises:
            pydantic.ValidationError: a field does not exist or may not have the value.
        """
        gpu = Gpu.model_validate({**dict(self.gpus[index]), **changes})
        return self.with_fields(gpus=(*self.gpus[:index], gpu, *self.gpus[index + 1 :]))

    def with_fields(self, **changes: object) -> Self:
        """The same node but for some fields.

        Raises:
            pydantic.ValidationError: a field does not exist or may not have the value.
        """
        return type(self).model_validate({**dict(self), **changes})

    @model_validator(mode="after")
    def _unambiguous(self) -> Self:
        _unique("uuid", [device.uuid for device in self.devices()])
        _unique("event", [event.sequence for device in self.devices() for event in device.events])
        for gpu in self.gpus:
            if gpu.instances and not gpu.mig:
                message = f"gpu {gpu.uuid}: mig: it has MIG instances, so it must be 'yes'"
                raise ValueError(message)
        return self


def _unique(what: str, values: Sequence[object]) -> None:
    for value, times in collections.Counter(values).items():
        if times > 1:
            message = f"{what}: {value} is there {times} times, and must be unique on a node"
            raise ValueError(message)
