"""Which GPUs cannot be used: what NVML says of them now, and what is known of those of which it says nothing any more.

    ok                              it can be used
    lost, reset_required, failed    it cannot, since it was first told to be so
    unreadable                      nothing is known: what was told of it stays
    not there any more              lost, unless it may be the unreadable one; until it is there again, or a reboot

The device plugin offers a GPU in MIG mode as its MIG devices, so these are told in its place.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from aliquot.agent.last_look import Devices
from aliquot.agent.nvml import Device, Snapshot
from aliquot.contracts.agent_reports import DeviceTrouble, TroubleReason

_MIG = "MIG-"


@dataclass(frozen=True, slots=True)
class Health:
    """What is known.

    Attributes:
        troubles: by what the device plugin calls the device.
        remembered: devices that failed by what an earlier process wrote; the driver tells a failure to those only who
            listened, so that they read well does not say that they are.
    """

    troubles: Mapping[str, DeviceTrouble] = field(default_factory=dict[str, DeviceTrouble])
    remembered: frozenset[str] = frozenset()


def before_first_look(written: Mapping[str, DeviceTrouble], *, resumed: bool) -> Health:
    """What is known when a process begins.

    Args:
        written: what stands on the node.
        resumed: this process goes on where another stopped a moment ago. If not, GPUs that failed are believed to have
            been repaired; they fail again if not.
    """
    failed = frozenset(unit for unit, trouble in written.items() if trouble.reason == "failed")
    kept = written if resumed else {unit: trouble for unit, trouble in written.items() if unit not in failed}
    return Health(dict(kept), failed if resumed else frozenset())


def look(known: Health, snapshot: Snapshot, units: Devices, now: float, booted: float) -> Health:
    """What is known after a reading.

    Args:
        known: before it.
        snapshot: the reading.
        units: of each GPU what the device plugin offered when it could last be read; those of this reading are in it.
        now: when it was taken, in Unix seconds.
        booted: since when the node has run, in Unix seconds.
    """
    there = {device.uuid: device for device in snapshot.devices if device.uuid}
    absent = [uuid for uuid in units if uuid not in there]
    troubles: dict[str, DeviceTrouble] = {}
    remembered: set[str] = set()
    for uuid, device in there.items():
        for unit in units.get(uuid, (uuid,)):
            trouble = _trouble(device, known.troubles.get(unit), now, remembered=unit in known.remembered)
            if trouble is not None:
                troubles[unit] = trouble
            if trouble is not None and device.state in ("ok", "unreadable") and unit in known.remembered:
                remembered.add(unit)
    nameless = any(device.state == "unreadable" and not device.uuid for device in snapshot.devices)
    for unit in (unit for uuid in absent for unit in units[uuid]):
        trouble = known.troubles.get(unit, None if nameless else DeviceTrouble("lost", now))
        if trouble is not None:
            troubles[unit] = trouble
    doubtful = bool(absent) or not all(device.is_told for device in snapshot.devices)
    for unit in _without_a_gpu(known, units, there, doubtful=doubtful):
        if known.troubles[unit].since >= booted:
            troubles[unit] = known.troubles[unit]
    return Health(troubles, frozenset(remembered))


def _trouble(device: Device, before: DeviceTrouble | None, now: float, *, remembered: bool) -> DeviceTrouble | None:
    reasons: dict[str, TroubleReason] = {"lost": "lost", "reset_required": "reset_required", "failed": "failed"}
    reason = reasons.get(device.state)
    if reason is not None:
        return DeviceTrouble(reason, now if before is None else before.since)
    return before if device.state == "unreadable" or remembered else None


def _without_a_gpu(known: Health, units: Devices, there: Mapping[str, Device], *, doubtful: bool) -> Iterator[str]:
    """Devices that were in trouble, and belong to no GPU that is known: they may be those of a GPU without a name.

    A MIG device goes when others are made in its place, so it is kept only while a GPU does not say what it has.
    """
    belonging = {unit for each in units.values() for unit in each} | set(there)
    for unit in known.troubles:
        if unit not in belonging and (doubtful or not unit.startswith(_MIG)):
            yield unit
