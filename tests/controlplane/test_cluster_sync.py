"""What clusters are told, who may ask for it, and how they wait: over HTTP, on both databases and two instances."""

import threading
import time
import uuid
from collections.abc import Callable, Generator
from typing import Any

import httpx
import pytest

from aliquot.controlplane.database.tables import Cluster as ClusterRow
from tests.controlplane.cluster import WELL, Cluster, cluster_of, node
from tests.controlplane.plane import Caller, Plane, Tenant

CLUSTERS, PROJECTS, POOLS = "/api/v1/clusters", "/api/v1/org-unit/projects", "/api/v1/node-pools"
DEPARTMENTS, RULES = "/api/v1/org-unit/departments", "/api/v1/authorization/access-rules"


@pytest.fixture
def tenant(planes: tuple[Plane, Plane]) -> Tenant:
    return planes[0].tenant()


@pytest.fixture
def cluster(tenant: Tenant) -> Cluster:
    return cluster_of(tenant)


# Who may ask


@pytest.mark.parametrize(
    ("which", "secret"),
    [("own", "guess"), ("own", ""), ("own", "ß\0"), ("no", "own"), ("unknown", "own")],
    ids=["another secret", "no secret", "an odd secret", "no cluster", "an unknown cluster"],
)
def test_who_is_not_that_cluster_is_not_told_which_part_is_wrong(cluster: Cluster, which: str, secret: str) -> None:
    cluster.uuid = {"own": cluster.uuid, "no": "no-uuid", "unknown": str(uuid.uuid4())}[which]
    cluster.secret = cluster.secret if secret == "own" else secret
    for answer in (cluster.ask(), cluster.send(cluster.next_report(cluster=WELL))):
        assert (answer.status_code, answer.json()["message"]) == (401, "The cluster or its secret is wrong.")
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")


@pytest.mark.parametrize("header", ["Basic", "Basic ?", "Basic " + "A" * 5000, "Bearer x", "Basic /w=="])
def test_credentials_that_are_none_are_refused(cluster: Cluster, header: str) -> None:
    path = f"/cluster-sync/v1/{cluster.uuid}/desired"
    assert cluster.http.get(path, headers={"Authorization": header}).status_code == 401


def test_the_credentials_of_one_cluster_open_no_other_and_nothing_of_users(tenant: Tenant, cluster: Cluster) -> None:
    other = cluster_of(tenant)
    own = (cluster.uuid, cluster.secret)
    assert cluster.http.get(f"/cluster-sync/v1/{other.uuid}/desired", auth=own).status_code == 401
    assert cluster.http.get(CLUSTERS, auth=own).status_code == 401


def test_another_secret_counts_at_once_and_the_old_one_no_more(tenant: Tenant, cluster: Cluster) -> None:
    assert cluster.ask().status_code == 200
    with tenant.plane.services.database.writing(tenant.id) as session:
        session.get_one(ClusterRow, cluster.uuid).client_secret = "another"
    assert cluster.ask().status_code == 401
    cluster.secret = "another"
    assert cluster.ask().status_code == 200


def test_who_guesses_has_to_wait_and_who_knows_has_not(tenant: Tenant, cluster: Cluster) -> None:
    guesser = Cluster(cluster.http, cluster.uuid, "guess")
    limit = tenant.plane.services.settings.sign_in.attempts
    answers = [guesser.ask() for _ in range(limit + 1)]
    assert [answer.status_code for answer in answers] == [401] * limit + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert cluster.ask().status_code == 200


# Down


def test_a_cluster_is_told_all_that_it_is_to_have(tenant: Tenant, cluster: Cluster) -> None:
    label = {"labelKey": "k", "labelValue": "v", "placementStrategy": {"cpu": "spread", "gpu": "binpack"}}
    pool = {"name": "a100", "clusterId": cluster.uuid, "overProvisioningRatio": 2, **label}
    made = tenant.admin.done("POST", POOLS, pool)
    research = tenant.new_department(cluster.uuid, "research", deserved=8)
    project = {
        "name": "team-a",
        "clusterId": cluster.uuid,
        "parentId": research["id"],
        "requestedNamespace": "team",
        "defaultNodePools": ["a100", "default"],
        "nodeTypes": {"training": ["dgx"], "workspace": ["v100", "t4"]},
        "schedulingRules": {
            "interactiveJobTimeLimitSeconds": 1,
            "interactiveJobMaxIdleDurationSeconds": 2,
            "interactiveJobPreemptIdleDurationSeconds": 3,
            "trainingJobMaxIdleDurationSeconds": 4,
            "trainingJobTimeLimitSeconds": 5,
        },
        "resources": [
            {
                "nodePool": {"id": made["id"], "name": "a100"},
                "gpu": {"deserved": 2.5, "limit": 4, "overQuotaWeight": 1},
                "cpu": {"deserved": 1500, "limit": None},
                "memory": {"deserved": 1000, "limit": -1, "overQuotaWeight": 3, "units": "Mib"},
            }
        ],
    }
    made_project = tenant.admin.done("POST", PROJECTS, project)
    app, _ = tenant.application()
    rule = {"subjectType": "app", "subjectId": app["id"], "roleId": 5, "scopeType": "project"}
    made_rule = tenant.admin.done("POST", RULES, {**rule, "scopeId": made_project["id"]})
    desired = cluster.desired()
    assert [each.name for each in desired.node_pools] == ["a100", "default"]
    default, a100 = desired.node_pools[1], desired.node_pools[0]
    assert (default.label_key, default.label_value) == (None, None)
    assert (a100.id, a100.label_key, a100.label_value) == (made["id"], "k", "v")
    assert (a100.over_provisioning_ratio, a100.cpu_placement, a100.gpu_placement) == (2, "spread", "binpack")
    assert [each.name for each in desired.departments] == ["default", "research"]
    assert {queue.node_pool: queue.gpu.deserved for queue in desired.departments[1].queues} == {"a100": 0, "default": 8}
    (team,) = desired.projects
    assert (team.id, team.name, team.department, team.namespace) == (made_project["id"], "team-a", "research", "team")
    assert (team.default_node_pools, team.training_types) == (("a100", "default"), ("dgx",))
    assert team.interactive_types == ("v100", "t4")
    assert (team.interactive_time_limit_seconds, team.interactive_idle_seconds) == (1, 2)
    assert (team.preemptible_interactive_idle_seconds, team.training_idle_seconds) == (3, 4)
    assert team.training_time_limit_seconds == 5
    queue = team.queues[0]
    assert (queue.gpu.deserved, queue.gpu.limit, queue.gpu.over_quota_weight) == (2.5, 4, 1)
    assert (queue.cpu.deserved, queue.cpu.limit, queue.cpu.over_quota_weight) == (1500, -1, 2)
    assert (queue.memory.deserved, queue.memory.limit, queue.memory.over_quota_weight) == (1048.576, -1, 3)
    rules = {each.id: each for each in desired.access_rules}
    shown = rules[str(made_rule["id"])]
    assert (shown.subject_id, shown.subject_type) == (app["name"], "app"), "by its name, also if the rule has its id"
    assert (shown.role_name, shown.scope_type, shown.scope_name) == ("L1 researcher", "project", "team-a")
    assert [each.scope_type for each in desired.access_rules] == ["tenant", "project"]


def test_clusters_are_told_nothing_of_others(tenant: Tenant, planes: tuple[Plane, Plane]) -> None:
    stranger = planes[0].tenant()
    mine, other, foreign = cluster_of(tenant), cluster_of(tenant), cluster_of(stranger)
    for where, name in ((tenant, "mine"), (stranger, "foreign")):
        at = mine if where is tenant else foreign
        project = where.project(at.uuid, name)
        where.with_role(5, "project", project["id"])
        where.with_role(5, "cluster", at.uuid)
    told, of_other = mine.desired(), other.desired()
    assert [each.name for each in told.projects] == ["mine"]
    assert [each.scope_type for each in told.access_rules] == ["tenant", "project", "cluster"]
    assert (of_other.projects, [each.scope_type for each in of_other.access_rules]) == ((), ["tenant"])
    assert [each.name for each in foreign.desired().projects] == ["foreign"]


def _changes(tenant: Tenant, cluster: Cluster) -> Generator[str]:
    """Everything that makes a cluster have something else, one after the other."""
    admin = tenant.admin
    pool = admin.done("POST", POOLS, {"name": "p", "clusterId": cluster.uuid, "labelKey": "k", "labelValue": "v"})
    yield "a new pool"
    admin.done("PATCH", f"{POOLS}/{pool['id']}", {"overProvisioningRatio": 2})
    yield "a changed pool"
    admin.done("DELETE", f"{POOLS}/{pool['id']}")
    yield "a deleted pool"
    department = tenant.new_department(cluster.uuid, "research")
    yield "a new department"
    admin.done("PATCH", f"{DEPARTMENTS}/{department['id']}/resources", [{"gpu": {"deserved": 4}}])
    yield "a changed department"
    project = tenant.project(cluster.uuid, "team-a", department["id"])
    yield "a new project"
    admin.done("PATCH", f"{PROJECTS}/{project['id']}/resources", [{"gpu": {"deserved": 2}}])
    yield "a changed project"
    app, _ = tenant.application()
    body = {"subjectId": app["name"], "subjectType": "app", "roleId": 5, "scopeType": "tenant"}
    rule = admin.done("POST", RULES, {**body, "scopeId": str(tenant.id)})
    yield "a rule for the tenant"
    admin.done("DELETE", f"{RULES}/{rule['id']}")
    yield "no rule for the tenant"
    admin.done("POST", RULES, {**body, "scopeType": "project", "scopeId": project["id"]})
    yield "a rule for the project"
    admin.done("DELETE", f"/api/v1/apps/{app['id']}")
    yield "its subject is gone"
    admin.done("DELETE", f"{PROJECTS}/{project['id']}")
    yield "a deleted project (A14)"
    admin.done("DELETE", f"{DEPARTMENTS}/{department['id']}")
    yield "a deleted department"


def test_every_change_gives_another_revision_and_nothing_else_does(tenant: Tenant, cluster: Cluster) -> None:
    beside = cluster_of(tenant)
    at_first, of_beside = cluster.desired(), beside.desired().revision
    known = at_first
    for change in _changes(tenant, cluster):
        now = cluster.desired()
        assert int(now.revision) > int(known.revision), change
        assert now.model_dump(exclude={"revision"}) != known.model_dump(exclude={"revision"}), change
        assert cluster.ask(f'"{now.revision}"').status_code == 304
        known = now
    assert known.model_dump(exclude={"revision"}) == at_first.model_dump(exclude={"revision"}), "all is undone"
    assert int(beside.desired().revision) > int(of_beside), "rules of the tenant are also its"
    revision = cluster.desired().revision
    cluster.report(node("n1"), cluster=WELL)
    tenant.admin.done("POST", "/api/v1/users", {"email": "somebody@example.com"})
    tenant.project(beside.uuid, "elsewhere")
    assert cluster.desired().revision == revision


@pytest.mark.parametrize("form", ['"{}"', 'W/"{}"', '"1", "{}"', "*"])
def test_a_cluster_that_knows_is_told_so(cluster: Cluster, form: str) -> None:
    answer = cluster.ask()
    same = cluster.ask(form.format(cluster.desired().revision))
    assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", answer.headers["ETag"])


@pytest.mark.parametrize("seconds", [-1, 56, "soon"])
def test_nobody_waits_for_ever(cluster: Cluster, seconds: Any) -> None:
    answer = cluster.ask(wait_seconds=seconds)
    assert (answer.status_code, "waitSeconds" in answer.json()["message"]) == (400, True)


def test_a_database_that_was_restored_is_not_mistaken_for_what_the_cluster_has(
    tenant: Tenant, cluster: Cluster
) -> None:
    with tenant.plane.services.database.reading() as session:
        backup = session.get_one(ClusterRow, cluster.uuid).revision
    for number in range(3):
        tenant.new_department(cluster.uuid, f"lost-{number}")
    had = int(cluster.desired().revision)
    with tenant.plane.services.database.writing(tenant.id) as session:
        session.get_one(ClusterRow, cluster.uuid).revision = backup
    assert cluster.ask(f'"{had}"').status_code == 200
    tenant.new_department(cluster.uuid, "new")
    assert int(cluster.desired().revision) > had


# Waiting


def _waiting(cluster: Cluster, seconds: int = 55) -> tuple[threading.Thread, list[tuple[int, float]]]:
    """A cluster that waits; gives the status of its answer and when that came."""
    known, answers = cluster.ask().headers["ETag"], list[tuple[int, float]]()

    def wait() -> None:
        answer = cluster.ask(known, wait_seconds=seconds)
        answers.append((answer.status_code, time.monotonic()))

    thread = threading.Thread(target=wait)
    thread.start()
    return thread, answers


def _waiters(plane: Plane) -> int:
    return plane.services.waiting.count


def _eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)


@pytest.mark.parametrize("writer", [0, 1], ids=["the same instance", "another instance"])
def test_who_waits_hears_of_a_change_within_a_second(
    planes: tuple[Plane, Plane], tenant: Tenant, cluster: Cluster, writer: int
) -> None:
    thread, answers = _waiting(cluster)
    _eventually(lambda: _waiters(planes[0]) == 1)
    admin = Caller(planes[writer].http, tenant.host, tenant.admin.token)
    admin.done("POST", PROJECTS, {"name": "team-a", "clusterId": cluster.uuid, "resources": []})
    written = time.monotonic()
    thread.join(60)
    ((status, when),) = answers
    assert status == 200
    assert when - written < 1
    assert _waiters(planes[0]) == 0


def test_who_waits_in_vain_is_told_that_there_is_nothing_new(cluster: Cluster) -> None:
    began = time.monotonic()
    assert cluster.ask(cluster.ask().headers["ETag"], wait_seconds=1).status_code == 304
    assert time.monotonic() - began >= 1


def test_who_waits_and_is_deleted_is_told_that_nobody_knows_it(tenant: Tenant, cluster: Cluster) -> None:
    thread, answers = _waiting(cluster)
    _eventually(lambda: _waiters(tenant.plane) == 1)
    tenant.admin.done("DELETE", f"{CLUSTERS}/{cluster.uuid}")
    thread.join(60)
    assert [status for status, _ in answers] == [401]


def test_nobody_is_waited_for_who_has_gone_away(planes: tuple[Plane, Plane], cluster: Cluster) -> None:
    known = cluster.ask().headers["ETag"]
    with pytest.raises(httpx.ReadTimeout):
        cluster.ask(known, wait_seconds=55, timeout=0.5)
    _eventually(lambda: _waiters(planes[0]) == 0)


def test_one_cluster_keeps_few_requests_waiting(planes: tuple[Plane, Plane], tenant: Tenant, cluster: Cluster) -> None:
    several = [_waiting(cluster) for _ in range(6)]
    _eventually(lambda: sum(len(answers) for _, answers in several) == 2)
    assert _waiters(planes[0]) == 4
    tenant.project(cluster.uuid, "team-a")
    for thread, _ in several:
        thread.join(60)
    assert sorted(status for _, answers in several for status, _ in answers) == [200] * 4 + [304] * 2


def test_who_waits_keeps_nobody_from_being_served(planes: tuple[Plane, Plane], tenant: Tenant) -> None:
    """There are 40 threads for requests, and 20 connections."""
    several = [_waiting(cluster) for cluster in [cluster_of(tenant) for _ in range(11)] for _ in range(4)]
    _eventually(lambda: _waiters(planes[0]) == 44)
    metrics = planes[0].http.get("/metrics").text
    assert "aliquot_control_plane_waiting_requests 44.0" in metrics
    tenant.with_role(5, "tenant", tenant.id)
    for thread, _ in several:
        thread.join(60)
    assert {status for _, answers in several for status, _ in answers} == {200}
