"""A cluster as the control plane sees it: its credentials, what it asks for, and reports that it makes."""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from aliquot.contracts.cluster_sync import (
    Desired,
    Gone,
    Kind,
    Received,
    Report,
    Reported,
    ReportedCluster,
    ReportedDependency,
    ReportedNode,
    ReportedOperand,
)
from aliquot.contracts.cluster_workloads import ReportedEvent, ReportedPod, ReportedWorkload
from tests.controlplane.plane import Plane, Tenant

WELL = ReportedCluster(
    version="0.1.0",
    kube_version="v1.36.1",
    platform="vanilla",
    operands={"operator": ReportedOperand(ready=True)},
    required={"cert-manager": ReportedDependency(available=True)},
)
"""A cluster without any trouble."""


def node(name: str, **changes: Any) -> ReportedNode:
    """A node without any trouble, but for what is changed."""
    made = ReportedNode(name=name, status="Ready", node_pool="default", created_at="2026-01-31T12:00:00Z")
    return made.model_copy(update=changes)


BORN = datetime(2026, 1, 31, 12, tzinfo=UTC)


def workload(uid: str, **changes: Any) -> ReportedWorkload:
    """A workload of the project team-a that runs, but for what is changed."""
    given = {"id": uid, "name": uid, "namespace": "runai-team-a", "type": "TrainingWorkload", "project": "team-a"}
    return ReportedWorkload.model_validate({"phase": "Running", "createdAt": BORN, **given, **changes})


def pod(uid: str, of: str, **changes: Any) -> ReportedPod:
    """A pod of a workload of the project team-a that runs, but for what is changed."""
    given = {"id": uid, "name": uid, "workload": of, "workloadName": of, "project": "team-a"}
    return ReportedPod.model_validate({"kubernetesPhase": "Running", "createdAt": BORN, **given, **changes})


def event(uid: str, of: str, **changes: Any) -> ReportedEvent:
    """Something that Aliquot says happened to a workload, but for what is changed."""
    about = {"involvedUid": of, "involvedKind": "TrainingWorkload", "involvedName": of}
    said = {"type": "Normal", "reason": "Scheduled", "message": "it has a node", "source": "aliquot.dev/operator"}
    return ReportedEvent.model_validate({"id": uid, "workload": of, "createdAt": BORN, **about, **said, **changes})


@dataclass
class Cluster:
    """Speaks for a cluster, and numbers its reports."""

    http: httpx.Client
    uuid: str
    secret: str
    term: int = 1
    session: str = field(default_factory=lambda: str(uuid.uuid4()))
    sequence: int = 0

    def at(self, plane: Plane) -> "Cluster":
        """The same cluster, speaking to another instance."""
        return Cluster(plane.http, self.uuid, self.secret, self.term, self.session, self.sequence)

    def ask(self, known: str = "", wait_seconds: int = 0, **options: Any) -> httpx.Response:
        headers = {"If-None-Match": known} if known else {}
        path, wait = f"/cluster-sync/v1/{self.uuid}/desired", {"waitSeconds": wait_seconds}
        return self.http.get(path, params=wait, headers=headers, auth=(self.uuid, self.secret), **options)

    def desired(self) -> Desired:
        answer = self.ask()
        assert answer.status_code == 200, answer.text
        return Desired.model_validate_json(answer.content)

    def post(self, content: bytes, **options: Any) -> httpx.Response:
        path = f"/cluster-sync/v1/{self.uuid}/reports"
        return self.http.post(path, content=content, auth=(self.uuid, self.secret), **options)

    def send(self, report: Report) -> httpx.Response:
        return self.post(report.model_dump_json().encode())

    def next_report(
        self,
        *objects: Reported,
        cluster: ReportedCluster | None = None,
        gone: tuple[Gone, ...] = (),
        complete: tuple[Kind, ...] = (),
    ) -> Report:
        self.sequence += 1
        return Report(
            term=self.term,
            session=self.session,
            sequence=self.sequence,
            cluster=cluster,
            objects=objects,
            gone=gone,
            complete=complete,
        )

    def report(self, *objects: Reported, **parts: Any) -> Received:
        answer = self.send(self.next_report(*objects, **parts))
        assert answer.status_code == 200, answer.text
        return Received.model_validate_json(answer.content)

    def begin_anew(self, term: int | None = None) -> None:
        self.session, self.sequence = str(uuid.uuid4()), 0
        self.term = self.term if term is None else term


def cluster_of(tenant: Tenant, cluster_id: str | None = None) -> Cluster:
    """A cluster of a tenant, with the secret of its install info."""
    found = cluster_id or tenant.cluster()
    info = tenant.admin.done("GET", f"/api/v1/clusters/{found}/cluster-install-info", version="2.18")
    return Cluster(tenant.plane.http, found, info["clientSecret"])
