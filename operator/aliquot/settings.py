"""Every setting of the operator and its webhook, by concern: read once at the edge from the environment, passed down.

A setting `workers` of the group `work` is the environment variable `ALIQUOT_WORK__WORKERS`. The chart sets them from
its values. Each docstring says the unit and why the default is what it is; a wrong value stops the process at its start
with the name of the variable.
"""

import socket
from collections.abc import Iterable
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from aliquot import names

_LABEL = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_HOST_NAME = rf"{_LABEL}(\.{_LABEL})*"
_IN_URL = r"""[^\s"'\\;{}]"""
_AUTH_URL = rf"^(https?://{_IN_URL}*\{{users\}}{_IN_URL}*)?$"
_SIGNIN_URL = f"^(https?://{_IN_URL}+)?$"


class _Group(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Identity(_Group):
    """Who this process is."""

    name: str = Field(default_factory=socket.gethostname, min_length=1, max_length=253)
    """Holder of the lease: the pod's name. Must differ between replicas."""

    namespace: str = "runai"
    """Where the lease lives, and the webhook's certificate."""


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

    preempt_min_runtime_seconds: float = Field(default=0, ge=0)
    """A workload runs for so long before one of its own project with a higher priority may stop it, unless project or
    department says otherwise."""

    reclaim_min_runtime_seconds: float = Field(default=0, ge=0)
    """A workload runs for so long before others may take back what it holds beyond its quota, unless project or
    department says otherwise."""

    usage_factor: float = Field(default=0, ge=0)
    """How strongly what was used lately counts when idle resources are divided: projects that used more than their part
    get less of them. 0: not at all, and no account is kept; 1 is a good value to begin with."""

    usage_half_life_seconds: float = Field(default=604_800, gt=0)
    """What was used so long ago counts half as much as what is used now: a week."""

    usage_interval_seconds: float = Field(default=60, gt=0)
    """Between two updates of what was used; each is one write of the ConfigMap that keeps it."""

    check_seconds: float = Field(default=300, gt=0)
    """Between two checks of the scheduler's own books; what they find is in the log and in the metrics."""


class Workloads(_Group):
    """Workloads of our own kinds."""

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


class Foreign(_Group):
    """Workloads of other kinds."""

    discovery_seconds: float = Field(default=30, gt=0)
    """Between two looks at which kinds are served; where a pod names an owner of a kind that is not yet known, it is
    looked at once."""

    owner_seconds: float = Field(default=10, ge=0)
    """A pod whose owner is not there waits so long for it before it is scheduled as if nobody knew its kind."""

    fill_seconds: float = Field(default=20, ge=0)
    """At its start the operator waits so long for the list of each kind."""

    report_settle_seconds: float = Field(default=1, ge=0)
    """An ExternalWorkload is written so long after something changed: its pods pass through several phases at once."""


class Addresses(_Group):
    """Addresses outside the cluster that lead to workloads."""

    domain: str = Field(default="", max_length=253, pattern=f"^({_HOST_NAME})?$")
    """Host name at which workloads are reached from outside, such as gpu.example.com, with a path for each. Empty:
    workloads cannot have addresses there."""

    ingress_class: str = Field(default="", max_length=253, pattern=f"^({_HOST_NAME})?$")
    """IngressClass that serves it, with a certificate for the domain by default; empty: the cluster's default."""

    auth_url: str = Field(
        default="", max_length=1024, pattern=_AUTH_URL, examples=["https://auth.example.com/?u={users}"]
    )
    """Where the ingress controller asks whether somebody may open an address that is for some users; their names, with
    commas between them, are put for {users}. Such as http://oauth2-proxy.auth.svc/oauth2/auth?allowed_emails={users}.
    Empty: addresses cannot be for some users only."""

    auth_signin: str = Field(
        default="", max_length=1024, pattern=_SIGNIN_URL, examples=["https://auth.example.com/$uri"]
    )
    """Where the ingress controller sends whoever is not signed in; empty: nowhere."""

    auth_annotations: str = Field(default="nginx.ingress.kubernetes.io", max_length=253, pattern=f"^{_HOST_NAME}$")
    """Prefix of the annotations auth-url and auth-signin by which the ingress controller is told that: the default is
    that of ingress-nginx, and haproxy-ingress.github.io that of HAProxy Ingress."""

    @model_validator(mode="after")
    def _asked(self) -> Self:
        if self.auth_signin and not self.auth_url:
            raise ValueError(f"auth_signin ({self.auth_signin}) needs auth_url, which is empty")
        return self


class Access(_Group):
    """How access rules become rights."""

    user_prefix: str = Field(default="", max_length=253)
    """What the API server puts before the name of a token's user (its flag --oidc-username-prefix)."""

    group_prefix: str = Field(default="", max_length=253)
    """What the API server puts before the names of a token's groups (its flag --oidc-groups-prefix)."""


class Images(_Group):
    """Containers that workloads have beside their own."""

    git: str = Field(default=names.GIT_SYNC_IMAGE, min_length=1, max_length=1024)
    """Clones repositories: git-sync 4, or what takes its variables."""

    s3: str = Field(default=names.RCLONE_IMAGE, min_length=1, max_length=1024)
    """Copies buckets: rclone, or what takes its variables and arguments."""

    tensorboard: str = Field(default=names.TENSORBOARD_IMAGE, max_length=1024)
    """Runs TensorBoard beside interactive workloads: an image with the command tensorboard. Empty: there is none."""


class Grants(_Group):
    """GPUs and parts of them."""

    reservation_image: str = Field(default=names.RESERVATION_IMAGE, min_length=1, max_length=1024)
    """Image of the pods that hold GPUs of which others have parts; its process has to wait until it is ended."""

    device_seconds: float = Field(default=60, gt=0)
    """A pod that holds a GPU for others, and of which nobody has said after so long which one, is given up."""

    rejected_seconds: float = Field(default=10, ge=0)
    """After a node has refused a GPU that is free by all accounts, so long passes before it is asked again."""

    broken_gpus: Literal["off", "report", "move"] = "move"
    """What is done about GPUs of which the agent of their node says that they cannot be used. `off`: nothing; `report`:
    they are given to nobody else, and pods that have them are told; `move`: of these, the preemptible ones that
    somebody makes anew are stopped, to start again elsewhere, which costs them no retry."""

    memory_guard: Literal["off", "report", "evict"] = "report"
    """What is done about pods of which the agent says that they use more of a GPU's memory than they were given. `off`:
    nothing; `report`: they are told; `evict`: they are stopped, too, which counts as a failure of their own."""

    memory_guard_grace_seconds: float = Field(default=60, ge=0)
    """With `evict`, a pod may use too much for so long, by the agent's account: some programs do so for a moment."""


class Server(_Group):
    """The process's own HTTP server: /healthz, /readyz, /metrics."""

    host: str = "0.0.0.0"  # noqa: S104 - probes and Prometheus come from other hosts
    """Address to listen at."""

    port: int = Field(default=8080, ge=0, le=65535)
    """Port to listen at; 0 takes a free one and logs it."""


class Webhook(_Group):
    """The admission webhook: where it listens, and what belongs to it in the cluster."""

    host: str = "0.0.0.0"  # noqa: S104 - the API server comes from other hosts
    """Address to listen at."""

    port: int = Field(default=9443, ge=0, le=65535)
    """Port to listen at; 0 takes a free one and logs it."""

    host_name: str = Field(default="aliquot-webhook.runai.svc", min_length=1, max_length=253)
    """Host by which the API server calls it; its certificate is for this one."""

    secret_name: str = Field(default="aliquot-webhook", min_length=1, max_length=253)
    """Secret with its certificate, in the namespace of the process; it must exist and may be empty."""

    configuration_name: str = Field(default="aliquot-webhook", min_length=1, max_length=253)
    """ValidatingWebhookConfiguration by which the API server knows it."""

    makes_certificates: bool = True
    """Whether it makes its certificate itself and tells the API server whom to trust; else somebody else does both."""


class Certificates(_Group):
    """The certificate that the admission webhook makes for itself."""

    lifetime_days: int = Field(default=90, ge=1, le=3650)
    """How long a certificate is valid; renewing one costs nothing."""

    renew_before_days: int = Field(default=30, ge=0)
    """It is replaced when it is valid for so many days more: long enough for somebody to notice if that fails."""

    check_seconds: float = Field(default=10, gt=0)
    """Between two looks at the Secret and at what the API server trusts."""

    settle_seconds: float = Field(default=30, ge=0)
    """A new certificate is used when the API server has been told to trust it for so long: each of several API servers
    hears of it in its own time."""

    @model_validator(mode="after")
    def _end(self) -> Self:
        if self.renew_before_days >= self.lifetime_days:
            raise ValueError(
                f"renew_before_days ({self.renew_before_days}) must be less than lifetime_days ({self.lifetime_days})"
            )
        return self


class ControlPlane(_Group):
    """The control plane that says which projects there are, and hears how they are; without `url` there is none."""

    url: str = Field(default="", max_length=2048, pattern=r"^(https?://[^/\s?#@]+(/[^\s?#]*)?)?$")
    """Where it is, such as https://aliquot.example.com. With http:// everybody on the way reads the secret."""

    cluster_uuid: str = Field(default="", pattern=r"^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})?$")
    """What the control plane calls this cluster."""

    cluster_url: str = Field(default="", max_length=1024, pattern=r"^([^\s?#@]+)?$")
    """Where people reach this cluster, as the control plane shows it."""

    client_secret: SecretStr = SecretStr("")
    """The cluster's secret there; it or the next one must be given."""

    client_secret_file: str = ""
    """File with the secret; read for each request, so that it can be replaced."""

    ca_file: str = ""
    """File with certificates of authorities that are trusted beside the system's; empty: none."""

    proxy: str = Field(default="", max_length=2048, pattern=r"^(https?://[^/\s]+/?)?$")
    """HTTP proxy through which it is reached; empty: none."""

    wait_seconds: int = Field(default=50, ge=1, le=55)
    """So long it may wait with its answer until something changes. Proxies cut what is silent for a minute."""

    poll_seconds: float = Field(default=1, gt=0)
    """It is asked so often at most, whatever it answers."""

    settle_seconds: float = Field(default=1, ge=0)
    """It is told so long after something changed: statuses pass through several phases at once."""

    @model_validator(mode="after")
    def _together(self) -> Self:
        secrets = [name for name in ("client_secret", "client_secret_file") if _given(getattr(self, name))]
        others = [name for name in ("cluster_uuid", *secrets) if _given(getattr(self, name))]
        if not self.url:
            if others:
                raise ValueError(f"{others[0]} says nothing without url: give the control plane's address")
        elif not self.cluster_uuid:
            raise ValueError("cluster_uuid is missing: with url it must be what the control plane calls this cluster")
        elif len(secrets) != 1:
            raise ValueError(f"with url one of client_secret and client_secret_file must be given, not {len(secrets)}")
        return self


def _given(value: str | SecretStr) -> bool:
    return bool(value.get_secret_value() if isinstance(value, SecretStr) else value)


class Log(_Group):
    """What the operator says."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severity that is printed."""

    format: Literal["json", "text"] = "json"
    """One JSON object a line, or text for people."""


class Settings(BaseSettings):
    """All settings of the operator and of its webhook: what both go by is said once."""

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
    addresses: Addresses = Addresses()
    access: Access = Access()
    images: Images = Images()
    grants: Grants = Grants()
    foreign: Foreign = Foreign()
    control_plane: ControlPlane = ControlPlane()
    server: Server = Server()
    webhook: Webhook = Webhook()
    certificates: Certificates = Certificates()
    log: Log = Log()


def unknown_variables(environment: Iterable[str], model: type[BaseSettings] = Settings) -> list[str]:
    """Names of environment variables that look like settings of a process but are none: typing errors, most likely."""
    known = {
        f"ALIQUOT_{group}__{name}".upper()
        for group, field in model.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
        for name in field.annotation.model_fields
    }
    return sorted(name for name in environment if name.startswith("ALIQUOT_") and "__" in name and name not in known)
