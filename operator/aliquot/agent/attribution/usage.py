"""What pods use of GPUs, beside what they were given."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aliquot.agent.attribution.cgroups import Container
from aliquot.agent.attribution.holdings import WHOLE_PERCENT, Grant, PodOnNode, PodRef, holdings
from aliquot.agent.nvml import Device, Memory, Process, Snapshot
from aliquot.agent.pod_resources import Assignment

_BYTES_PER_MIB: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class PodUse:
    """A pod on one GPU or MIG device.

    Attributes:
        pod: whose processes they are.
        device: the GPU.
        unit: UUID of the GPU, or of the MIG device on it.
        grant: what the pod was given; None: nothing, and yet it has processes there.
        limit_bytes: memory that comes with it; None: it is not known.
        used_bytes: memory that its processes use; None: the driver does not say.
        utilization_percent: part of the time in which they ran; None: the driver does not say.
        processes: how many there are.
        burst_bytes: memory that it may use while nobody else needs it; None: no more than `limit_bytes`.
    """

    pod: PodRef
    device: Device
    unit: str
    grant: Grant | None
    limit_bytes: int | None
    used_bytes: int | None
    utilization_percent: float | None
    processes: int
    burst_bytes: int | None = None

    @property
    def overuse_bytes(self) -> int | None:
        """How much more memory it uses than it was given; None: one of the two is not known."""
        if self.limit_bytes is None or self.used_bytes is None:
            return None
        return max(0, self.used_bytes - self.limit_bytes)


@dataclass(frozen=True, slots=True)
class DeviceUse:
    """A GPU, with all its MIG devices.

    Attributes:
        device: the GPU.
        allocated_percent: hundredths that were given away.
        holders: pods that were given it, or a part of it.
        sole: who holds it alone, and by which container; None: nobody does.
        stray_bytes: memory of processes that belong to no pod which was given the GPU.
        stray_processes: how many these are.
    """

    device: Device
    allocated_percent: int
    holders: tuple[PodRef, ...]
    sole: tuple[PodRef, str] | None
    stray_bytes: int
    stray_processes: int


@dataclass(frozen=True, slots=True)
class Usage:
    """Everything that one reading says: by pod and GPU, and by GPU; in order."""

    pods: tuple[PodUse, ...]
    devices: tuple[DeviceUse, ...]

    def activity(self) -> dict[PodRef, bool | None]:
        """Which pods with GPUs have work on one of them; None: the driver does not say."""
        found: dict[PodRef, bool | None] = {}
        for use in self.pods:
            if use.grant is not None:
                busy = None if use.utilization_percent is None else use.utilization_percent > 0
                before = found.get(use.pod, False)
                found[use.pod] = True if busy or before else (None if busy is None or before is None else False)
        return found


@dataclass(frozen=True, slots=True)
class _Unit:
    uuid: str
    device: Device
    percent: int | None
    memory: Memory | None
    processes: tuple[Process, ...]
    utilization_percent: int | None


def attribute(
    snapshot: Snapshot,
    owners: Mapping[int, Container],
    pods: Sequence[PodOnNode] | None,
    assignments: Iterable[Assignment],
    reservations: str,
) -> Usage:
    """Say whose work it is.

    Args:
        snapshot: what NVML says.
        owners: the container of each process; who is not in it runs in none.
        pods: pods of this node; None: nobody has said, so no process can be told to be where it should not.
        assignments: devices that the kubelet has given away.
        reservations: namespace of the pods that hold GPUs for sharers.
    """
    units = {unit.uuid: unit for device in snapshot.devices for unit in _units(device)}
    held = holdings(pods or (), assignments, {uuid: unit.percent for uuid, unit in units.items()}, reservations)
    by_uid = {pod.ref.uid: pod.ref for pod in pods or ()}
    uses: list[PodUse] = []
    stray: dict[int, list[Process]] = {}
    for unit in units.values():
        holders = {ref: grants[unit.uuid] for ref, grants in held.items() if unit.uuid in grants}
        running: dict[PodRef, list[Process]] = {ref: [] for ref in holders}
        for process in unit.processes:
            ref = _owner(owners.get(process.pid), by_uid, holders)
            if ref is not None:
                running.setdefault(ref, []).append(process)
            if ref is None or (ref not in holders and pods is not None):
                stray.setdefault(unit.device.index, []).append(process)
        uses.extend(
            _use(unit, ref, holders.get(ref), processes, judged=pods is not None) for ref, processes in running.items()
        )
    uses.sort(key=lambda use: (use.device.index, use.unit, use.pod))
    return Usage(tuple(uses), tuple(_device(each, uses, stray.get(each.index, [])) for each in snapshot.devices))


def _units(device: Device) -> list[_Unit]:
    """What can be given to pods: the GPU, or its MIG devices."""
    whole = _Unit(device.uuid, device, WHOLE_PERCENT, device.memory, device.processes, device.utilization_percent)
    parts = [_Unit(mig.uuid, device, None, mig.memory, mig.processes, None) for mig in device.mig or ()]
    return [unit for unit in (whole, *parts) if unit.uuid]


def _owner(container: Container | None, by_uid: Mapping[str, PodRef], holders: Mapping[PodRef, Grant]) -> PodRef | None:
    if container is None:
        return None
    known = by_uid.get(container.pod_uid)
    if known is not None:
        return known
    # The kubelet's list has names and no uids: what runs on a device that one pod holds alone is that pod's.
    nameless = [ref for ref in holders if not ref.uid]
    return nameless[0] if len(nameless) == len(holders) == 1 else PodRef("", "", container.pod_uid)


def _use(unit: _Unit, ref: PodRef, grant: Grant | None, processes: Sequence[Process], *, judged: bool) -> PodUse:
    sizes = [process.used_bytes for process in processes if process.used_bytes is not None]
    alone = grant is not None and grant.percent == WHOLE_PERCENT
    return PodUse(
        ref,
        unit.device,
        unit.uuid,
        grant,
        _limit(unit, grant, judged=judged),
        sum(sizes) if sizes or not processes else None,
        unit.utilization_percent if alone and unit.utilization_percent is not None else _ran(processes),
        len(processes),
        _burst(unit, grant),
    )


def _limit(unit: _Unit, grant: Grant | None, *, judged: bool) -> int | None:
    if grant is None:
        return 0 if judged else None
    if grant.memory_mib is not None:
        return grant.memory_mib * _BYTES_PER_MIB
    if unit.memory is None:
        return None
    return unit.memory.total_bytes * (WHOLE_PERCENT if grant.percent is None else grant.percent) // WHOLE_PERCENT


def _burst(unit: _Unit, grant: Grant | None) -> int | None:
    if grant is not None and grant.burst_mib is not None:
        return grant.burst_mib * _BYTES_PER_MIB
    if grant is None or grant.burst_percent is None or unit.memory is None:
        return None
    return unit.memory.total_bytes * grant.burst_percent // WHOLE_PERCENT


def _ran(processes: Sequence[Process]) -> float | None:
    """Part of the time in which some of these ran, as far as the driver says of each; at most all of it."""
    known = [process.sm_percent for process in processes if process.sm_percent is not None]
    return min(float(sum(known)), 100.0) if len(known) == len(processes) else None


def _device(device: Device, uses: Iterable[PodUse], stray: Sequence[Process]) -> DeviceUse:
    mine = [use for use in uses if use.device.index == device.index and use.grant is not None]
    whole = [use for use in mine if use.grant is not None and use.grant.percent == WHOLE_PERCENT]
    sole = (whole[0].pod, whole[0].grant.container) if len(mine) == len(whole) == 1 and whole[0].grant else None
    return DeviceUse(
        device,
        sum(use.grant.percent or 0 for use in mine if use.grant is not None),
        tuple(sorted({use.pod for use in mine})),
        sole,
        sum(process.used_bytes or 0 for process in stray),
        len(stray),
    )
