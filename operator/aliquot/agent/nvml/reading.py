"""One GPU, read once: every function on its own, so that what one of them lacks costs the others nothing."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Final

from aliquot.agent.nvml import library as nvml
from aliquot.agent.nvml.calls import LACKING, Calls
from aliquot.agent.nvml.library import Handle, Library, RunningProcess
from aliquot.agent.nvml.snapshot import EccErrors, Memory, MigInstance, Process, RemappedRows

UUID: Final = re.compile(r"(GPU|MIG)-[0-9A-Za-z./-]{1,90}")
_PROFILE: Final = re.compile(r"MIG (\S+)$")
_MOST_BYTES: Final = 1 << 50
_MOST_PERCENT: Final = 100
_MOST_DEGREES: Final = 200
_MOST_MILLIWATTS: Final = 100_000_000
_MOST_MEGAHERTZ: Final = 100_000
_MOST_EVENTS: Final = 1 << 62
_MOST_PID: Final = 1 << 22
"""Linux has no larger process ids."""
_MOST_MIG: Final = 64
MOST_PROCESSES: Final = 16_384
"""Of one GPU so many are looked at; a reading has to end."""


def pci_bus_id(library: Library, handle: Handle, calls: Calls) -> str:
    """Such as 00000000:3B:00.0; empty: it does not say."""

    @wraps(library.nvmlDeviceGetPciInfo)
    def bus_id(device: Handle) -> str:
        return library.nvmlDeviceGetPciInfo(device).busId

    return calls.text(bus_id, handle)


def memory(library: Library, handle: Handle, calls: Calls) -> Memory | None:
    """Memory of a GPU or MIG device; by the second version of the call, which tells reserved memory apart."""
    function = library.nvmlDeviceGetMemoryInfo
    answer = calls.attempt(function, handle, nvml.MEMORY_V2)
    if answer is LACKING:
        answer, reserved = calls.ask(function, handle), None
    else:
        reserved = None if answer is None else int(getattr(answer, "reserved", 0))
    if answer is None:
        return None
    found = Memory(answer.total, answer.used, answer.free, reserved)
    if (
        not 0 < found.total_bytes <= _MOST_BYTES
        or max(found.used_bytes, found.free_bytes, reserved or 0) > found.total_bytes
    ):
        calls.ledger.refuse(function.__name__, found)
        return None
    return found


def processes(library: Library, handle: Handle, calls: Calls, since_us: int) -> tuple[Process, ...]:
    """Who runs on a GPU or MIG device, by process id: those that compute, that draw, and clients of MPS.

    Utilization counts from `since_us` on, in microseconds since 1970.
    """
    used: dict[int, int | None] = {}
    for found in (
        _computing(library, handle, calls),
        calls.ask(library.nvmlDeviceGetGraphicsRunningProcesses, handle),
        calls.ask(library.nvmlDeviceGetMPSComputeRunningProcesses, handle),
    ):
        for each in (found or ())[:MOST_PROCESSES]:
            if not 0 < each.pid <= _MOST_PID:
                calls.ledger.refuse("running processes: pid", each.pid)
                continue
            size = calls.plausible(_MOST_BYTES, "running processes: memory", each.usedGpuMemory)
            before = used.get(each.pid)
            used[each.pid] = size if before is None else max(size or 0, before)
    if not used:
        return ()
    busy = _busy(library, handle, calls, since_us)
    return tuple(
        Process(pid, used[pid], None if busy is None else busy.get(pid, 0.0)) for pid in sorted(used)[:MOST_PROCESSES]
    )


def _computing(library: Library, handle: Handle, calls: Calls) -> Sequence[RunningProcess] | None:
    answer = calls.attempt(library.nvmlDeviceGetComputeRunningProcesses, handle)
    return calls.ask(library.nvmlDeviceGetComputeRunningProcesses_v2, handle) if answer is LACKING else answer


def _busy(library: Library, handle: Handle, calls: Calls, since_us: int) -> Mapping[int, float] | None:
    """Percent of the time by process; who is not in it did nothing. None: the GPU does not tell."""
    function = library.nvmlDeviceGetProcessUtilization
    samples = calls.attempt(function, handle, since_us)
    if samples is LACKING:
        calls.lack(function.__name__)
        return None
    found: dict[int, list[int]] = {}
    for sample in samples or ():
        percent = calls.plausible(_MOST_PERCENT, function.__name__, sample.smUtil)
        if percent is not None:
            found.setdefault(sample.pid, []).append(percent)
    return {pid: sum(percents) / len(percents) for pid, percents in found.items()}


def mig_instances(library: Library, handle: Handle, calls: Calls) -> tuple[MigInstance, ...] | None:
    """The MIG devices of a GPU; None: it is not in MIG mode, or does not have it."""
    mode = calls.ask(library.nvmlDeviceGetMigMode, handle)
    if mode is None or mode[0] != nvml.MIG_ENABLED:
        return None
    most = calls.count(_MOST_MIG, library.nvmlDeviceGetMaxMigDeviceCount, handle) or 0
    found: list[MigInstance] = []
    for index in range(most):
        instance = calls.ask(library.nvmlDeviceGetMigDeviceHandleByIndex, handle, index)
        if instance is None:
            continue
        uuid = calls.text(library.nvmlDeviceGetUUID, instance)
        if not UUID.fullmatch(uuid):
            calls.ledger.refuse("nvmlDeviceGetUUID", uuid)
            continue
        named = _PROFILE.search(calls.text(library.nvmlDeviceGetName, instance))
        # Utilization is not told of MIG devices: it is that of processes of the whole GPU, or none.
        silent = Calls(calls.ledger)
        found.append(
            MigInstance(
                uuid,
                named[1] if named else "",
                calls.count(_MOST_MIG, library.nvmlDeviceGetGpuInstanceId, instance),
                memory(library, instance, silent),
                processes(library, instance, silent, 0),
            )
        )
    return tuple(found)


def utilization(library: Library, handle: Handle, calls: Calls) -> tuple[int | None, int | None]:
    """Percent of the last sample in which kernels ran, and in which memory was copied."""
    rates = calls.ask(library.nvmlDeviceGetUtilizationRates, handle)
    if rates is None:
        return None, None
    name = library.nvmlDeviceGetUtilizationRates.__name__
    return calls.plausible(_MOST_PERCENT, name, rates.gpu), calls.plausible(_MOST_PERCENT, name, rates.memory)


def coder_utilization(function: Callable[[Handle], Sequence[int]], handle: Handle, calls: Calls) -> int | None:
    """Percent of the last sample in which the encoder or the decoder worked."""
    answer = calls.ask(function, handle)
    return calls.plausible(_MOST_PERCENT, function.__name__, answer[0]) if answer else None


def temperature(library: Library, handle: Handle, calls: Calls) -> int | None:
    """Degrees Celsius; by the call that newer drivers have, or by the one that will go with CUDA 14."""
    answer = calls.attempt(library.nvmlDeviceGetTemperatureV, handle, nvml.TEMPERATURE_OF_GPU)
    if answer is LACKING:
        answer = calls.ask(library.nvmlDeviceGetTemperature, handle, nvml.TEMPERATURE_OF_GPU)
    return calls.plausible(_MOST_DEGREES, "nvmlDeviceGetTemperature", answer)


def memory_temperature(library: Library, handle: Handle, calls: Calls) -> int | None:
    """Degrees Celsius of the memory; few GPUs say it."""
    function = library.nvmlDeviceGetFieldValues
    fields = calls.ask(function, handle, [nvml.FIELD_MEMORY_TEMPERATURE])
    if not fields or fields[0].nvmlReturn != 0 or fields[0].valueType != nvml.UNSIGNED_INT:
        return None
    # GPUs without such a sensor say 0.
    return calls.plausible(_MOST_DEGREES, function.__name__, fields[0].value.uiVal) or None


def power(library: Library, handle: Handle, calls: Calls) -> tuple[int | None, int | None]:
    """Milliwatts that are drawn, and that may be."""
    return (
        calls.count(_MOST_MILLIWATTS, library.nvmlDeviceGetPowerUsage, handle),
        calls.count(_MOST_MILLIWATTS, library.nvmlDeviceGetEnforcedPowerLimit, handle),
    )


def counted(function: Callable[[Handle], int], handle: Handle, calls: Calls) -> int | None:
    """What only ever grows."""
    return calls.count(_MOST_EVENTS, function, handle)


def clock(library: Library, handle: Handle, calls: Calls, which: int) -> int | None:
    """MHz of one of the clocks."""
    return calls.count(_MOST_MEGAHERTZ, library.nvmlDeviceGetClockInfo, handle, which)


def ecc(library: Library, handle: Handle, calls: Calls) -> EccErrors | None:
    """Memory errors; None: the GPU does not count any, or was told not to."""
    found = [
        calls.count(_MOST_EVENTS, library.nvmlDeviceGetTotalEccErrors, handle, severity, period)
        for period in (nvml.SINCE_DRIVER, nvml.LIFETIME)
        for severity in (nvml.CORRECTED, nvml.UNCORRECTED)
    ]
    return None if found == [None] * len(found) else EccErrors(*found)


def remapped_rows(library: Library, handle: Handle, calls: Calls) -> RemappedRows | None:
    """Rows of memory that were replaced."""
    answer = calls.ask(library.nvmlDeviceGetRemappedRows, handle)
    if answer is None:
        return None
    name = library.nvmlDeviceGetRemappedRows.__name__
    corrected, uncorrected = (calls.plausible(_MOST_EVENTS, name, each) for each in answer[:2])
    if corrected is None or uncorrected is None:
        return None
    return RemappedRows(corrected, uncorrected, bool(answer[2]), bool(answer[3]))
