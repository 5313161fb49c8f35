"""What clusters say of themselves: which reports are taken, and what is left of them, whatever happens on the way."""

import json
import random
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from aliquot.contracts.cluster_sync import (
    KINDS,
    MOST_BYTES,
    MOST_OBJECTS,
    Gone,
    Kind,
    Report,
    Reported,
    ReportedAccessRule,
    ReportedCondition,
    ReportedDepartment,
    ReportedNodePool,
    ReportedPolicy,
    ReportedProject,
    ReportedStorageClass,
)
from aliquot.controlplane.cluster_sync.rules import SILENT_MS
from aliquot.controlplane.database.tables import ClusterState, ReportedObject
from tests.controlplane.cluster import WELL, Cluster, cluster_of, node
from tests.controlplane.plane import Caller, Plane, Tenant

RULES = "/api/v1/authorization/access-rules"
NODES = "/api/v1/clusters/{}/nodes"
NAMED: Final[tuple[Kind, ...]] = tuple(kind for kind in KINDS if kind not in ("workload", "pod", "event", "order"))
"""Kinds that are known by name; `test_workloads.py` and `test_submissions.py` are about the others."""
Kept = dict[tuple[str, str], str]
"""Of each object by kind and name a part that differs: a node's pool, whether a StorageClass is the default one (x) or
not (y), the message of all others."""


@pytest.fixture
def tenant(planes: tuple[Plane, Plane]) -> Tenant:
    return planes[0].tenant()


@pytest.fixture
def cluster(tenant: Tenant) -> Cluster:
    return cluster_of(tenant)


def _kept(plane: Plane, cluster: Cluster) -> Kept:
    with plane.services.database.reading() as session:
        rows = session.scalars(select(ReportedObject).where(ReportedObject.cluster_id == cluster.uuid))
        return {(row.kind, row.name): _says(row.document) for row in rows}


def _says(document: dict[str, Any]) -> str:
    if "isDefault" in document:
        return "x" if document["isDefault"] else "y"
    return document.get("message", document.get("nodePool", ""))


def _last(plane: Plane, cluster: Cluster) -> tuple[int, str, int]:
    with plane.services.database.reading() as session:
        state = session.get(ClusterState, cluster.uuid)
        return (state.term, state.session, state.sequence) if state else (0, "", 0)


def _object(kind: Kind, name: str, says: str) -> Reported:
    match kind:
        case "node":
            return node(name, node_pool=says)
        case "storageClass":
            return ReportedStorageClass(name=name, is_default=says == "x")
        case "nodePool":
            return ReportedNodePool(name=name, message=says)
        case "department":
            return ReportedDepartment(name=name, message=says)
        case "project":
            return ReportedProject(name=name, message=says)
        case "accessRule":
            return ReportedAccessRule(name=name, message=says)
        case "policy":
            return ReportedPolicy(name=name, message=says)
        case _:
            raise AssertionError(f"{kind} is known by uid")


def test_reports_follow_each_other_and_one_that_comes_again_changes_nothing(tenant: Tenant, cluster: Cluster) -> None:
    first = cluster.next_report(node("n1"), cluster=WELL)
    second = cluster.next_report(node("n2"), gone=(Gone(kind="node", name="n1"),))
    for report, sequence in ((first, 1), (first, 1), (second, 2), (first, 2), (second, 2)):
        answer = cluster.send(report)
        assert (answer.status_code, answer.json()) == (200, {"sequence": sequence})
    assert _kept(tenant.plane, cluster) == {("node", "n2"): "default"}


def test_what_does_not_follow_is_refused_changes_nothing_and_a_new_session_mends_it(
    tenant: Tenant, cluster: Cluster
) -> None:
    cluster.report(node("n1"), cluster=WELL)
    before = _last(tenant.plane, cluster)
    cluster.sequence += 1
    for wrong in (
        cluster.next_report(node("lost"), complete=KINDS),
        Report(term=0, session=str(uuid.uuid4()), sequence=1, objects=(node("old"),), complete=KINDS),
        Report(term=1, session=str(uuid.uuid4()), sequence=2, objects=(node("new"),), complete=KINDS),
    ):
        answer = cluster.send(wrong)
        assert (answer.status_code, answer.json()["message"]) == (409, "Begin a new session.")
        assert answer.json()["details"]
    assert _last(tenant.plane, cluster) == before
    assert _kept(tenant.plane, cluster) == {("node", "n1"): "default"}
    cluster.begin_anew()
    cluster.report(node("n2"))
    assert set(_kept(tenant.plane, cluster)) == {("node", "n1"), ("node", "n2")}, "until the session has told all"
    cluster.report(complete=("node",))
    assert set(_kept(tenant.plane, cluster)) == {("node", "n2")}


def test_a_leader_that_is_none_any_more_is_refused_and_one_of_a_new_installation_is_not(
    tenant: Tenant, cluster: Cluster
) -> None:
    cluster.term = 7
    cluster.report(node("n1"), cluster=WELL)
    old = cluster.at(tenant.plane)
    old.begin_anew(term=6)
    assert old.send(old.next_report(node("old"))).status_code == 409
    tenant.plane.clock.later_seconds = SILENT_MS / 1000
    try:
        old.begin_anew(term=0)
        old.report(node("n2"), complete=("node",))
    finally:
        tenant.plane.clock.later_seconds = 0
    assert set(_kept(tenant.plane, cluster)) == {("node", "n2")}


def test_a30_a_full_report_removes_what_is_missing_in_it_of_that_kind_and_that_cluster_only(
    planes: tuple[Plane, Plane], tenant: Tenant, cluster: Cluster
) -> None:
    other, foreign = cluster_of(tenant), cluster_of(planes[0].tenant())
    for each in (cluster, other, foreign):
        each.report(node("n1"), node("n2"), _object("project", "team-a", "x"), cluster=WELL, complete=KINDS)
    cluster.begin_anew()
    cluster.report(node("n2"), complete=("node",))
    assert set(_kept(planes[0], cluster)) == {("node", "n2"), ("project", "team-a")}
    for each in (other, foreign):
        assert set(_kept(planes[0], each)) == {("node", "n1"), ("node", "n2"), ("project", "team-a")}
        each.report(gone=(Gone(kind="project", name="team-a"),))
    assert ("project", "team-a") in _kept(planes[0], cluster)
    tenant.admin.done("DELETE", f"/api/v1/clusters/{cluster.uuid}")
    assert _kept(planes[0], cluster) == {}


def test_sessions_go_on_across_instances(planes: tuple[Plane, Plane], cluster: Cluster) -> None:
    cluster.report(node("n1"), cluster=WELL)
    beside = cluster.at(planes[1])
    beside.report(node("n2"))
    cluster.sequence = beside.sequence
    cluster.report(node("n3"), complete=("node",))
    assert set(_kept(planes[1], cluster)) == {("node", "n1"), ("node", "n2"), ("node", "n3")}


def test_reports_and_changes_at_once_hinder_nobody(planes: tuple[Plane, Plane], tenant: Tenant) -> None:
    """Clusters that report, administrators who change what concerns all of them, and clusters that are deleted."""
    clusters = [cluster_of(tenant) for _ in range(4)]
    rule = {"subjectType": "group", "roleId": 5, "scopeType": "tenant", "scopeId": str(tenant.id)}

    def reports(numbered: tuple[int, Cluster]) -> set[int]:
        number, cluster = numbered
        speaks = cluster.at(planes[number % 2])
        return {speaks.send(speaks.next_report(node("n1"), node(f"n{each}"), cluster=WELL)).status_code
                for each in range(15)} | {speaks.ask().status_code}  # fmt: skip

    def changes(number: int) -> set[int]:
        admin = Caller(planes[number].http, tenant.host, tenant.admin.token)
        made = [admin.call("POST", RULES, {**rule, "subjectId": f"{number}-{each}"}) for each in range(10)]
        gone = admin.call("DELETE", f"/api/v1/clusters/{clusters[number].uuid}")
        return {answer.status_code for answer in [*made, gone]}

    with ThreadPoolExecutor(6) as threads:
        of_clusters = threads.map(reports, enumerate(clusters))
        assert list(threads.map(changes, range(2))) == [{201, 204}] * 2
        told = list(of_clusters)
    # Of a cluster that is deleted no secret is right: after some attempts the next ones have to wait.
    assert all(statuses <= {200, 401, 429} for statuses in told[:2])
    assert told[2:] == [{200}] * 2


def test_the_largest_report_fits(tenant: Tenant, cluster: Cluster) -> None:
    condition = ReportedCondition(type="Ready", status="True", message="x" * 1500)
    report = cluster.next_report(*(node(f"n{number}", conditions=(condition,)) for number in range(MOST_OBJECTS)))
    assert len(report.model_dump_json()) > 0.8 * MOST_BYTES
    assert cluster.send(report).status_code == 200
    assert len(tenant.admin.done("GET", NODES.format(cluster.uuid))["nodes"]) == MOST_OBJECTS


def _with(**members: Any) -> bytes:
    report = {"term": 1, "session": "0" * 36, "sequence": 1, "objects": [{"kind": "project", "name": "x"}], **members}
    return json.dumps(report).encode()


def _wants(gpus: float) -> dict[str, Any]:
    return {"kind": "project", "name": "x", "use": {"requested": {"gpu": gpus}}}


HOSTILE = {
    "no JSON": (b"{", 400, "not JSON"),
    "no text": (b"\xff\xfe", 400, "not JSON"),
    "no object": (b"[]", 400, "the body"),
    "deep": (b"[" * 100_000, 400, "recursion"),
    "deep where nobody looks": (_with()[:-1] + b', "x": ' + b"[" * 100_000, 400, "recursion"),
    "too large": (b" " * (2 * MOST_BYTES + 1), 413, "too large"),
    "too many objects": (_with(objects=[{"kind": "project", "name": "x"}] * (MOST_OBJECTS + 1)), 400, "objects"),
    "a kind that is none": (_with(objects=[{"kind": "secret", "name": "x"}]), 400, "objects.0"),
    "no kind": (_with(objects=[{"name": "x"}]), 400, "objects.0"),
    "no name": (_with(objects=[{"kind": "project", "name": ""}]), 400, "name"),
    "a long name": (_with(objects=[{"kind": "project", "name": "x" * 254}]), 400, "name"),
    "a name with a line break": (_with(objects=[{"kind": "project", "name": "a\nb"}]), 400, "objects.0.name"),
    "a name with a NUL": (_with(objects=[{"kind": "project", "name": "a\0"}]), 400, "objects.0.name"),
    "a NUL in what is gone": (_with(gone=[{"kind": "node", "name": "a\0"}]), 400, "gone.0.name"),
    "half a surrogate": (_with(objects=[{"kind": "project", "name": "\ud800"}]), 400, "not JSON"),
    "half a surrogate as a key": (_with(cluster={"version": "1", "operands": {"\ud800": {}}}), 400, "not JSON"),
    "no number": (_with(sequence="many"), 400, "sequence"),
    "a huge number": (_with()[:-1] + b', "x": ' + b"9" * 5000 + b"}", 400, "not JSON"),
    "a number before the first": (_with(sequence=0), 400, "sequence"),
    "a negative term": (_with(term=-1), 400, "term"),
    "NaN": (_with(objects=[_wants(float("nan"))]), 400, "gpu"),
    "infinity": (_with(objects=[_wants(float("inf"))]), 400, "gpu"),
    "less than nothing": (_with(objects=[_wants(-1)]), 400, "gpu"),
    "a session that is none": (_with(session="../../etc"), 400, "session"),
    "a long message": (_with(objects=[{"kind": "project", "name": "x", "message": "x" * 4097}]), 400, "message"),
}


@pytest.mark.parametrize(("body", "status", "names"), HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_report_is_refused_in_words_and_changes_nothing(
    tenant: Tenant, cluster: Cluster, body: bytes, status: int, names: str
) -> None:
    answer = cluster.post(body)
    assert (answer.status_code, answer.json()["code"]) == (status, status)
    assert names in answer.json()["message"]
    assert (_kept(tenant.plane, cluster), _last(tenant.plane, cluster)) == ({}, (0, "", 0))


def test_strangers_are_not_read(cluster: Cluster) -> None:
    cluster.secret = "guess"
    assert cluster.post(b"{").status_code == 401


def test_what_came_later_is_skipped_and_what_nobody_can_show_is_cleaned(tenant: Tenant, cluster: Cluster) -> None:
    odd = {"kind": "node", "name": "n1", "status": "Ready", "nodePool": "a\0b\u202ec", "createdAt": "", "colour": "red"}
    assert cluster.post(_with(objects=[odd], cluster={"version": "1\x1b[31m", "mood": 1})).status_code == 200
    (shown,) = tenant.admin.done("GET", NODES.format(cluster.uuid))["nodes"]
    assert shown["nodePool"] == "a b c"
    assert tenant.admin.done("GET", f"/api/v1/clusters/{cluster.uuid}")["version"] == "1 [31m"


def test_objects_that_only_the_cluster_knows_are_kept_and_harm_nobody(tenant: Tenant, cluster: Cluster) -> None:
    cluster.report(*(_object(kind, "by-hand", "x") for kind in NAMED), cluster=WELL, complete=KINDS)
    assert len(_kept(tenant.plane, cluster)) == len(NAMED)
    assert tenant.admin.done("GET", "/api/v1/org-unit/projects")["projects"] == []


_TRUTH = st.dictionaries(
    st.tuples(st.sampled_from(NAMED), st.sampled_from(["a", "b", "c"])), st.sampled_from(["x", "y"]), max_size=6
)
_STEP = st.one_of(
    st.tuples(st.just("becomes"), _TRUTH),
    st.tuples(st.just("comes again"), st.integers(0, 50)),
    st.tuples(st.sampled_from(["answer is lost", "restarts", "has a new leader"]), st.none()),
)


class _Leader:
    """A cluster's side of the sync, as its contract says: what was told, and what is."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster, self.told, self.is_complete = cluster, Kept(), False
        self.sent: list[Report] = []

    def begin_anew(self, term: int | None = None) -> None:
        self.cluster.begin_anew(term)
        self.told, self.is_complete = {}, False

    def tell(self, truth: Kept, times: int = 1) -> None:
        """Send what is new, in two parts if a session begins; on 409 begin a new session."""
        for _ in range(5):
            for report in self._reports(truth):
                self.sent.append(report)
                answers = [self.cluster.send(report).status_code for _ in range(times)]
                if 409 in answers:
                    self.begin_anew()
                    break
                assert answers == [200] * times
            else:
                self.told, self.is_complete = dict(truth), True
                return
        raise AssertionError("new sessions are taken")

    def _reports(self, truth: Kept) -> list[Report]:
        new = [_object(kind, name, says) for (kind, name), says in truth.items() if self.told.get((kind, name)) != says]  # pyright: ignore[reportArgumentType]
        gone = tuple(
            Gone.model_validate({"kind": kind, "name": name}) for kind, name in self.told.keys() - truth.keys()
        )
        if self.is_complete:
            return [self.cluster.next_report(*new, gone=gone)]
        half = len(new) // 2
        first = self.cluster.next_report(*new[:half], cluster=WELL)
        return [first, self.cluster.next_report(*new[half:], complete=KINDS)]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(_STEP, max_size=12), late=st.randoms(use_true_random=False))
def test_whatever_is_lost_and_comes_again_in_the_end_there_is_what_the_cluster_has(
    plane: Plane, steps: list[tuple[str, Any]], late: random.Random
) -> None:
    tenant = plane.tenant()
    leader, beside, truth = _Leader(cluster_of(tenant)), cluster_of(tenant), Kept()
    beside.report(node("beside"), cluster=WELL, complete=KINDS)
    leader.tell(truth)
    for what, given_with in steps:
        match what:
            case "becomes":
                truth = given_with
                leader.tell(truth)
            case "comes again":
                leader.cluster.send(leader.sent[int(given_with) % len(leader.sent)])
            case "answer is lost":
                leader.tell(truth, times=2)
            case "restarts":
                leader.begin_anew()
                leader.tell(truth)
            case _:
                leader.begin_anew(leader.cluster.term + 1)
                leader.tell(truth)
        assert _kept(plane, leader.cluster) == truth
    for index in late.sample(range(len(leader.sent)), len(leader.sent)):
        leader.cluster.send(leader.sent[index])
    assert _kept(plane, leader.cluster) == truth
    assert set(_kept(plane, beside)) == {("node", "beside")}
