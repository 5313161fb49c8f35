"""Every setting of the operator, grouped by concern: read once at the edge from the environment, passed down as values.

A setting `workers` of the group `work` is the environment variable `ALIQUOT_WORK__WORKERS`. The chart sets them from
its values. Each docstring says the unit and why the default is what it is; a wrong value stops the process at its start
with the name of the variable.
"""

import socket
from collections.abc import Iterable
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class _Group(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Identity(_Group):
    """Who this process is."""

    name: str = Field(default_factory=socket.gethostname, min_length=1, max_length=253)
    """Holder of the lease: the pod's name. Must differ between replicas."""

    namespace: str = "runai"
    """Where the lease lives."""


class Api(_Group):
    """How the API server is spoken to."""

    request_timeout_seconds: float = Field(default=30, gt=0)
    """Longest wait for an answer; the API server itself gives up after 60 s."""

    watch_silence_seconds: float = Field(default=90, gt=0)
    """A watch that delivers nothing for so long is opened anew; bookmarks come every 60 s."""


class Work(_Group):
    """The work queue."""

    workers: int = Field(default=8, ge=1, le=256)
    """Writes in flight at once. With more a small API server falls behind with its watches, cuts them off, and pays for
    each that begins anew; they pay where each answer takes long."""

    resync_seconds: float = Field(default=600, gt=0)
    """Every object is looked at again so often, whatever was or was not seen."""


class Drift(_Group):
    """Comparing the caches with the truth."""

    interval_seconds: float = Field(default=300, gt=0)
    """Between two comparisons of the uids of custom resources."""


class Leadership(_Group):
    """The lease that makes one replica the leader. Defaults are client-go's."""

    lease_name: str = "aliquot-operator"
    """Name of the Lease."""

    lease_seconds: float = Field(default=15, gt=0)
    """A lease not renewed for so long may be taken over."""

    renew_deadline_seconds: float = Field(default=10, gt=0)
    """A leader that could not renew for so long stops acting."""

    retry_seconds: float = Field(default=2, gt=0)
    """Between two attempts to renew or to take over."""

    @model_validator(mode="after")
    def _grow(self) -> Self:
        if not self.retry_seconds < self.renew_deadline_seconds < self.lease_seconds:
            raise ValueError(
                f"retry_seconds ({self.retry_seconds:g}) must be less than renew_deadline_seconds "
                f"({self.renew_deadline_seconds:g}), and that less than lease_seconds ({self.lease_seconds:g})"
            )
        return self


class Scheduling(_Group):
    """The scheduler's loop."""

    round_pause_seconds: float = Field(default=0.02, ge=0)
    """After a change the next round waits so long for more changes; many arrive together."""

    confirm_seconds: float = Field(default=30, gt=0)
    """A grant that was written but whose echo has not come after so long is compared with the API server."""

    gpu_placement: Literal["binpack", "spread"] = "binpack"
    """Whether pods with GPUs fill nodes and shared devices one after the other, or use as many as there are."""

    cpu_placement: Literal["binpack", "spread"] = "binpack"
    """The same for pods without GPUs."""

    stale_gang_grace_seconds: float = 60
    """A gang that runs with fewer pods than its minimum is stopped after so long; negative: never."""

    max_consolidation_victims: int = Field(default=16, ge=0)
    """At most so many workloads are moved to make room for one (cluster-api.md 5.6)."""

    consolidating_reclaim: bool = True
    """Whether a workload that has to make room is moved rather than stopped where it can be."""

    check_seconds: float = Field(default=300, gt=0)
    """Between two checks of the scheduler's own books; what they find is in the log and in the metrics."""


class Workloads(_Group):
    """Training workloads."""

    retry_base_seconds: float = Field(default=10, gt=0)
    """Wait before the first retry of a failed pod; doubles each time. As for batch/v1 Jobs."""

    retry_cap_seconds: float = Field(default=360, gt=0)
    """Longest wait before a retry. As for batch/v1 Jobs."""

    cpu_milli_per_gpu: int = Field(default=1000, ge=0)
    """CPU request of a pod that asks for GPUs and not for CPU (cluster-api.md 5.9: one CPU per GPU)."""

    memory_mib_per_gpu: int = Field(default=100, ge=0)
    """Memory request of a pod that asks for GPUs and not for memory (cluster-api.md 5.9)."""

    left_behind_seconds: float = Field(default=60, ge=0)
    """A pod whose workload is gone for so long, and that the garbage collector has not deleted, is deleted."""

    status_settle_seconds: float = Field(default=0.5, ge=0)
    """A status that is still on its way (not finished, not failed) is written so long after it changed: pods pass
    through several phases within a second, and a status write costs the API server more than creating a pod."""

    status_longest_seconds: float = Field(default=10, ge=0)
    """While GPUs are being granted, a status that is still on its way waits so long at most: grants go first."""


class Server(_Group):
    """The operator's own HTTP server: /healthz, /readyz, /metrics."""

    host: str = "0.0.0.0"  # noqa: S104 - probes and Prometheus come from other hosts
    """Address to listen at."""

    port: int = Field(default=8080, ge=0, le=65535)
    """Port to listen at; 0 takes a free one and logs it."""


class Log(_Group):
    """What the operator says."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severity that is printed."""

    format: Literal["json", "text"] = "json"
    """One JSON object a line, or text for people."""


class Settings(BaseSettings):
    """All settings of the operator."""

    model_config = SettingsConfigDict(
        env_prefix="ALIQUOT_", env_nested_delimiter="__", extra="forbid", frozen=True, use_attribute_docstrings=True
    )

    identity: Identity = Field(default_factory=Identity)
    api: Api = Api()
    work: Work = Work()
    drift: Drift = Drift()
    leadership: Leadership = Leadership()
    scheduling: Scheduling = Scheduling()
    workloads: Workloads = Workloads()
    server: Server = Server()
    log: Log = Log()


def unknown_variables(environment: Iterable[str]) -> list[str]:
    """Names of environment variables that look like settings but are none: typing errors, most likely."""
    known = {
        f"ALIQUOT_{group}__{name}".upper()
        for group, field in Settings.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
        for name in field.annotation.model_fields
    }
    return sorted(name for name in environment if name.startswith("ALIQUOT_") and "__" in name and name not in known)
