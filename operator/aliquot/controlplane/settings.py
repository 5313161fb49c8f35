"""Every setting of the control plane, in the style of `aliquot.settings`: `ALIQUOT_DATABASE__URL` and so on."""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from aliquot.contracts.administrator_api.shapes import DISPLAY_NAME
from aliquot.contracts.administrator_api.users import EMAIL
from aliquot.settings import Log, Server

DEFAULT_DATABASE = "sqlite:///aliquot.db"


class _Group(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class DatabaseSettings(_Group):
    """Where everything is kept."""

    url: str = Field(default=DEFAULT_DATABASE, pattern=r"^(sqlite:///.+|postgresql://.+)$")
    """`sqlite:///FILE` (`sqlite:////` before an absolute path), or `postgresql://USER:PASSWORD@HOST/NAME`."""

    connections: int = Field(default=20, ge=2, le=1000)
    """Most connections at once: requests in progress. PostgreSQL takes 100 by default, of all its clients."""

    busy_seconds: float = Field(default=30, gt=0)
    """A request waits so long for a connection, or for others that write; then it is answered with 503."""


class FirstStart(_Group):
    """What an empty database gets."""

    tenant: str = Field(default="runai", pattern=DISPLAY_NAME)
    """Name of the tenant, and of its realm. Run:ai's own installations call theirs so."""

    administrator: str = Field(default="admin@aliquot.local", pattern=EMAIL)
    """The first user, who may do everything; its password is printed once."""


class Tokens(_Group):
    """Tokens, and the keys that sign them."""

    access_seconds: int = Field(default=36_000, ge=60, le=604_800)
    """How long a token counts: Run:ai's count ten hours (control-plane-api.md 2.1)."""

    refresh_seconds: int = Field(default=86_400, ge=60, le=31_536_000)
    """How long a user can get another one without the password."""

    key_days: int = Field(default=30, ge=1, le=3650)
    """How long a key signs. The next one is published before, and the last one until its tokens have expired."""

    leeway_seconds: int = Field(default=30, ge=0, le=300)
    """So much clocks of several instances may differ."""

    @model_validator(mode="after")
    def _order(self) -> Self:
        if self.refresh_seconds < self.access_seconds:
            raise ValueError(
                f"refresh_seconds ({self.refresh_seconds}) must be at least access_seconds ({self.access_seconds})"
            )
        return self


class SignIn(_Group):
    """Guessing of passwords and secrets."""

    attempts: int = Field(default=5, ge=1, le=1000)
    """After so many failures in a row, the next attempts for that name from that address have to wait."""

    attempts_of_all: int = Field(default=100, ge=1, le=100_000)
    """The same for a name from all addresses together."""

    wait_seconds: float = Field(default=2, gt=0)
    """How long, at first; doubles with each further failure."""

    longest_wait_seconds: float = Field(default=900, gt=0)
    """How long at most. Failures are forgotten so long after the last wait."""

    checks_at_once: int = Field(default=4, ge=1, le=64)
    """Passwords that are checked at the same time; each takes 19 MiB and much of a core."""


class People(_Group):
    """People for whom an issuer outside vouches; `aliquot control-plane issuer` says which, for each tenant."""

    answer_seconds: float = Field(default=10, gt=0, le=60)
    """An issuer has so long for each answer."""

    requests_at_once: int = Field(default=8, ge=1, le=32)
    """So many wait for issuers at the same time; each keeps a thread, of which there are 40 for all requests."""


class Clusters(_Group):
    """Clusters that are connected."""

    silent_seconds: int = Field(default=120, ge=60, le=86_400)
    """A cluster that gave no sign of life for so long is `Disconnected`. It gives one a minute at least."""


class Workloads(_Group):
    """What is kept of the workloads of a cluster, and of their pods."""

    deleted_days: int = Field(default=30, ge=0, le=3650)
    """Those that are gone can be looked at for so long."""

    deleted_most: int = Field(default=10_000, ge=0, le=1_000_000)
    """At most so many of them, workloads and pods each; the oldest go first."""

    records_most: int = Field(default=100, ge=1, le=10_000)
    """Phases and Aliquot's own Events of each workload, the latest; and as many Events of others."""

    live_most: int = Field(default=200_000, ge=1, le=10_000_000)
    """At most so many that are there, workloads and pods each; what comes beyond that is left out."""

    orders_most: int = Field(default=500, ge=1, le=10_000)
    """Workloads of a cluster that wait for it to make, suspend, resume or delete them; beyond that, requests are
    refused."""

    spec_bytes: int = Field(default=65_536, ge=1024, le=1_048_576)
    """Longest spec of a workload that is submitted, as its custom resource has it."""


class Limits(_Group):
    """How many requests who may make; each instance counts for itself. Who has to wait gets 429 and Retry-After."""

    caller_per_second: float = Field(default=100, ge=0, le=100_000)
    """Of one user or application, in the long run; 0: no limit. One program that asks and waits comes to about this."""

    caller_burst: int = Field(default=1000, ge=1, le=1_000_000)
    """So many at once after a pause: clients of Run:ai do not know to wait, so a script that makes a thousand objects
    should pass."""

    stranger_per_second: float = Field(default=50, ge=0, le=100_000)
    """Of one address, without a token that counts; 0: no limit. Behind a proxy that `proxies` lacks all have one."""

    stranger_burst: int = Field(default=500, ge=1, le=1_000_000)
    """So many at once after a pause."""

    cluster_per_second: float = Field(default=20, ge=0, le=100_000)
    """Of one cluster; 0: no limit. It asks once a minute, and reports at most once a second where much goes on."""

    cluster_burst: int = Field(default=200, ge=1, le=1_000_000)
    """So many at once after a pause: a cluster that comes back tells everything, in parts."""


class ApiServer(Server):
    """The control plane's own HTTP server."""

    host: str = "127.0.0.1"
    """Address to listen at; from other hosts it should be reached by TLS: its own, or that of a proxy."""

    port: int = Field(default=8443, ge=0, le=65535)
    """Port to listen at; 0 takes a free one and logs it."""

    tls_certificate: Path | None = None
    """File with a certificate, and those of the authorities on its way, as PEM; None: it speaks plain HTTP. The file
    may be replaced at any time."""

    tls_key: Path | None = None
    """File with the certificate's private key, as PEM, without a password."""

    proxies: str = "127.0.0.1"
    """Addresses or networks of proxies, with commas between them: what they say of whom they speak for is believed
    (`X-Forwarded-For`)."""

    url: str = Field(default="", pattern=r"^(https?://[^/\s]+)?$")
    """How clients reach it: the issuer of its tokens begins so. Empty: http://HOST:PORT, or https:// with TLS. Tokens
    that were issued under another one do not count."""

    body_bytes: int = Field(default=1_048_576, ge=1024)
    """Longest body of a request; the largest that the API knows have some 100 kB."""

    @model_validator(mode="after")
    def _both(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key must be given together")
        return self


class ControlPlaneSettings(BaseSettings):
    """All settings of the control plane."""

    model_config = SettingsConfigDict(
        env_prefix="ALIQUOT_", env_nested_delimiter="__", extra="forbid", frozen=True, use_attribute_docstrings=True
    )

    database: DatabaseSettings = DatabaseSettings()
    first_start: FirstStart = FirstStart()
    tokens: Tokens = Tokens()
    sign_in: SignIn = SignIn()
    people: People = People()
    clusters: Clusters = Clusters()
    workloads: Workloads = Workloads()
    limits: Limits = Limits()
    server: ApiServer = ApiServer()
    log: Log = Log()
