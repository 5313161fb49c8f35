"""Where the API server is and who we are there: kubeconfig or in-cluster, through the `kubernetes` package.

That package is loaded on first use only: it takes 0.6 to 1.3 s. It knows the formats (contexts, merged files, exec
plugins, OIDC, token files); what we need of it is an address, a TLS context and headers that stay valid.
"""

import asyncio
import importlib
import os
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol, cast

from aliquot import log
from aliquot.clock import Clock
from aliquot.errors import AliquotError

_log = log.get(__name__)

SERVICE_ACCOUNT_DIRECTORY: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_REFRESH_SECONDS: Final = 60.0
"""How often tokens are read again. The kubelet replaces them at 80 % of their life, which is 10 minutes or more."""


class ConfigError(AliquotError):
    """It is unclear where the API server is, or who we are there; says which file or variable and why."""


@dataclass
class _Settings:
    """What the `kubernetes` package's loaders fill in (they set attributes of these names on whatever they get)."""

    host: str = ""
    ssl_ca_cert: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    verify_ssl: bool = True
    tls_server_name: str | None = None
    proxy: str | None = None
    api_key: dict[str, str] = field(default_factory=dict[str, str])
    refresh_api_key_hook: object = None


_Load = Callable[[_Settings], Awaitable[None]]


class Credentials:
    """The headers that say who we are, kept fresh.

    Tokens are read again (and exec plugins asked again, when their answer expires) every minute, and at once when the
    server answers 401. While that fails the old ones stay in use.
    """

    def __init__(self, load: _Load, settings: _Settings, clock: Clock) -> None:
        self._load = load
        self._settings = settings
        self._clock = clock
        self._lock = asyncio.Lock()
        self._read_at = clock.monotonic()
        self._headers = self._current()

    def _current(self) -> dict[str, str]:
        # A token file usually ends in a line break, which no header may contain.
        token = self._settings.api_key.get("BearerToken", "").strip()
        return {"Authorization": token} if token else {}

    async def headers(self) -> Mapping[str, str]:
        """Headers for the next request."""
        if self._headers and self._clock.monotonic() - self._read_at >= _REFRESH_SECONDS:
            await self.refresh(seen=self._headers)
        return self._headers

    async def refresh(self, seen: Mapping[str, str]) -> bool:
        """Read the credentials again, unless someone did so since `seen` was handed out; whether they differ now."""
        async with self._lock:
            due = self._clock.monotonic() - self._read_at >= _REFRESH_SECONDS
            if self._headers is seen or due:
                self._read_at = self._clock.monotonic()
                try:
                    await self._load(self._settings)
                except Exception as error:
                    # The loaders raise whatever the files make them raise; the old token may be good for a while.
                    _log.warning("credentials could not be read again", error=str(error))
                self._headers = self._current()
        return dict(self._headers) != dict(seen)


@dataclass(frozen=True, slots=True)
class Server:
    """An API server and our credentials there.

    Attributes:
        url: such as `https://10.96.0.1:443`, without a slash at the end.
        tls: how to check the server and, with client certificates, who we are; None for plain HTTP.
        credentials: tokens.
        tls_server_name: name to look for in the server's certificate, where it differs from the URL's host.
        proxy: URL of an HTTP proxy.
    """

    url: str
    tls: ssl.SSLContext | None
    credentials: Credentials
    tls_server_name: str | None = None
    proxy: str | None = None


class _Loader(Protocol):
    async def load_and_set(self, client_configuration: _Settings) -> None: ...


class _KubeConfigModule(Protocol):
    async def load_kube_config(
        self, config_file: str, context: str | None, client_configuration: _Settings, persist_config: bool
    ) -> _Loader: ...

    def list_kube_config_contexts(self, config_file: str) -> tuple[list[dict[str, str]], dict[str, str]]: ...


class _InClusterLoader(Protocol):
    def load_and_set(self, client_configuration: _Settings) -> None: ...


class _InClusterModule(Protocol):
    def InClusterConfigLoader(  # noqa: N802 - the package's name
        self, token_filename: str, cert_filename: str, try_refresh_token: bool, environ: Mapping[str, str]
    ) -> _InClusterLoader: ...


async def find_server(
    environment: Mapping[str, str], clock: Clock, *, kubeconfig: Path | None = None, context: str | None = None
) -> Server:
    """Find the API server in the order that controllers share.

    That is: the file given, the files in `KUBECONFIG`, the pod's service account, `~/.kube/config`.

    Args:
        environment: the process's environment variables.
        clock: for the age of tokens.
        kubeconfig: a file given on purpose.
        context: a context of the kubeconfig other than its current one.

    Raises:
        ConfigError: there is no usable configuration; says where it was looked for.
    """
    if kubeconfig is not None:
        return await from_kubeconfig(str(kubeconfig), clock, context=context)
    if environment.get("KUBECONFIG"):
        return await from_kubeconfig(environment["KUBECONFIG"], clock, context=context)
    if environment.get("KUBERNETES_SERVICE_HOST") and context is None:
        return await in_cluster(environment, clock)
    home = Path(environment.get("HOME") or "/") / ".kube" / "config"
    if not home.exists():
        message = (
            f"no API server: KUBECONFIG is not set, this is no pod (no KUBERNETES_SERVICE_HOST), and {home} is missing"
        )
        raise ConfigError(message)
    return await from_kubeconfig(str(home), clock, context=context)


async def from_kubeconfig(paths: str, clock: Clock, *, context: str | None = None) -> Server:
    """The server of a kubeconfig.

    Args:
        paths: a file, or several joined by `:`, of which earlier ones win.
        clock: for the age of tokens.
        context: a context other than the current one.

    Raises:
        ConfigError: no such file or context, or contents that make no sense.
    """
    if not _any_file(paths):
        raise ConfigError(f"kubeconfig {paths}: no such file")
    module = cast("_KubeConfigModule", importlib.import_module("kubernetes.aio.config"))
    settings = _Settings()
    try:
        loader = await module.load_kube_config(paths, context, settings, persist_config=False)
    except Exception as error:
        raise ConfigError(f"kubeconfig {paths}: {_explain(module, paths, context, error)}") from error
    if not settings.host:
        raise ConfigError(f"kubeconfig {paths}: its cluster has no `server`")
    if settings.host.startswith("https:") and not settings.api_key and not settings.cert_file:
        message = (
            f"kubeconfig {paths}: its user has no usable credentials (an exec plugin's failure is in the log above)"
        )
        raise ConfigError(message)

    async def load(into: _Settings) -> None:
        await loader.load_and_set(into)

    return _server(f"kubeconfig {paths}", settings, load, clock)


def _any_file(paths: str) -> bool:
    return any(Path(path).expanduser().is_file() for path in paths.split(os.pathsep) if path)


def _explain(module: _KubeConfigModule, paths: str, context: str | None, error: Exception) -> str:
    if context is None:
        return str(error)
    try:
        contexts = [str(entry["name"]) for entry in module.list_kube_config_contexts(paths)[0]]
    except Exception:
        # Whatever keeps the contexts from being listed is what `error` says already.
        return str(error)
    return str(error) if context in contexts else f"no context {context!r}; there are {', '.join(sorted(contexts))}"


async def in_cluster(
    environment: Mapping[str, str], clock: Clock, *, directory: Path = SERVICE_ACCOUNT_DIRECTORY
) -> Server:
    """The server of the cluster whose pod this process runs in.

    Raises:
        ConfigError: the variables or the files of the service account are missing.
    """
    module = cast("_InClusterModule", importlib.import_module("kubernetes.aio.config.incluster_config"))
    loader = module.InClusterConfigLoader(
        token_filename=str(directory / "token"),
        cert_filename=str(directory / "ca.crt"),
        try_refresh_token=False,  # we read it again ourselves, by the clock given
        environ=environment,
    )

    async def load(into: _Settings) -> None:
        loader.load_and_set(into)

    settings = _Settings()
    try:
        await load(settings)
    except Exception as error:
        raise ConfigError(f"in-cluster configuration in {directory}: {error}") from error
    return _server("in-cluster configuration", settings, load, clock)


def _server(source: str, settings: _Settings, load: _Load, clock: Clock) -> Server:
    tls: ssl.SSLContext | None = None
    if settings.host.startswith("https:"):
        try:
            tls = ssl.create_default_context(cafile=settings.ssl_ca_cert)
            if settings.cert_file:
                tls.load_cert_chain(settings.cert_file, settings.key_file)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"{source}: its certificates cannot be used: {error}") from error
        if not settings.verify_ssl:
            tls.check_hostname = False
            tls.verify_mode = ssl.CERT_NONE
    _forget_key_files()
    return Server(
        url=settings.host.rstrip("/"),
        tls=tls,
        credentials=Credentials(load, settings, clock),
        tls_server_name=settings.tls_server_name,
        proxy=settings.proxy,
    )


def _forget_key_files() -> None:
    """Remove the files that the package wrote keys into: the TLS context has them, and kill -9 would leave them."""
    module: Any = importlib.import_module("kubernetes.aio.config.kube_config")
    clean = getattr(module, "_cleanup_temp_files", None)
    if callable(clean):
        clean()
