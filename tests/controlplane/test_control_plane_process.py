"""`aliquot control-plane serve`: how it starts, ends, and what is left of what it was doing when it is killed."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from aliquot.cli.main import app
from tests.controlplane.cluster import Cluster
from tests.controlplane.plane import Caller, Process, running, serving

PROJECTS = "/api/v1/org-unit/projects"


def test_it_serves_with_nothing_but_a_file_and_keeps_what_it_is_told(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/aliquot.db"
    with serving(database, tmp_path) as first, first.http as http:
        password = first.printed["password"]
        admin = first.administrator(http, password)
        cluster = admin.done("POST", "/api/v1/clusters", {"name": "c1"})
        body = {"name": "team-a", "clusterId": cluster["uuid"], "resources": [{"gpu": {"deserved": 2.5}}]}
        project = admin.done("POST", PROJECTS, body)
        assert [http.get(page).status_code for page in ("/healthz", "/readyz", "/api/docs")] == [200, 200, 200]
        assert 'route="/api/v1/org-unit/projects",status="201"' in http.get("/metrics").text
        assert "/api/v1/org-unit/projects/{projectId}" in http.get("/api/openapi.json").json()["paths"]
        assert first.stop() == 0
        token = admin.token
    assert password not in (tmp_path / "stderr").read_text(), "the log has no secrets"
    with serving(database, tmp_path, "--port", first.address.rpartition(":")[2]) as second, second.http as http:
        assert second.printed == {}, "credentials are shown once"
        again = second.administrator(http, password)
        assert again.done("GET", f"{PROJECTS}/{project['id']}") == project
        again.token = token
        assert again.done("GET", "/api/v1/clusters") == [cluster], "keys are kept, so tokens still count"


def test_killed_while_it_writes_it_keeps_what_it_answered_and_nothing_by_halves(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/aliquot.db"
    answered: list[str] = []
    with serving(database, tmp_path) as process, process.http as http:
        admin = process.administrator(http, process.printed["password"])
        cluster = admin.done("POST", "/api/v1/clusters", {"name": "c1"})["uuid"]
        for name in ("a100", "h100"):
            pool = {"name": name, "clusterId": cluster, "labelKey": "gpu", "labelValue": name}
            admin.done("POST", "/api/v1/node-pools", pool)
        enough = threading.Event()
        writers = [
            threading.Thread(target=_write, args=(process, admin, cluster, f"w{number}", answered, enough))
            for number in range(3)
        ]
        for writer in writers:
            writer.start()
        assert enough.wait(600)
        process.kill()
        for writer in writers:
            writer.join()
        printed = process.printed
    with running(database) as plane:
        body = {"grantType": "password", "username": printed["administrator"], "password": printed["password"]}
        nobody = Caller(plane.http, "localhost")
        after = Caller(plane.http, "localhost", nobody.done("POST", "/api/v1/token", body)["accessToken"])
        there = after.done("GET", PROJECTS, limit=500)["projects"]
        assert set(answered) <= {project["name"] for project in there}
        assert all(len(project["resources"]) == 3 for project in there), "each has an amount in each pool"
        log = after.done("GET", "/api/v1/audit/log", filterBy=["entityType==project", "action==create"], limit=500)
        assert {record["entityId"] for record in log["records"]} == {project["id"] for project in there}


def _write(
    process: Process, admin: Caller, cluster: str, prefix: str, answered: list[str], enough: threading.Event
) -> None:
    with process.http as http:
        caller = Caller(http, admin.host, admin.token)
        for number in range(150):
            name = f"{prefix}-{number}"
            body = {"name": name, "clusterId": cluster, "resources": [{"gpu": {"deserved": number}}]}
            try:
                if caller.call("POST", PROJECTS, body).status_code == 201:
                    answered.append(name)
            except httpx.TransportError:
                return
            if len(answered) >= 10:
                enough.set()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--database", "mysql://x"], "ALIQUOT_DATABASE__URL"),
        (["--port", "70000"], "ALIQUOT_SERVER__PORT"),
    ],
    ids=str,
)
def test_what_it_cannot_start_with_is_named(arguments: list[str], says: str) -> None:
    done = CliRunner().invoke(app, ["control-plane", "serve", *arguments])
    assert done.exit_code == 2
    assert says in done.stderr


def test_a_database_that_cannot_be_opened_is_told_of_without_a_traceback() -> None:
    arguments = ["control-plane", "serve", "--database", "sqlite:////no/such/folder/aliquot.db"]
    done = subprocess.run(
        [sys.executable, "-m", "aliquot", *arguments], capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 1
    assert "the database does not answer" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_tenant_is_made_and_changed_from_the_command_line(tmp_path: Path) -> None:
    database = ["--database", f"sqlite:///{tmp_path}/aliquot.db"]
    make = ["control-plane", "tenant", "acme", *database, "--host", "acme.example.com", "--administrator", "a@acme.com"]
    done = CliRunner().invoke(app, make)
    assert done.exit_code == 0, done.output
    printed = dict(line.split(": ", 1) for line in done.stdout.splitlines()[:3])
    again = CliRunner().invoke(app, make)
    assert (again.exit_code, "there is a tenant of this name" in again.stderr) == (1, True)
    changed = CliRunner().invoke(app, ["control-plane", "tenant", "acme", *database, "--refuse-over-subscription"])
    assert changed.exit_code == 0, changed.output
    with running(database[1]) as plane:
        body = {"grantType": "password", "username": "A@acme.com", "password": printed["password"]}
        nobody = Caller(plane.http, "acme.example.com")
        admin = Caller(plane.http, "any", nobody.done("POST", "/api/v1/token", body)["accessToken"])
        cluster = admin.done("POST", "/api/v1/clusters", {"name": "c1"})["uuid"]
        project = {"name": "team-a", "clusterId": cluster, "resources": [{"gpu": {"deserved": 1}}]}
        assert "refuses quotas" in admin.refused(400, "POST", PROJECTS, project)


def test_it_ends_at_once_also_while_a_cluster_waits_for_changes(tmp_path: Path) -> None:
    with serving(f"sqlite:///{tmp_path}/aliquot.db", tmp_path) as process, process.http as http:
        admin = process.administrator(http, process.printed["password"])
        uuid = admin.done("POST", "/api/v1/clusters", {"name": "c1"})["uuid"]
        info = admin.done("GET", f"/api/v1/clusters/{uuid}/cluster-install-info", version="2.18")
        cluster = Cluster(http, uuid, info["clientSecret"])
        known, answers = cluster.ask().headers["ETag"], list[int]()
        waiting = threading.Thread(target=lambda: answers.append(cluster.ask(known, wait_seconds=55).status_code))
        began = time.monotonic()
        waiting.start()
        while "aliquot_control_plane_waiting_requests 1.0" not in http.get("/metrics").text:
            assert time.monotonic() - began < 30
        assert process.stop() == 0
        waiting.join()
        assert answers == [304]
        assert time.monotonic() - began < 40, "it does not wait for the end of the wait"
