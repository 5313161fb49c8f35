"""The control plane's process: the database brought up to date, the first tenant, the server."""

import asyncio
import contextlib
import gc
import socket
import sys
from collections.abc import Generator

import uvicorn

from aliquot import log
from aliquot.clock import SystemClock
from aliquot.controlplane.app import application
from aliquot.controlplane.auth.keys import rotate
from aliquot.controlplane.auth.people.claims import Trust
from aliquot.controlplane.database import Database, migrate
from aliquot.controlplane.services import services
from aliquot.controlplane.settings import ControlPlaneSettings
from aliquot.controlplane.tenants import Credentials, change, first_tenant, keep_issuer, make
from aliquot.controlplane.tls import Renewed
from aliquot.process import registry_of_process, run_until_told

_log = log.get(__name__)
_WAITING_CONNECTIONS = 1024
_GRACE_SECONDS = 20
"""Requests in progress have so long to end."""


class _Server(uvicorn.Server):
    """A server that leaves signals to the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Do nothing."""
        yield


async def _serve(settings: ControlPlaneSettings) -> None:
    database = Database(settings.database)
    try:
        await asyncio.to_thread(_prepare, settings, database)
        with _listening(settings) as listening:
            port = listening.getsockname()[1]
            tls = _certificate(settings)
            url = settings.server.url or f"http{'s' if tls else ''}://{settings.server.host}:{port}"
            made = services(settings, url, database, SystemClock())
            await asyncio.to_thread(made.keys.signing)
            config = uvicorn.Config(
                application(made, registry_of_process()),
                log_config=None,
                access_log=False,
                lifespan="off",
                server_header=False,
                forwarded_allow_ips=settings.server.proxies,
                ssl_context_factory=tls and (lambda _config, _default: tls.context),
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
            gc.collect()
            gc.freeze()  # what is there now lives as long as we: no long list has to wait for a look through it
            server = _Server(config)
            serving = asyncio.create_task(server.serve(sockets=[listening]))
            _log.info("serving", host=settings.server.host, port=port, url=url)
            try:
                await asyncio.shield(serving)
            finally:
                made.waiting.close()
                made.provider.close()
                server.should_exit = True
                await serving
    finally:
        database.close()


def _certificate(settings: ControlPlaneSettings) -> Renewed | None:
    certificate, key = settings.server.tls_certificate, settings.server.tls_key
    return None if certificate is None or key is None else Renewed(certificate, key)


def _prepare(settings: ControlPlaneSettings, database: Database) -> None:
    migrate(database)
    first = settings.first_start
    first_tenant(database, first.tenant, first.administrator, int(SystemClock().now() * 1000), tell)


def tell(made: Credentials) -> None:
    """Show somebody who starts this, and only them, how to sign in."""
    sys.stdout.write(
        f"tenant (realm): {made.tenant}\nadministrator: {made.username}\npassword: {made.password}\n"
        "This is shown once. Keep it, or create other users and delete this one.\n"
    )
    sys.stdout.flush()


def keep_tenant(
    settings: ControlPlaneSettings,
    name: str,
    host: str | None,
    administrator: str | None,
    refuses_over_subscription: bool | None,
) -> None:
    """Make a tenant where an administrator is given, and change what is said about it.

    Raises:
        UserError: there is one of this name, or none to be changed, or what is given makes no tenant.
        Unavailable: the database does not answer.
    """
    with _up_to_date(settings) as database:
        if administrator is not None:
            now_ms = int(SystemClock().now() * 1000)
            make(database, name, host, administrator, now_ms, tell)
        if refuses_over_subscription is not None:
            change(database, name, refuses_over_subscription=refuses_over_subscription)


def keep_issuer_of(settings: ControlPlaneSettings, name: str, trust: Trust | None) -> None:
    """Say who vouches for the people of a tenant; None: nobody.

    Raises:
        UserError: there is no such tenant, or what is given makes no issuer.
        Unavailable: the database does not answer.
    """
    with _up_to_date(settings) as database:
        keep_issuer(database, name, trust)


def rotate_keys(settings: ControlPlaneSettings, *, forget: bool) -> None:
    """Have another key sign tokens from now on; see `auth.keys.rotate`.

    Raises:
        Unavailable: the database does not answer.
    """
    with _up_to_date(settings) as database:
        rotate(database, int(SystemClock().now() * 1000), forget=forget)


@contextlib.contextmanager
def _up_to_date(settings: ControlPlaneSettings) -> Generator[Database]:
    database = Database(settings.database)
    try:
        migrate(database)
        yield database
    finally:
        database.close()


def _listening(settings: ControlPlaneSettings) -> socket.socket:
    """Take the address.

    Raises:
        OSError: it is taken, or not this machine's.
    """
    host, port = settings.server.host, settings.server.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(_WAITING_CONNECTIONS)  # who connects from now on is served as soon as we do
    except OSError:
        listening.close()
        raise
    return listening


def run(settings: ControlPlaneSettings) -> None:
    """Serve until SIGTERM or SIGINT; requests in progress are answered before.

    Raises:
        OSError: the address is taken.
        UnusableCertificate: there is to be TLS, and its files are no certificate and key.
        Unavailable: the database does not answer.
        UnknownVersion: it is a newer Aliquot's.
    """
    run_until_told(settings, settings.log, lambda: _serve(settings))
