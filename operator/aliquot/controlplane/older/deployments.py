"""`/v1/k8s/clusters/{uuid}/deployments` (control-plane-api.md 1.3): the inference workloads of a cluster."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from aliquot.contracts.administrator_api.older.deployments import OlderDeployment
from aliquot.contracts.administrator_api.older.jobs import OlderPart
from aliquot.controlplane.auth.gate import GateOfRequest
from aliquot.controlplane.auth.permit import Permit
from aliquot.controlplane.database.tables import Cluster, Workload
from aliquot.controlplane.listing import listed, written
from aliquot.controlplane.older.running import deployment
from aliquot.controlplane.refusals import NotFound
from aliquot.controlplane.workloads.queries import KEYS, pods_by_phase, selected, workload, youngest_pods
from aliquot.controlplane.workloads.rules import INFERENCE

router = APIRouter(prefix="/v1/k8s/clusters/{uuid}/deployments", tags=["Older: deployments"])


@router.get("", response_model=list[OlderDeployment])
def list_deployments(gate: GateOfRequest, uuid: str, query: Annotated[OlderPart, Query()]) -> Response:
    """List the inference workloads of a cluster, the oldest first."""
    with gate.permit("inferences", "read") as permit:
        cluster = permit.one(Cluster, uuid)
        there = selected(permit, Workload, deleted=False)
        wanted = there.where(Workload.cluster_id == cluster.id, Workload.type == INFERENCE).order_by(*KEYS)
        return written(_documents(permit, cluster.id, listed(permit, wanted, query).rows))


@router.get("/{deploymentId}", response_model=OlderDeployment)
def get_deployment(gate: GateOfRequest, uuid: str, deploymentId: str) -> Response:  # noqa: N803 - as it is documented
    """Show an inference workload that is there."""
    with gate.permit("inferences", "read") as permit:
        row = workload(permit, deploymentId, permit.one(Cluster, uuid))
        if row.type != INFERENCE or row.deleted_ms is not None:
            raise NotFound(details=f"the cluster {uuid} has no inference workload {deploymentId}")
        (shown,) = _documents(permit, row.cluster_id, [row])
        return written(shown)


def _documents(permit: Permit, cluster_id: str, rows: Sequence[Workload]) -> list[dict[str, Any]]:
    ids = [row.id for row in rows]
    youngest, phases = youngest_pods(permit, cluster_id, ids), pods_by_phase(permit, cluster_id, ids)
    return [deployment(row, youngest.get(row.id), phases[row.id]) for row in rows]
