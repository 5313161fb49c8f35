"""Everything about one job, in lines (cluster-api.md 7.1: `describe job`)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

import msgspec

from aliquot.cli.looking.jobs import COMMAND_ANNOTATION, Job, job_status, pod_status
from aliquot.cli.output import amount, columns, length, printable

_GAP: Final = 2


class Regarding(msgspec.Struct, frozen=True):
    """What an Event is about."""

    kind: str = ""
    name: str = ""


class Series(msgspec.Struct, frozen=True, rename="camel"):
    """How often an Event happened again."""

    last_observed_time: str = ""


class EventMetadata(msgspec.Struct, frozen=True, rename="camel"):
    """Identity of an Event, and when it was written."""

    namespace: str = ""
    name: str = ""
    uid: str = ""
    resource_version: str = ""
    creation_timestamp: str = ""


class Event(msgspec.Struct, frozen=True, rename="camel"):
    """An Event of Kubernetes, as far as it is shown."""

    metadata: EventMetadata = EventMetadata()
    regarding: Regarding = Regarding()
    type: str = ""
    reason: str = ""
    note: str = ""
    event_time: str | None = None
    deprecated_last_timestamp: str | None = None
    series: Series | None = None

    @property
    def moment(self) -> str:
        """When it last happened."""
        repeated = "" if self.series is None else self.series.last_observed_time
        return repeated or self.deprecated_last_timestamp or self.event_time or self.metadata.creation_timestamp


def description(job: Job, events: Iterable[Event], now: datetime) -> str:
    """Describe a job: what it is, how it is doing and why, its pods, and what happened."""
    parts = [_facts(job, now), _pods(job, now), _events(job, events, now)]
    return "\n\n".join(parts)


def _facts(job: Job, now: datetime) -> str:
    status = job.status
    distributed = job.distributed
    labels: dict[str, str] = job.raw["metadata"].get("labels") or {}
    lines: dict[str, str] = {
        "NAME": job.name,
        "NAMESPACE": job.namespace,
        "PROJECT": job.project,
        "TYPE": job.type,
        "OBJECT": f"{job.kind} {job.object_name}",
        "STATUS": job_status(status.phase, status.reason),
        "PHASE": status.phase or "Creating",
        "REASON": status.reason or "-",
        "MESSAGE": status.phase_message or "-",
        "DURATION": _duration(job, now),
        "GPUS": _gpus(job),
        "TOTAL REQUESTED GPUS": amount(job.requested),
        "ALLOCATED GPUS": "-" if job.ended else amount(status.total_allocated_gpu),
        "ALLOCATED GPUS MEMORY": f"{status.total_allocated_gpu_memory or 0} MiB",
        "RUNNING PODS": str(status.running_pods or 0),
        "PENDING PODS": str(status.pending_pods or 0),
        **_counts(job),
        "SUCCEEDED PODS": str(status.succeeded_pods or 0),
        "FAILED PODS": str(status.failed_pods or 0),
        "IS DISTRIBUTED WORKLOAD": str(distributed).lower(),
        "CREATED BY CLI": str(labels.get("PreviousJob") == "true").lower(),
        "SERVICE URL(S)": " ".join(status.external_urls) or "-",
        "COMMAND LINE": job.annotations.get(COMMAND_ANNOTATION) or "-",
    }
    width = max(map(len, lines)) + 1 + _GAP
    return "\n".join(f"{name + ':':<{width}}{printable(value)}" for name, value in lines.items())


def _counts(job: Job) -> dict[str, str]:
    if job.kind == "InferenceWorkload":
        most = job.value("maxScale")
        return {
            "MIN REPLICAS": str(job.value("minScale") or 0),
            "MAX REPLICAS": "-" if most is None else str(most),
        }
    return {
        "PARALLELISM": str(job.value("parallelism") or 1),
        "COMPLETIONS": str(job.value("completions") or 1),
    }


def _gpus(job: Job) -> str:
    memory, profile = job.value("gpuMemory"), job.value("migProfile")
    if memory:
        return f"{memory} of memory"
    return str(profile or job.value("gpu") or "-")


def _duration(job: Job, now: datetime) -> str:
    start, end = job.status.start_time, job.status.completion_time
    return "-" if start is None else length(((end or now) - start).total_seconds())


def _pods(job: Job, now: datetime) -> str:
    rows = [
        (
            pod.metadata.name,
            pod_status(pod),
            job.type.upper(),
            _since(pod.metadata.creation_timestamp, now),
            pod.spec.node_name or "N/A",
        )
        for pod in job.pods
    ]
    return "Pods:\n" + columns(("POD", "STATUS", "TYPE", "AGE", "NODE"), rows)


def _events(job: Job, events: Iterable[Event], now: datetime) -> str:
    about = {(job.kind, job.object_name), *(("Pod", pod.metadata.name) for pod in job.pods)}
    ours = sorted(
        (event for event in events if (event.regarding.kind, event.regarding.name) in about),
        key=lambda event: (event.moment, event.metadata.name),
    )
    rows: Sequence[Sequence[str]] = [
        (
            f"{event.regarding.kind.lower()}/{event.regarding.name}",
            event.type,
            _since(event.moment, now),
            f"[{event.reason}] {event.note}",
        )
        for event in ours
    ]
    return "Events:\n" + columns(("SOURCE", "TYPE", "AGE", "MESSAGE"), rows)


def _since(moment: str, now: datetime) -> str:
    return length((now - datetime.fromisoformat(moment)).total_seconds()) if moment else ""
