"""NVML, opened when it can be, closed when it has to be, and read as a whole.

closed ──nvmlInit──▶ open ──read──▶ Snapshot
  ▲                    │
  └── no driver, driver replaced; or a GPU has been lost for a minute: only opening anew finds it again
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import pynvml

from aliquot import log
from aliquot.agent.nvml import library as nvml
from aliquot.agent.nvml import reading
from aliquot.agent.nvml.calls import Calls, DeviceGoneError, Ledger, NvmlError, closed
from aliquot.agent.nvml.library import Handle, Library
from aliquot.agent.nvml.snapshot import Device, DeviceState, Snapshot
from aliquot.agent.nvml.xids import Xids
from aliquot.clock import Clock

_log = log.get(__name__)
_MOST_DEVICES: Final = 256
_REOPEN_SECONDS: Final = 60
"""While a GPU is lost the library is opened anew so often; it costs up to a second."""
_LONGEST_SAMPLE_SECONDS: Final = 60
_SHORTEST_SAMPLE_SECONDS: Final = 1
"""Utilization of processes counts over the time since the last reading, within these bounds: the driver keeps samples
of about a minute, and makes one a few times a second."""


@dataclass(frozen=True, slots=True)
class _Identity:
    uuid: str
    name: str
    pci_bus_id: str


class Session:
    """Reads a node's GPUs, again and again.

    Args:
        library: NVML.
        clock: for how long ago the last reading was.
        ledger: where failures are counted.
    """

    def __init__(self, library: Library, clock: Clock, ledger: Ledger) -> None:
        self._library = library
        self._clock = clock
        self._ledger = ledger
        self._xids = Xids()
        self._known: dict[int, _Identity] = {}
        self._lacking: dict[str, tuple[str, ...]] = {}
        self._open = False
        self._opened = 0.0
        self._last_read = clock.monotonic()

    def read(self) -> Snapshot:
        """Read every GPU once.

        Raises:
            NvmlError: there is no library or no driver, or they do not fit together. The next call tries again.
        """
        try:
            if not self._open:
                self._begin()
            snapshot = self._read()
        except NvmlError:
            self.close()
            raise
        gone = any(device.state in ("lost", "reset_required") for device in snapshot.devices)
        if gone and self._clock.monotonic() - self._opened >= _REOPEN_SECONDS:
            self.close()
        return snapshot

    def close(self) -> None:
        """Let go of the driver, so that it can be unloaded; `read` opens it again."""
        self._xids.forget_queue()
        if self._open:
            self._open = False
            with suppress(pynvml.NVMLError, pynvml.NVMLLibraryMismatchError):
                self._library.nvmlShutdown()

    def _begin(self) -> None:
        try:
            self._library.nvmlInit()
        except (pynvml.NVMLError, pynvml.NVMLLibraryMismatchError, OSError, AttributeError) as error:
            raise closed(error) from error
        self._open = True
        self._opened = self._clock.monotonic()
        self._known.clear()
        calls = Calls(self._ledger)
        self._xids.watch(self._library, list(self._handles(calls)), calls)
        _log.info("NVML: open", devices=len(self._known))

    def _handles(self, calls: Calls) -> Iterator[tuple[str, Handle]]:
        for index in range(self._count(calls)):
            with suppress(DeviceGoneError):
                handle = calls.ask(self._library.nvmlDeviceGetHandleByIndex, index)
                if handle is not None and (identity := self._identify(index, handle, calls)) is not None:
                    yield identity.uuid, handle

    def _count(self, calls: Calls) -> int:
        try:
            return calls.count(_MOST_DEVICES, self._library.nvmlDeviceGetCount) or 0
        except DeviceGoneError as error:
            raise NvmlError(f"NVML: cannot count GPUs: {error}") from error

    def _read(self) -> Snapshot:
        calls = Calls(self._ledger)
        passed = self._clock.monotonic() - self._last_read
        self._last_read = self._clock.monotonic()
        sample = min(max(passed, _SHORTEST_SAMPLE_SECONDS), _LONGEST_SAMPLE_SECONDS)
        since_us = int((self._clock.now() - sample) * 1e6)
        try:
            driver = calls.text(self._library.nvmlSystemGetDriverVersion)
        except DeviceGoneError:
            driver = ""
        self._xids.take(self._library, calls)
        devices: list[Device] = []
        taken: set[str] = set()
        for index in range(self._count(calls)):
            device = self._device(index, since_us)
            if device.uuid in taken and device.uuid:
                self._ledger.refuse("nvmlDeviceGetUUID", f"{device.uuid}: a second time")
                device = Device(index, "", device.name, device.pci_bus_id, "unreadable")
            taken.add(device.uuid)
            devices.append(device)
        return Snapshot(driver, tuple(devices))

    def _device(self, index: int, since_us: int) -> Device:
        calls = Calls(self._ledger)
        try:
            handle = calls.ask(self._library.nvmlDeviceGetHandleByIndex, index)
            identity = None if handle is None else self._identify(index, handle, calls)
            if handle is None or identity is None:
                return self._told_before(index, "unreadable")
            return self._tell_lacking(self._content(index, identity, handle, calls, since_us))
        except DeviceGoneError as gone:
            return self._told_before(index, gone.state)

    def _told_before(self, index: int, state: DeviceState) -> Device:
        known = self._known.get(index, _Identity("", "", ""))
        xids, last = self._xids.of(known.uuid)
        return Device(index, known.uuid, known.name, known.pci_bus_id, state, xids=xids, last_xid=last)

    def _identify(self, index: int, handle: Handle, calls: Calls) -> _Identity | None:
        uuid = calls.text(self._library.nvmlDeviceGetUUID, handle)
        if not reading.UUID.fullmatch(uuid):
            self._ledger.refuse("nvmlDeviceGetUUID", uuid)
            return None
        known = self._known.get(index)
        if known is None or known.uuid != uuid:
            name = calls.text(self._library.nvmlDeviceGetName, handle)
            known = _Identity(uuid, name, reading.pci_bus_id(self._library, handle, calls))
            self._known[index] = known
        return known

    def _content(self, index: int, identity: _Identity, handle: Handle, calls: Calls, since_us: int) -> Device:
        library = self._library
        mig = reading.mig_instances(library, handle, calls)
        xids, last_xid = self._xids.of(identity.uuid)
        used, copied = reading.utilization(library, handle, calls)
        drawn, may_draw = reading.power(library, handle, calls)
        return Device(
            index=index,
            uuid=identity.uuid,
            name=identity.name,
            pci_bus_id=identity.pci_bus_id,
            state="failed" if self._xids.failed(identity.uuid) else "ok",
            memory=reading.memory(library, handle, calls),
            processes=() if mig is not None else reading.processes(library, handle, calls, since_us),
            mig=mig,
            utilization_percent=used,
            copy_utilization_percent=copied,
            encoder_utilization_percent=reading.coder_utilization(
                library.nvmlDeviceGetEncoderUtilization, handle, calls
            ),
            decoder_utilization_percent=reading.coder_utilization(
                library.nvmlDeviceGetDecoderUtilization, handle, calls
            ),
            temperature_celsius=reading.temperature(library, handle, calls),
            memory_temperature_celsius=reading.memory_temperature(library, handle, calls),
            power_milliwatts=drawn,
            power_limit_milliwatts=may_draw,
            energy_millijoules=reading.counted(library.nvmlDeviceGetTotalEnergyConsumption, handle, calls),
            sm_clock_mhz=reading.clock(library, handle, calls, nvml.CLOCK_SM),
            memory_clock_mhz=reading.clock(library, handle, calls, nvml.CLOCK_MEMORY),
            pcie_replays=reading.counted(library.nvmlDeviceGetPcieReplayCounter, handle, calls),
            ecc=reading.ecc(library, handle, calls),
            remapped_rows=reading.remapped_rows(library, handle, calls),
            xids=xids,
            last_xid=last_xid,
            not_supported=tuple(sorted(calls.lacking)),
        )

    def _tell_lacking(self, device: Device) -> Device:
        """Say once what a GPU does not have."""
        if self._lacking.get(device.uuid) != device.not_supported:
            self._lacking[device.uuid] = device.not_supported
            if device.not_supported:
                _log.info("NVML: not supported", gpu=device.index, uuid=device.uuid, functions=device.not_supported)
        return device
