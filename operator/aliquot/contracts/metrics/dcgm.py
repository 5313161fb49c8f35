"""Metrics named as by NVIDIA's dcgm-exporter, with its units and labels: what plain NVML can give of its default set.

As its documentation lists them; what grows there without ending in `_total` is `untyped` here.
"""

from typing import Final

from aliquot.contracts.metrics import gpus
from aliquot.contracts.metrics.model import Metric, Type

LABELS: Final = (
    "gpu",
    "UUID",
    "pci_bus_id",
    "device",
    "modelName",
    "Hostname",
    "DCGM_FI_DRIVER_VERSION",
    "GPU_I_PROFILE",
    "GPU_I_ID",
    "container",
    "namespace",
    "pod",
)
"""As dcgm-exporter has them. Those of MIG are empty for a whole GPU; those of a pod where none holds it alone."""


def _dcgm(name: str, unit: str, text: str, twin: Metric, kind: Type = "gauge") -> Metric:
    return Metric(f"DCGM_FI_DEV_{name}", kind, unit, LABELS, text, twin=twin.name)


UTILIZATION: Final = _dcgm("GPU_UTIL", "%", "GPU utilization.", gpus.UTILIZATION)
COPY_UTILIZATION: Final = _dcgm("MEM_COPY_UTIL", "%", "Memory utilization.", gpus.COPY_UTILIZATION)
ENCODER_UTILIZATION: Final = _dcgm("ENC_UTIL", "%", "Encoder utilization.", gpus.ENCODER_UTILIZATION)
DECODER_UTILIZATION: Final = _dcgm("DEC_UTIL", "%", "Decoder utilization.", gpus.DECODER_UTILIZATION)
MEMORY_TOTAL: Final = _dcgm("FB_TOTAL", "MiB", "Memory of the GPU.", gpus.MEMORY_TOTAL)
MEMORY_USED: Final = _dcgm("FB_USED", "MiB", "Memory in use.", gpus.MEMORY_USED)
MEMORY_FREE: Final = _dcgm("FB_FREE", "MiB", "Memory that is free.", gpus.MEMORY_FREE)
MEMORY_RESERVED: Final = _dcgm("FB_RESERVED", "MiB", "Memory that the driver reserves.", gpus.MEMORY_RESERVED)
TEMPERATURE: Final = _dcgm("GPU_TEMP", "°C", "Temperature of the GPU.", gpus.TEMPERATURE)
MEMORY_TEMPERATURE: Final = _dcgm("MEMORY_TEMP", "°C", "Temperature of its memory.", gpus.MEMORY_TEMPERATURE)
POWER: Final = _dcgm("POWER_USAGE", "W", "Power drawn.", gpus.POWER)
POWER_LIMIT: Final = _dcgm("POWER_MGMT_LIMIT", "W", "Power that may be drawn.", gpus.POWER_LIMIT)
ENERGY: Final = _dcgm(
    "TOTAL_ENERGY_CONSUMPTION", "mJ", "Energy used since the driver was loaded.", gpus.ENERGY, "untyped"
)
SM_CLOCK: Final = _dcgm("SM_CLOCK", "MHz", "Clock of the multiprocessors.", gpus.SM_CLOCK)
MEMORY_CLOCK: Final = _dcgm("MEM_CLOCK", "MHz", "Clock of the memory.", gpus.MEMORY_CLOCK)
PCIE_REPLAYS: Final = _dcgm("PCIE_REPLAY_COUNTER", "packets", "PCIe retries.", gpus.PCIE_REPLAYS, "untyped")
ECC_SBE_VOLATILE: Final = _dcgm(
    "ECC_SBE_VOL_TOTAL", "errors", "Corrected memory errors since the driver was loaded.", gpus.ECC_ERRORS, "untyped"
)
ECC_DBE_VOLATILE: Final = _dcgm(
    "ECC_DBE_VOL_TOTAL", "errors", "Uncorrected memory errors since the driver was loaded.", gpus.ECC_ERRORS, "untyped"
)
ECC_SBE_LIFETIME: Final = _dcgm(
    "ECC_SBE_AGG_TOTAL", "errors", "Corrected memory errors in the GPU's life.", gpus.ECC_ERRORS, "untyped"
)
ECC_DBE_LIFETIME: Final = _dcgm(
    "ECC_DBE_AGG_TOTAL", "errors", "Uncorrected memory errors in the GPU's life.", gpus.ECC_ERRORS, "untyped"
)
ROWS_CORRECTED: Final = _dcgm(
    "CORRECTABLE_REMAPPED_ROWS", "rows", "Rows replaced after correctable errors.", gpus.REMAPPED_ROWS, "untyped"
)
ROWS_UNCORRECTED: Final = _dcgm(
    "UNCORRECTABLE_REMAPPED_ROWS", "rows", "Rows replaced after uncorrectable errors.", gpus.REMAPPED_ROWS, "untyped"
)
ROW_REMAP_FAILURE: Final = _dcgm(
    "ROW_REMAP_FAILURE", "0 or 1", "Whether a row could not be replaced.", gpus.ROW_REMAP_FAILED
)
XID: Final = _dcgm(
    "XID_ERRORS", "XID", "Number of the last XID error; 0: none since the agent started.", gpus.XID_ERRORS
)

DCGM: Final = (
    SM_CLOCK, MEMORY_CLOCK, MEMORY_TEMPERATURE, TEMPERATURE, POWER, POWER_LIMIT,
    ENERGY, PCIE_REPLAYS, UTILIZATION, COPY_UTILIZATION, ENCODER_UTILIZATION,
    DECODER_UTILIZATION, XID, MEMORY_FREE, MEMORY_USED, MEMORY_RESERVED, MEMORY_TOTAL,
    ECC_SBE_VOLATILE, ECC_DBE_VOLATILE, ECC_SBE_LIFETIME, ECC_DBE_LIFETIME, ROWS_UNCORRECTED,
    ROWS_CORRECTED, ROW_REMAP_FAILURE,
)  # fmt: skip
