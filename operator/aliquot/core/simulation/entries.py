"""Facts → parts of a document, as far as they need nothing else."""

from collections.abc import Container, Mapping

from aliquot.contracts.simulation import (
    GpuShareEntry,
    PlacementEntry,
    QueueEntry,
    RequestEntry,
    SettingsEntry,
    ShareEntry,
    TimeBasedFairShareEntry,
)
from aliquot.contracts.simulation.fields import MOST_GPUS, MOST_PODS
from aliquot.core.quantities import MIG_PREFIX, PERCENT_PER_DEVICE, UNLIMITED, Request
from aliquot.core.scheduling import SchedulingSettings
from aliquot.core.scheduling.facts import Queue, Share
from aliquot.core.simulation.amounts import MOST_BYTES, MOST_BYTES_OF_A_QUEUE, MOST_CORES, MOST_CORES_OF_A_QUEUE


def queue_entry(queue: Queue, known: Container[str | None]) -> QueueEntry:
    """A queue; `known` are the names of all."""
    cpu, memory = queue.cpu, queue.memory
    return QueueEntry(
        name=queue.name,
        parent=queue.parent if queue.parent in known else None,
        priority=queue.priority,
        created=queue.created,
        gpu=GpuShareEntry(
            deserved=_devices(queue.gpu.deserved),
            limit=_devices(queue.gpu.limit),
            over_quota_weight=queue.gpu.over_quota_weight,
            usage=_usage(queue.gpu),
        ),
        cpu=ShareEntry(
            deserved=None if cpu.deserved >= UNLIMITED else cores(cpu.deserved, MOST_CORES_OF_A_QUEUE),
            limit=None if cpu.limit >= UNLIMITED else cores(cpu.limit, MOST_CORES_OF_A_QUEUE),
            over_quota_weight=cpu.over_quota_weight,
            usage=_usage(cpu),
        ),
        memory=ShareEntry(
            deserved=None if memory.deserved >= UNLIMITED else min(memory.deserved, MOST_BYTES_OF_A_QUEUE),
            limit=None if memory.limit >= UNLIMITED else min(memory.limit, MOST_BYTES_OF_A_QUEUE),
            over_quota_weight=memory.over_quota_weight,
            usage=_usage(memory),
        ),
        preempt_min_runtime_seconds=queue.preempt_min_runtime_seconds,
        reclaim_min_runtime_seconds=queue.reclaim_min_runtime_seconds,
    )


def request_entry(request: Request) -> RequestEntry:
    """What a task asks for."""
    mig, others = split(dict(request.extended))
    part = request.part
    return RequestEntry(
        cpu=cores(request.base.cpu_milli, MOST_CORES),
        memory=min(request.base.memory_bytes, MOST_BYTES),
        gpu=min(MOST_GPUS, request.base.gpu_percent // PERCENT_PER_DEVICE),
        gpu_fraction=_fraction(part.percent) if part is not None and part.percent else None,
        gpu_memory_mib=part.memory_mib if part is not None and not part.percent else None,
        gpu_devices=1 if part is None else part.devices,
        mig=mig,
        extended=others,
    )


def split(extended: Mapping[str, int]) -> tuple[dict[str, int], dict[str, int]]:
    """MIG devices by profile, and other resources by name."""
    mig = {
        name.removeprefix(MIG_PREFIX): min(count, MOST_PODS)
        for name, count in extended.items()
        if name.startswith(MIG_PREFIX)
    }
    return mig, {name: min(count, 2**50) for name, count in extended.items() if not name.startswith(MIG_PREFIX)}


def cores(milli: int, most: int) -> str:
    """Milli-CPU as a quantity."""
    return f"{min(milli, most * 1000)}m"


def _fraction(percent: int) -> float:
    """A part of a device; what holds all of one for others is written as the most that a document can have."""
    return min(percent, PERCENT_PER_DEVICE - 1) / PERCENT_PER_DEVICE


def _devices(percent: int) -> float | None:
    return None if percent >= UNLIMITED else min(float(MOST_GPUS), percent / PERCENT_PER_DEVICE)


def _usage(share: Share) -> float:
    return min(1.0, max(0.0, share.usage))


def settings_entry(settings: SchedulingSettings) -> SettingsEntry:
    """How the scheduler is set."""
    return SettingsEntry(
        placement=PlacementEntry(gpu=settings.gpu_placement, cpu=settings.cpu_placement),
        actions=list(settings.actions),
        stale_gang_grace_seconds=settings.stale_gang_grace_seconds,
        max_consolidation_victims=settings.max_consolidation_victims,
        consolidating_reclaim=settings.consolidating_reclaim,
        time_based_fair_share=TimeBasedFairShareEntry(k=settings.usage_factor),
    )
