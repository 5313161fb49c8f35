"""What a reading is: values only. None: this GPU or driver does not say."""

from dataclasses import dataclass
from typing import Literal

DeviceState = Literal["ok", "lost", "reset_required", "failed", "unreadable"]
"""ok; fallen off the bus; usable after a reset only; ok but for a fatal XID; says nothing that makes sense."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory of a GPU or of a MIG instance, in bytes.

    `reserved_bytes` is what the driver keeps for itself; None: it is counted as used, as old drivers do.
    """

    total_bytes: int
    used_bytes: int
    free_bytes: int
    reserved_bytes: int | None


@dataclass(frozen=True, slots=True)
class Process:
    """A process on a GPU; `pid` is that of the host.

    `sm_percent` is the part of the time since the last reading in which its kernels ran.
    """

    pid: int
    used_bytes: int | None
    sm_percent: float | None


@dataclass(frozen=True, slots=True)
class MigInstance:
    """A MIG device, such as of the profile `1g.10gb`."""

    uuid: str
    profile: str
    gpu_instance: int | None
    memory: Memory | None
    processes: tuple[Process, ...]


@dataclass(frozen=True, slots=True)
class EccErrors:
    """Memory errors since the driver was loaded (`driver`) and in the GPU's life."""

    corrected_driver: int | None
    uncorrected_driver: int | None
    corrected_lifetime: int | None
    uncorrected_lifetime: int | None


@dataclass(frozen=True, slots=True)
class RemappedRows:
    """Rows of memory that were replaced; `pending`: some will be at the next reset; `failed`: no more spare ones."""

    corrected: int
    uncorrected: int
    pending: bool
    failed: bool


@dataclass(frozen=True, slots=True)
class Device:
    """A GPU. Of one that is lost only what was known of it before is told.

    Attributes:
        index: its number on this node; not the same for ever.
        uuid: `GPU-…`; empty: it never said.
        mig: its MIG instances; None: it is not in MIG mode.
        xids: XID errors since the agent started, with how often each came.
        last_xid: the last of them; 0: none; None: the GPU does not report any.
        not_supported: functions of NVML that it does not have.
    """

    index: int
    uuid: str
    name: str
    pci_bus_id: str
    state: DeviceState
    memory: Memory | None = None
    processes: tuple[Process, ...] = ()
    mig: tuple[MigInstance, ...] | None = None
    utilization_percent: int | None = None
    copy_utilization_percent: int | None = None
    encoder_utilization_percent: int | None = None
    decoder_utilization_percent: int | None = None
    temperature_celsius: int | None = None
    memory_temperature_celsius: int | None = None
    power_milliwatts: int | None = None
    power_limit_milliwatts: int | None = None
    energy_millijoules: int | None = None
    sm_clock_mhz: int | None = None
    memory_clock_mhz: int | None = None
    pcie_replays: int | None = None
    ecc: EccErrors | None = None
    remapped_rows: RemappedRows | None = None
    xids: tuple[tuple[int, int], ...] = ()
    last_xid: int | None = None
    not_supported: tuple[str, ...] = ()

    @property
    def is_told(self) -> bool:
        """Whether the driver says which GPU it is, and what it has."""
        return bool(self.uuid) and self.state in ("ok", "failed")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All GPUs of a node at one time.

    Attributes:
        driver_version: such as 580.95.05; empty: it does not say.
        devices: by index.
    """

    driver_version: str
    devices: tuple[Device, ...]
