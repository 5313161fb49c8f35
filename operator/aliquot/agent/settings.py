"""Every setting of the agent, in the style of `aliquot.settings`: `ALIQUOT_READINGS__INTERVAL_SECONDS` and so on."""

import socket
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from aliquot.settings import Log, Server


class _Group(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class NodeIdentity(_Group):
    """Which node this is."""

    node: str = Field(default_factory=socket.gethostname, min_length=1, max_length=253)
    """Name of the node, as the API server has it."""

    cluster: str = Field(default="", max_length=253)
    """What metrics with Run:ai's names have as `clusterId`; empty: they have none."""


class Readings(_Group):
    """Reading the GPUs."""

    interval_seconds: float = Field(default=10, ge=1, le=30)
    """Between two readings that nobody asked for; each scrape takes one, too. Idleness counts in windows of 30 s."""

    deadline_seconds: float = Field(default=5, gt=0)
    """A scrape waits so long for the driver, and shows the last good reading then. Prometheus itself waits 10 s."""

    stale_seconds: float = Field(default=60, gt=0)
    """A reading that is older is not shown any more."""

    restart_seconds: float = Field(default=300, gt=0)
    """A reading that has not come back so long after its deadline makes the liveness probe fail."""

    @model_validator(mode="after")
    def _order(self) -> Self:
        if self.stale_seconds < self.interval_seconds + self.deadline_seconds:
            raise ValueError(
                f"stale_seconds ({self.stale_seconds:g}) must be at least interval_seconds ({self.interval_seconds:g})"
                f" and deadline_seconds ({self.deadline_seconds:g}) together"
            )
        return self


class Sources(_Group):
    """Where the agent learns what NVML does not say."""

    proc: Path = Path("/proc")
    """Where the host's processes are seen; the pod needs `hostPID`, or the host's /proc mounted."""

    kubelet_socket: Path = Path("/var/lib/kubelet/pod-resources/kubelet.sock")
    """Where the kubelet says which pod holds which device."""

    kubelet_seconds: float = Field(default=2, gt=0)
    """Longest wait for its answer; it takes some milliseconds."""

    pods: Literal["api", "none"] = "api"
    """Whether the node's pods are watched at the API server; if not, parts of GPUs and their pods are not known."""


class Publishing(_Group):
    """What the agent writes on its node and on the node's pods."""

    enabled: bool = True
    """Whether it writes anything; it may not where the node's pods are not known, either."""

    idle_seconds: float = Field(default=60, ge=0)
    """GPUs of a pod that have had no work for so long are told to be idle; a pod that works costs no writes."""

    overuse_percent: float = Field(default=5, ge=0, le=100)
    """So much more than its part a pod may use before it is told, in per cent of the part."""

    overuse_mib: int = Field(default=256, ge=0, le=1 << 20)
    """Or so many MiB, whichever is more: each process takes some hundred MiB before it does anything."""

    overuse_seconds: float = Field(default=30, ge=0)
    """And for so long."""

    gap_seconds: float = Field(default=120, ge=0)
    """A process that begins so soon after the one before goes on counting; else what was not seen counts as work."""

    last_look: Path = Path("/tmp/aliquot-agent-last-look")  # noqa: S108 - a folder of the container's own
    """File that says when a process looked last, and at which GPUs; it has to outlive the process."""

    writes_per_second: float = Field(default=5, gt=0)
    """Most requests to the API server; four times as many at once."""


class AgentServer(Server):
    """The agent's own HTTP server: /healthz, /readyz, /metrics."""

    port: int = Field(default=9400, ge=0, le=65535)
    """Port to listen at, that of NVIDIA's dcgm-exporter; 0 takes a free one and logs it."""


class AgentSettings(BaseSettings):
    """All settings of the agent."""

    model_config = SettingsConfigDict(
        env_prefix="ALIQUOT_", env_nested_delimiter="__", extra="forbid", frozen=True, use_attribute_docstrings=True
    )

    identity: NodeIdentity = Field(default_factory=NodeIdentity)
    readings: Readings = Readings()
    sources: Sources = Sources()
    publishing: Publishing = Publishing()
    server: AgentServer = AgentServer()
    log: Log = Log()
