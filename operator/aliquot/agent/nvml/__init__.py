"""What NVML says of a node's GPUs, as one typed value that does not change: a `Snapshot`.

Units are in the names. What a GPU or driver does not support is None, never 0. `Session.read` is called in a thread of
its own, as a driver may not answer for minutes; it raises `NvmlError` where nothing at all can be read, and may be
called again.
"""

from aliquot.agent.nvml.calls import Ledger, NvmlError
from aliquot.agent.nvml.library import Library, load
from aliquot.agent.nvml.session import Session
from aliquot.agent.nvml.snapshot import (
    Device,
    DeviceState,
    EccErrors,
    Memory,
    MigInstance,
    Process,
    RemappedRows,
    Snapshot,
)

__all__ = [
    "Device",
    "DeviceState",
    "EccErrors",
    "Ledger",
    "Library",
    "Memory",
    "MigInstance",
    "NvmlError",
    "Process",
    "RemappedRows",
    "Session",
    "Snapshot",
    "load",
]
