"""Tables of jobs, projects and templates (cluster-api.md 7.1, 7.3)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from aliquot import names
from aliquot.cli.looking.jobs import Job, job_status
from aliquot.cli.output import amount, columns, length
from aliquot.contracts.kinds.external import ExternalWorkload
from aliquot.contracts.kinds.tenancy import Project

JOB_HEADS: Final = (
    "NAME",
    "STATUS",
    "AGE",
    "NODE",
    "IMAGE",
    "TYPE",
    "PROJECT",
    "USER",
    "GPUs Allocated (Requested)",
    "PODs Running (Pending)",
    "SERVICE URL(S)",
)
WIDE_HEADS: Final = ("PHASE", "REASON", "MESSAGE")
_SEVERAL: Final = "<multiple>"


def job_table(jobs: Iterable[Job], others: Iterable[ExternalWorkload], now: datetime, *, wide: bool = False) -> str:
    """Lay out jobs, by project and then by age, newest last.

    Args:
        jobs: of the four kinds; templates are left out.
        others: workloads of other kinds.
        now: for their ages.
        wide: with phase, and why it is in it, with numbers.
    """
    heads = (*JOB_HEADS, *WIDE_HEADS) if wide else JOB_HEADS
    ordered = sorted((job for job in jobs if not job.template), key=_order)
    rows = [_row(job, now) for job in ordered]
    rows += [_other(each, now) for each in sorted(others, key=lambda each: each.metadata.name)]
    return columns(heads, [row[: len(heads)] for row in rows])


def _order(job: Job) -> tuple[str, float, str, str]:
    return job.project, job.created.timestamp() if job.created else 0.0, job.name, job.object_name


def _row(job: Job, now: datetime) -> tuple[str, ...]:
    status, nodes = job.status, job.nodes
    held = "-" if job.ended else amount(status.total_allocated_gpu)
    return (
        job.name,
        job_status(status.phase, status.reason),
        _age(job.created, now),
        _SEVERAL if len(nodes) > 1 else "".join(nodes),
        str(job.value("image") or ""),
        job.type,
        job.project,
        str(job.value("username") or ""),
        f"{held} ({amount(job.requested)})",
        f"{status.running_pods or 0} ({status.pending_pods or 0})",
        "\n".join(status.external_urls),
        status.phase or "",
        status.reason or "",
        status.phase_message or "",
    )


def _other(each: ExternalWorkload, now: datetime) -> tuple[str, ...]:
    spec, seen = each.spec, each.status.observed_status
    phase = None if seen is None else seen.phase
    asked = None if spec.requested_resources is None else spec.requested_resources.requests.get(names.GPU_RESOURCE)
    return (
        spec.original_workload_name or each.metadata.name,
        job_status(phase, None),
        _age(spec.creation_timestamp or each.metadata.creation_timestamp, now),
        "",
        spec.image_name or "",
        spec.type or "",
        spec.project_name or "",
        "",
        f"- ({amount(None if asked is None else str(asked))})",
        "",
        "\n".join(spec.urls),
        phase or "",
        "",
        (None if seen is None else seen.message) or "",
    )


def _age(since: datetime | None, now: datetime) -> str:
    return "" if since is None else length((now - since).total_seconds())


def project_table(projects: Sequence[Project], default: str | None) -> str:
    """Lay out projects with what they deserve, over all node pools."""
    rows = [_project(each, default) for each in sorted(projects, key=lambda each: each.metadata.name)]
    heads = ("PROJECT", "DEPARTMENT", "DESERVED GPUs", "INT LIMIT", "INT AFFINITY", "TRAIN AFFINITY")
    return columns(heads, rows)


def _project(project: Project, default: str | None) -> tuple[str, ...]:
    spec, name = project.spec, project.metadata.name
    amounts = [queue.resources.gpu.deserved or 0 for queue in spec.queues] or [spec.deserved_gpus or 0]
    deserved = "unlimited" if any(each < 0 for each in amounts) else f"{sum(amounts):.2f}"
    limit = spec.interactive_job_time_limit_secs
    return (
        f"{name} (default)" if name == default else name,
        spec.department or "default",
        deserved,
        length(limit) if limit else "-",
        ",".join(spec.node_affinity_interactive),
        ",".join(spec.node_affinity_train),
    )


def workload_table(jobs: Iterable[Job], shared_namespace: str) -> str:
    """Lay out objects by what they are for: work, or values for other work."""
    ordered = sorted(jobs, key=lambda job: (job.namespace, job.object_name, job.kind))
    rows = [
        (
            job.object_name,
            job.kind,
            "Template" if job.template else "Submit",
            "(global)" if job.namespace == shared_namespace else job.project,
        )
        for job in ordered
    ]
    return columns(("WORKLOAD", "KIND", "USAGE", "PROJECT/GLOBAL"), rows)
