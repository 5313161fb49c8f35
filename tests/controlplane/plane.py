"""A control plane to be spoken to over HTTP, with a tenant for each test, and one as a process of its own."""

import contextlib
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from prometheus_client import CollectorRegistry

from aliquot.clock import SystemClock
from aliquot.controlplane.app import application
from aliquot.controlplane.database import Database, migrate
from aliquot.controlplane.metrics.store import MetricStore
from aliquot.controlplane.services import Services, services
from aliquot.controlplane.settings import ControlPlaneSettings
from aliquot.controlplane.tenants import Credentials, change, make
from demo.administrator import printed_credentials

PATIENCE_SECONDS = 600
ADMINISTRATOR = "admin@example.com"
_numbers = itertools.count(1)


class Clock(SystemClock):
    """The machine's clock, and as much later as a test says."""

    def __init__(self) -> None:
        self.later_seconds = 0.0

    def now(self) -> float:
        return super().now() + self.later_seconds

    def monotonic(self) -> float:
        return super().monotonic() + self.later_seconds


@dataclass
class Caller:
    """Somebody with a token, or without: speaks HTTP, and remembers nothing."""

    http: httpx.Client
    host: str
    token: str | None = None

    def call(self, method: str, path: str, body: object = None, **parameters: Any) -> httpx.Response:
        headers = {"Host": self.host, **parameters.pop("headers", {})}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        content = None
        if body is not None:
            content, headers["Content-Type"] = json.dumps(body), "application/json"
        return self.http.request(method, path, content=content, params=parameters or None, headers=headers)

    def done(self, method: str, path: str, body: object = None, **parameters: Any) -> Any:
        """The body of an answer that is no error."""
        answer = self.call(method, path, body, **parameters)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def refused(self, status: int, method: str, path: str, body: object = None, **parameters: Any) -> str:
        """What an error says: its message and its details."""
        answer = self.call(method, path, body, **parameters)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        said = answer.json()
        assert said["code"] == status
        return f"{said['message']} | {said.get('details', '')}"


@dataclass
class Tenant:
    """A tenant, and its administrator's token."""

    plane: "Plane"
    made: Credentials
    host: str
    admin: Caller = field(init=False)

    def __post_init__(self) -> None:
        self.admin = self.signed_in(self.made.username, self.made.password)

    @property
    def id(self) -> int:
        return self.made.tenant_id

    @property
    def nobody(self) -> Caller:
        return Caller(self.plane.http, self.host)

    def signed_in(self, email: str, password: str) -> Caller:
        body = {"grantType": "password", "clientID": "cli", "username": email, "password": password}
        return Caller(self.plane.http, self.host, self.nobody.done("POST", "/api/v1/token", body)["accessToken"])

    def application(self, name: str | None = None) -> tuple[dict[str, Any], Caller]:
        """A new application without rights, and its token."""
        made = self.admin.done("POST", "/api/v1/apps", {"name": name or f"app-{next(_numbers)}"})
        body = {"grantType": "app_token", "AppId": made["name"], "AppSecret": made["secret"]}
        return made, Caller(self.plane.http, self.host, self.nobody.done("POST", "/api/v1/token", body)["accessToken"])

    def with_role(self, role: int, scope_type: str, scope_id: object) -> Caller:
        """Somebody with one role in one scope."""
        made, caller = self.application()
        self.admin.done(
            "POST",
            "/api/v1/authorization/access-rules",
            {
                "subjectId": made["name"],
                "subjectType": "app",
                "roleId": role,
                "scopeType": scope_type,
                "scopeId": str(scope_id),
            },
        )
        return caller

    def cluster(self, name: str | None = None) -> str:
        return self.admin.done("POST", "/api/v1/clusters", {"name": name or f"c{next(_numbers)}"})["uuid"]

    def pool(self, cluster: str, name: str = "default") -> dict[str, Any]:
        found = self.admin.done("GET", "/api/v1/node-pools", filterBy=[f"clusterId=={cluster}", f"name=={name}"])
        return found["nodepools"][0]

    def department(self, cluster: str, name: str = "default") -> dict[str, Any]:
        found = self.admin.done(
            "GET", "/api/v1/org-unit/departments", filterBy=[f"clusterId=={cluster}", f"name=={name}"]
        )
        return found["departments"][0]

    def new_department(self, cluster: str, name: str, deserved: float = 0) -> dict[str, Any]:
        body = {"name": name, "clusterId": cluster, "resources": [{"nodePool": None, "gpu": {"deserved": deserved}}]}
        return self.admin.done("POST", "/api/v1/org-unit/departments", body)

    def project(self, cluster: str, name: str, parent: object = None, deserved: float = 0) -> dict[str, Any]:
        body = {
            "name": name,
            "clusterId": cluster,
            "parentId": None if parent is None else str(parent),
            "resources": [{"nodePool": None, "gpu": {"deserved": deserved}}],
        }
        return self.admin.done("POST", "/api/v1/org-unit/projects", body)


@dataclass
class Plane:
    """A control plane in this process, and how to speak to it."""

    services: Services
    http: httpx.Client
    clock: Clock
    url: str

    def tenant(self, *, refuses_over_subscription: bool = False) -> Tenant:
        number = next(_numbers)
        host, kept = f"t{number}.example.com", list[Credentials]()
        now_ms = int(SystemClock().now() * 1000)
        make(self.services.database, f"tenant-{number}", host, ADMINISTRATOR, now_ms, kept.append)
        if refuses_over_subscription:
            change(self.services.database, f"tenant-{number}", refuses_over_subscription=True)
        return Tenant(self, kept[0], host)


@contextlib.contextmanager
def running(url: str, store: MetricStore | None = None, **settings: Any) -> Generator[Plane]:
    """A control plane on a real socket and a real database, in a thread of this process; it may keep time series."""
    made = ControlPlaneSettings(database={"url": url}, **settings)  # pyright: ignore[reportArgumentType]
    database = Database(made.database)
    try:
        migrate(database)
        with socket.create_server(("127.0.0.1", 0)) as listening:
            address = f"http://127.0.0.1:{listening.getsockname()[1]}"
            clock = Clock()
            with_all = services(made, made.server.url or address, database, clock, store)
            config = uvicorn.Config(
                application(with_all, CollectorRegistry()), log_config=None, access_log=False, lifespan="off"
            )
            server = uvicorn.Server(config)
            thread = threading.Thread(target=server.run, args=([listening],))
            thread.start()
            try:
                with httpx.Client(base_url=address, timeout=PATIENCE_SECONDS, trust_env=False) as http:
                    yield Plane(with_all, http, clock, address)
            finally:
                with_all.waiting.close()
                server.should_exit = True
                thread.join()
    finally:
        database.close()


class Process:
    """`aliquot control-plane serve`, which can be stopped and killed."""

    def __init__(self, process: "subprocess.Popen[str]", printed: dict[str, str], port: int) -> None:
        self.process = process
        self.printed = printed
        self.address = f"http://127.0.0.1:{port}"

    @property
    def http(self) -> httpx.Client:
        return httpx.Client(base_url=self.address, timeout=PATIENCE_SECONDS, trust_env=False)

    def administrator(self, http: httpx.Client, password: str) -> Caller:
        body = {"grantType": "password", "username": "admin@aliquot.local", "password": password}
        nobody = Caller(http, "localhost")
        return Caller(http, "localhost", nobody.done("POST", "/api/v1/token", body)["accessToken"])

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_SECONDS)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE_SECONDS)


@contextlib.contextmanager
def serving(database: str, folder: Path, *arguments: str) -> Generator[Process]:
    """The process, once it serves; killed at the end if it still runs."""
    said, told = folder / "stdout", folder / "stderr"
    command = [sys.executable, "-m", "aliquot", "control-plane", "serve", "--database", database, "--port", "0"]
    with said.open("w") as out, told.open("w") as err:
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
        process = subprocess.Popen([*command, *arguments], stdout=out, stderr=err, text=True, env=environment)
    try:
        port = _port(process, told)
        yield Process(process, printed_credentials(said.read_text()), port)
    finally:
        process.kill()
        process.wait(PATIENCE_SECONDS)


def _port(process: "subprocess.Popen[str]", told: Path) -> int:
    waited = threading.Event()
    for _ in range(PATIENCE_SECONDS * 10):
        for line in told.read_text().splitlines():
            if line.startswith("{") and line.endswith("}") and "port" in (record := json.loads(line)):
                return record["port"]
        assert process.poll() is None, f"it ended before it served: {told.read_text()}"
        waited.wait(0.1)
    raise AssertionError(f"it does not serve: {told.read_text()}")
