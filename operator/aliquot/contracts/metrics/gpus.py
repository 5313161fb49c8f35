"""Metrics of GPUs, in base units."""

from typing import Final

from aliquot.contracts.metrics.model import Metric, Type

GPU_LABELS: Final = ("node", "gpu", "uuid")
"""Node's name, index of the GPU on it, and its UUID."""
MIG_LABELS: Final = (*GPU_LABELS, "mig_uuid", "profile")


def _gpu(name: str, unit: str, text: str, *more: str, kind: Type = "gauge") -> Metric:
    return Metric(f"aliquot_gpu_{name}", kind, unit, (*GPU_LABELS, *more), text)


UTILIZATION: Final = _gpu("utilization_ratio", "0 to 1", "Part of the last sample in which a kernel ran.")
COPY_UTILIZATION: Final = _gpu(
    "memory_copy_utilization_ratio", "0 to 1", "Part of the last sample in which device memory was read or written."
)
ENCODER_UTILIZATION: Final = _gpu("encoder_utilization_ratio", "0 to 1", "Part of the last sample the encoder worked.")
DECODER_UTILIZATION: Final = _gpu("decoder_utilization_ratio", "0 to 1", "Part of the last sample the decoder worked.")
MEMORY_TOTAL: Final = _gpu("memory_total_bytes", "bytes", "Memory of the GPU.")
MEMORY_USED: Final = _gpu(
    "memory_used_bytes",
    "bytes",
    "Memory in use, without what the driver reserves for itself; with it where the driver does not tell them apart.",
)
MEMORY_FREE: Final = _gpu("memory_free_bytes", "bytes", "Memory that is free.")
MEMORY_RESERVED: Final = _gpu("memory_reserved_bytes", "bytes", "Memory that the driver reserves for itself.")
TEMPERATURE: Final = _gpu("temperature_celsius", "°C", "Temperature of the GPU.")
MEMORY_TEMPERATURE: Final = _gpu("memory_temperature_celsius", "°C", "Temperature of its memory.")
POWER: Final = _gpu("power_watts", "W", "Power drawn.")
POWER_LIMIT: Final = _gpu("power_limit_watts", "W", "Power that may be drawn.")
ENERGY: Final = _gpu("energy_joules_total", "J", "Energy used since the driver was loaded.", kind="counter")
SM_CLOCK: Final = _gpu("sm_clock_hertz", "Hz", "Clock of the multiprocessors.")
MEMORY_CLOCK: Final = _gpu("memory_clock_hertz", "Hz", "Clock of the memory.")
PCIE_REPLAYS: Final = _gpu("pcie_replays_total", "packets", "Packets that were sent again over PCIe.", kind="counter")
ECC_ERRORS: Final = _gpu(
    "ecc_errors_total",
    "errors",
    "Memory errors: severity corrected or uncorrected; period driver (since it was loaded) or lifetime.",
    "severity",
    "period",
    kind="counter",
)
REMAPPED_ROWS: Final = _gpu(
    "remapped_rows",
    "rows",
    "Rows of memory that were replaced after errors: severity corrected or uncorrected.",
    "severity",
)
ROW_REMAP_FAILED: Final = _gpu(
    "row_remap_failed", "0 or 1", "Whether a row could not be replaced: the GPU is worn out."
)
ROW_REMAP_PENDING: Final = _gpu("row_remap_pending", "0 or 1", "Whether rows will be replaced when the GPU is reset.")
XID_ERRORS: Final = _gpu(
    "xid_errors_total",
    "events",
    "XID errors that the driver reported since the agent started, by number.",
    "xid",
    kind="counter",
)
STATE: Final = _gpu(
    "state",
    "0 or 1",
    "1 for the state that the GPU is in: ok, lost, reset_required, failed (a fatal XID) or unreadable.",
    "state",
)
INFO: Final = _gpu("info", "1", "What the GPU is.", "model", "pci_bus_id", "driver_version", "mig_mode")
NOT_SUPPORTED: Final = _gpu(
    "not_supported_info",
    "1",
    "A function of NVML that this GPU or driver does not have; its readings are absent.",
    "function",
)
ALLOCATED: Final = _gpu("allocated_ratio", "GPUs", "How much of the GPU pods were given, whole or in parts.")
STRAY_MEMORY: Final = _gpu(
    "stray_memory_bytes", "bytes", "Memory that is in use by processes which belong to no pod that was given the GPU."
)
STRAY_PROCESSES: Final = _gpu("stray_processes", "processes", "How many such processes there are.")
LAST_USED: Final = _gpu("last_used_timestamp_seconds", "Unix time", "When a kernel was last seen to run.")
MIG_MEMORY_TOTAL: Final = Metric(
    "aliquot_gpu_mig_memory_total_bytes", "gauge", "bytes", MIG_LABELS, "Memory of a MIG instance."
)
MIG_MEMORY_USED: Final = Metric(
    "aliquot_gpu_mig_memory_used_bytes", "gauge", "bytes", MIG_LABELS, "Memory in use in a MIG instance."
)

GPUS: Final = (
    INFO, STATE, NOT_SUPPORTED, UTILIZATION, COPY_UTILIZATION, ENCODER_UTILIZATION, DECODER_UTILIZATION, MEMORY_TOTAL,
    MEMORY_USED, MEMORY_FREE, MEMORY_RESERVED, MIG_MEMORY_TOTAL, MIG_MEMORY_USED, TEMPERATURE, MEMORY_TEMPERATURE,
    POWER, POWER_LIMIT, ENERGY, SM_CLOCK, MEMORY_CLOCK, PCIE_REPLAYS, ECC_ERRORS, REMAPPED_ROWS, ROW_REMAP_FAILED,
    ROW_REMAP_PENDING, XID_ERRORS, ALLOCATED, STRAY_MEMORY, STRAY_PROCESSES, LAST_USED,
)  # fmt: skip
