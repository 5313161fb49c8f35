"""The database: its versions, and that PostgreSQL and SQLite are the same to everybody; several instances on one."""

import ast
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

import aliquot.controlplane
from aliquot.controlplane.database import Database, migrate
from aliquot.controlplane.database.revisions import current
from aliquot.controlplane.database.tables import Base
from aliquot.controlplane.settings import DatabaseSettings
from tests.controlplane.databases import KINDS, empty_database
from tests.controlplane.plane import Caller, Plane, running

PROJECTS = "/api/v1/org-unit/projects"
ROOMS = Path(aliquot.controlplane.__file__).parent
WITH_SESSIONS = ("auth", "database", "tenants")


@pytest.fixture(scope="module", params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    with empty_database(request.param, tmp_path_factory) as made:
        yield made


@pytest.fixture(scope="module")
def planes(url: str) -> Generator[tuple[Plane, Plane]]:
    """Two instances on one database."""
    address = "http://control-plane.example.com"
    with running(url, server={"url": address}) as first, running(url, server={"url": address}) as second:
        yield first, second


def test_a_database_has_the_tables_that_the_program_knows_from_its_first_version_on(url: str) -> None:
    database = Database(DatabaseSettings(url=url))
    try:
        for _ in range(2):
            migrate(database)
            with database.reading() as session:
                assert compare_metadata(MigrationContext.configure(session.connection()), Base.metadata) == []
    finally:
        database.close()


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_database_of_the_first_version_has_is_kept(kind: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    with empty_database(kind, tmp_path_factory) as url:
        database = Database(DatabaseSettings(url=url))
        try:
            migrate(database, "0001")
            with database.writing() as session:
                for statement in (
                    "INSERT INTO tenants (id, name, refuses_over_subscription, created_ms) VALUES (7, 'old', false, 1)",
                    (
                        "INSERT INTO clusters (id, tenant_id, name, client_secret, created_ms, updated_ms, created_by) "
                        "VALUES ('c1', 7, 'prod', 'secret', 1, 1, 'somebody')"
                    ),
                ):
                    session.execute(text(statement))
            migrate(database)
            assert current(database, ["c1", "gone"]) == {"c1": 1}
        finally:
            database.close()


@pytest.mark.parametrize("kind", KINDS)
def test_what_pods_had_before_it_could_be_summed_up_counts(kind: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    with empty_database(kind, tmp_path_factory) as url:
        database = Database(DatabaseSettings(url=url))
        columns = (
            "cluster_id, id, tenant_id, session, name, workload_id, workload_name, kubernetes_phase, "
            "kubernetes_phase_ms, created_ms, updated_ms, document"
        )
        values = "'c1', '%s', 7, 's', 'p', 'w', 'w', 'Running', 1, 1, 1, '%s'"
        try:
            migrate(database, "0006")
            with database.writing() as session:
                for statement in (
                    "INSERT INTO tenants (id, name, refuses_over_subscription, created_ms) VALUES (7, 'old', false, 1)",
                    (
                        "INSERT INTO clusters (id, tenant_id, name, client_secret, revision, created_ms, updated_ms, "
                        "created_by) VALUES ('c1', 7, 'prod', 'secret', 1, 1, 1, 'somebody')"
                    ),
                    *(
                        f"INSERT INTO pods ({columns}) VALUES ({values % pod})"
                        for pod in (("p1", '{"allocated": {"gpu": 2.5}}'), ("p2", "{}"))
                    ),
                ):
                    session.connection().exec_driver_sql(statement)
            migrate(database)
            with database.reading() as session:
                rows = session.execute(text("SELECT id, allocated_gpu FROM pods ORDER BY id")).all()
            assert [tuple(row) for row in rows] == [("p1", 2.5), ("p2", 0)]
        finally:
            database.close()


def test_instances_believe_each_others_tokens_and_see_each_others_writes(planes: tuple[Plane, Plane]) -> None:
    tenant = planes[0].tenant()
    second = Caller(planes[1].http, tenant.host, tenant.admin.token)
    project = tenant.project(tenant.cluster(), "team-a", deserved=2.5)
    assert second.done("GET", f"{PROJECTS}/{project['id']}") == project


def test_of_many_who_make_the_same_at_once_one_does(planes: tuple[Plane, Plane]) -> None:
    tenant = planes[0].tenant()
    cluster = tenant.cluster()
    callers = [Caller(plane.http, tenant.host, tenant.admin.token) for plane in planes] * 4
    body: dict[str, Any] = {"name": "team-a", "clusterId": cluster, "resources": []}

    def make(caller: Caller) -> int:
        return caller.call("POST", PROJECTS, body).status_code

    with ThreadPoolExecutor(len(callers)) as threads:
        answers = list(threads.map(make, callers))
    assert sorted(answers) == [201] + [409] * (len(callers) - 1)


def test_quotas_that_are_promised_at_once_never_add_up_to_too_much(planes: tuple[Plane, Plane]) -> None:
    tenant = planes[0].tenant(refuses_over_subscription=True)
    cluster = tenant.cluster()
    department = tenant.new_department(cluster, "research", deserved=10)
    callers = [Caller(plane.http, tenant.host, tenant.admin.token) for plane in planes] * 4

    def promise(numbered: tuple[int, Caller]) -> int:
        number, caller = numbered
        body = {
            "name": f"team-{number}",
            "clusterId": cluster,
            "parentId": department["id"],
            "resources": [{"gpu": {"deserved": 4}}],
        }
        return caller.call("POST", PROJECTS, body).status_code

    with ThreadPoolExecutor(len(callers)) as threads:
        answers = list(threads.map(promise, enumerate(callers)))
    assert sorted(answers) == [201] * 2 + [400] * (len(callers) - 2)


def test_text_is_compared_by_its_characters_on_both(planes: tuple[Plane, Plane]) -> None:
    tenant = planes[0].tenant()
    cluster = tenant.cluster()
    for name in ("b", "a-b", "ab", "a"):
        tenant.project(cluster, name)

    def named(**parameters: Any) -> list[str]:
        return [project["name"] for project in tenant.admin.done("GET", PROJECTS, **parameters)["projects"]]

    assert named(sortBy="name") == ["a", "a-b", "ab", "b"]
    assert named(sortBy="name", filterBy="name<=a-z") == ["a", "a-b"]
    assert named(filterBy="name=@A") == []
    assert named(sortBy="name", filterBy="name=^a", sortOrder="desc") == ["ab", "a-b", "a"]
    assert named(filterBy="name=@%") == []
    tenant.admin.done("DELETE", f"/api/v1/clusters/{cluster}")
    assert named() == []


def test_the_older_surface_keeps_and_shows_the_same_on_both(planes: tuple[Plane, Plane]) -> None:
    tenant = planes[0].tenant()
    cluster = tenant.cluster()
    second = Caller(planes[1].http, tenant.host, tenant.admin.token)
    dgx = tenant.admin.done("POST", "/v1/k8s/nodetypes", {"name": "dgx", "clusterUuid": cluster})
    affinity = {"train": {"affinityType": "only_selected", "selectedTypes": [{"id": dgx["id"]}]}}
    people = {"users": ["u@example.com"], "groups": ["g"], "applications": []}
    body = {"name": "p", "deservedGpus": 2.5, "nodeAffinity": affinity, "permissions": people}
    path = f"/v1/k8s/clusters/{cluster}/projects"
    made = tenant.admin.done("POST", path, body)
    assert second.done("GET", path) == [made]
    assert made["permissions"] == people
    (default,) = second.done("GET", f"/v1/k8s/clusters/{cluster}/departments")
    assert default["projects"] == [made]
    user = {"email": "v@example.com", "password": "a-long-enough-password", "roles": ["viewer"]}
    viewer = second.done("POST", "/v1/k8s/users", {**user, "permittedClusters": [cluster]})
    assert tenant.admin.done("GET", "/v1/k8s/users", roles="viewer") == [viewer]
    image = {"logo": "iVBORw0KGgo="}
    for caller in (tenant.admin, second):
        caller.done("PUT", "/v1/k8s/setting", {"key": "department.use", "value": True})
        caller.done("POST", "/api/v1/logo", image)
    assert (second.done("GET", "/v1/k8s/setting/department.use"), second.done("GET", "/api/v1/logo")) == (True, image)
    records = second.done("GET", "/v1/k8s/audit", entity_type="logo")
    assert [record["body"] for record in records] == [{"bytes": 8}] * 2


def test_rooms_reach_the_database_only_through_permits() -> None:
    """Else a query could forget whose objects it is about."""
    forbidden = {"select", "Session", "insert", "update", "delete", "text", "MAKER", "CLUSTER_MAKER", "create_engine"}
    found = [
        f"{file.relative_to(ROOMS)}: {name.name}"
        for file in sorted(ROOMS.rglob("*.py"))
        if file.relative_to(ROOMS).parts[0] not in WITH_SESSIONS
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ImportFrom)
        for name in node.names
        if name.name in forbidden or (node.module or "").endswith("controlplane.database.engine")
    ]
    assert found == []
