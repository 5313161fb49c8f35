"""What NVML says of one GPU, as samples: in base units under our names, and as dcgm-exporter has it.

A table: which two metrics, which field of the device, and what its unit is worth in each of the two.
"""

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias, get_args

from aliquot.agent.attribution import DeviceUse
from aliquot.agent.nvml import Device, DeviceState, Memory, MigInstance
from aliquot.contracts.metrics import Metric, dcgm, gpus

Sample: TypeAlias = tuple[Metric, tuple[str, ...], float]
_Labels: TypeAlias = tuple[str, ...]

_MIB: Final = 1 << 20


def _of_memory(field: Callable[[Memory], int | None]) -> Callable[[Device], int | None]:
    return lambda device: None if device.memory is None else field(device.memory)


_READINGS: Final[tuple[tuple[Metric, float, Metric, float, Callable[[Device], int | None]], ...]] = (
    (gpus.UTILIZATION, 0.01, dcgm.UTILIZATION, 1, lambda device: device.utilization_percent),
    (gpus.COPY_UTILIZATION, 0.01, dcgm.COPY_UTILIZATION, 1, lambda device: device.copy_utilization_percent),
    (gpus.ENCODER_UTILIZATION, 0.01, dcgm.ENCODER_UTILIZATION, 1, lambda device: device.encoder_utilization_percent),
    (gpus.DECODER_UTILIZATION, 0.01, dcgm.DECODER_UTILIZATION, 1, lambda device: device.decoder_utilization_percent),
    (gpus.MEMORY_TOTAL, 1, dcgm.MEMORY_TOTAL, 1 / _MIB, _of_memory(lambda memory: memory.total_bytes)),
    (gpus.MEMORY_USED, 1, dcgm.MEMORY_USED, 1 / _MIB, _of_memory(lambda memory: memory.used_bytes)),
    (gpus.MEMORY_FREE, 1, dcgm.MEMORY_FREE, 1 / _MIB, _of_memory(lambda memory: memory.free_bytes)),
    (gpus.MEMORY_RESERVED, 1, dcgm.MEMORY_RESERVED, 1 / _MIB, _of_memory(lambda memory: memory.reserved_bytes)),
    (gpus.TEMPERATURE, 1, dcgm.TEMPERATURE, 1, lambda device: device.temperature_celsius),
    (gpus.MEMORY_TEMPERATURE, 1, dcgm.MEMORY_TEMPERATURE, 1, lambda device: device.memory_temperature_celsius),
    (gpus.POWER, 0.001, dcgm.POWER, 0.001, lambda device: device.power_milliwatts),
    (gpus.POWER_LIMIT, 0.001, dcgm.POWER_LIMIT, 0.001, lambda device: device.power_limit_milliwatts),
    (gpus.ENERGY, 0.001, dcgm.ENERGY, 1, lambda device: device.energy_millijoules),
    (gpus.SM_CLOCK, 1e6, dcgm.SM_CLOCK, 1, lambda device: device.sm_clock_mhz),
    (gpus.MEMORY_CLOCK, 1e6, dcgm.MEMORY_CLOCK, 1, lambda device: device.memory_clock_mhz),
    (gpus.PCIE_REPLAYS, 1, dcgm.PCIE_REPLAYS, 1, lambda device: device.pcie_replays),
)


def samples(node: str, driver_version: str, use: DeviceUse) -> Iterator[Sample]:
    """Everything that NVML says of a GPU."""
    device = use.device
    ours = (node, str(device.index), device.uuid)
    holder, container = use.sole if use.sole is not None else (None, "")
    whole = (
        str(device.index),
        device.uuid,
        device.pci_bus_id,
        f"nvidia{device.index}",
        device.name,
        node,
        driver_version,
    )
    theirs = (*whole, "", "", container, *((holder.namespace, holder.name) if holder else ("", "")))
    mig_mode = "enabled" if device.mig is not None else "disabled"
    yield gpus.INFO, (*ours, device.name, device.pci_bus_id, driver_version, mig_mode), 1
    for state in get_args(DeviceState):
        yield gpus.STATE, (*ours, state), device.state == state
    for function in device.not_supported:
        yield gpus.NOT_SUPPORTED, (*ours, function), 1
    for metric, factor, compatible, compatible_factor, field in _READINGS:
        value = field(device)
        if value is not None:
            yield metric, ours, value * factor
            yield compatible, theirs, value * compatible_factor
    yield from _errors(device, ours, theirs)
    for instance in device.mig or ():
        yield from _of_mig(instance, ours, whole)


def _errors(device: Device, ours: _Labels, theirs: _Labels) -> Iterator[Sample]:
    if device.ecc is not None:
        for severity, period, compatible, value in (
            ("corrected", "driver", dcgm.ECC_SBE_VOLATILE, device.ecc.corrected_driver),
            ("uncorrected", "driver", dcgm.ECC_DBE_VOLATILE, device.ecc.uncorrected_driver),
            ("corrected", "lifetime", dcgm.ECC_SBE_LIFETIME, device.ecc.corrected_lifetime),
            ("uncorrected", "lifetime", dcgm.ECC_DBE_LIFETIME, device.ecc.uncorrected_lifetime),
        ):
            if value is not None:
                yield gpus.ECC_ERRORS, (*ours, severity, period), value
                yield compatible, theirs, value
    if device.remapped_rows is not None:
        rows = device.remapped_rows
        yield gpus.REMAPPED_ROWS, (*ours, "corrected"), rows.corrected
        yield gpus.REMAPPED_ROWS, (*ours, "uncorrected"), rows.uncorrected
        yield gpus.ROW_REMAP_PENDING, ours, rows.pending
        yield gpus.ROW_REMAP_FAILED, ours, rows.failed
        yield dcgm.ROWS_CORRECTED, theirs, rows.corrected
        yield dcgm.ROWS_UNCORRECTED, theirs, rows.uncorrected
        yield dcgm.ROW_REMAP_FAILURE, theirs, rows.failed
    for xid, count in device.xids:
        yield gpus.XID_ERRORS, (*ours, str(xid)), count
    if device.last_xid is not None:
        yield dcgm.XID, theirs, device.last_xid


def _of_mig(instance: MigInstance, ours: _Labels, whole: _Labels) -> Iterator[Sample]:
    if instance.memory is None:
        return
    number = "" if instance.gpu_instance is None else str(instance.gpu_instance)
    mine = (*ours, instance.uuid, instance.profile)
    theirs = (*whole, instance.profile, number, "", "", "")
    memory = instance.memory
    yield gpus.MIG_MEMORY_TOTAL, mine, memory.total_bytes
    yield gpus.MIG_MEMORY_USED, mine, memory.used_bytes
    yield dcgm.MEMORY_TOTAL, theirs, memory.total_bytes / _MIB
    yield dcgm.MEMORY_USED, theirs, memory.used_bytes / _MIB
    yield dcgm.MEMORY_FREE, theirs, memory.free_bytes / _MIB
