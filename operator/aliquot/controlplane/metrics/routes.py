"""Time series of clusters, node pools, workloads and pods."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from aliquot.contracts.administrator_api.metrics import (
    ClusterMetricsQuery,
    InferenceMetricsQuery,
    MetricsResponse,
    NodePoolMetricsQuery,
    PodMetricsQuery,
    WorkloadMetricsQuery,
)
from aliquot.controlplane.auth.gate import GateOfRequest
from aliquot.controlplane.metrics import subjects
from aliquot.controlplane.metrics.door import ANSWERS, answer

router = APIRouter(prefix="/api/v1", tags=["Metrics"])


@router.get("/clusters/{clusterUuid}/metrics", response_model=MetricsResponse, responses=ANSWERS)
def get_cluster_metrics(
    request: Request,
    gate: GateOfRequest,
    clusterUuid: str,  # noqa: N803 - as it is documented
    query: Annotated[ClusterMetricsQuery, Query()],
) -> Response:
    """Show time series of a cluster."""
    with gate.permit("cluster", "read") as permit:
        subject = subjects.cluster(permit, clusterUuid)
    return answer(request, subject, query.metric_type, query)


@router.get(
    "/clusters/{clusterUuid}/nodepools/{nodepoolName}/metrics", response_model=MetricsResponse, responses=ANSWERS
)
def get_node_pool_metrics(
    request: Request,
    gate: GateOfRequest,
    clusterUuid: str,  # noqa: N803
    nodepoolName: str,  # noqa: N803
    query: Annotated[NodePoolMetricsQuery, Query()],
) -> Response:
    """Show time series of a node pool."""
    with gate.permit("nodepools", "read") as permit:
        subject = subjects.node_pool(permit, clusterUuid, nodepoolName)
    return answer(request, subject, query.metric_type, query)


@router.get("/workloads/{workloadId}/metrics", response_model=MetricsResponse, responses=ANSWERS)
def get_workload_metrics(
    request: Request,
    gate: GateOfRequest,
    workloadId: str,  # noqa: N803
    query: Annotated[WorkloadMetricsQuery, Query()],
) -> Response:
    """Show time series of a workload, over all of its pods."""
    with gate.permit("workloads", "read") as permit:
        subject = subjects.of_workload(permit, workloadId)
    return answer(request, subject, query.metric_type, query)


@router.get("/workloads/{workloadId}/pods/{podId}/metrics", response_model=MetricsResponse, responses=ANSWERS)
def get_pod_metrics(
    request: Request,
    gate: GateOfRequest,
    workloadId: str,  # noqa: N803
    podId: str,  # noqa: N803
    query: Annotated[PodMetricsQuery, Query()],
) -> Response:
    """Show time series of a pod."""
    with gate.permit("workloads", "read") as permit:
        subject = subjects.of_pod(permit, workloadId, podId)
    return answer(request, subject, query.metric_type, query)


@router.get("/workloads/inferences/{workloadId}/metrics", response_model=MetricsResponse, responses=ANSWERS)
def get_inference_metrics(
    request: Request,
    gate: GateOfRequest,
    workloadId: str,  # noqa: N803
    query: Annotated[InferenceMetricsQuery, Query()],
) -> Response:
    """Show time series of the requests to an inference workload."""
    with gate.permit("inferences", "read") as permit:
        subject = subjects.of_workload(permit, workloadId, of_inference=True)
    return answer(request, subject, query.metric_type, query)


@router.get(
    "/workloads/inferences/{workloadId}/pods/{podId}/metrics", response_model=MetricsResponse, responses=ANSWERS
)
def get_inference_pod_metrics(
    request: Request,
    gate: GateOfRequest,
    workloadId: str,  # noqa: N803
    podId: str,  # noqa: N803
    query: Annotated[InferenceMetricsQuery, Query()],
) -> Response:
    """Show time series of the requests to a pod of an inference workload."""
    with gate.permit("inferences", "read") as permit:
        subject = subjects.of_pod(permit, workloadId, podId, of_inference=True)
    return answer(request, subject, query.metric_type, query)
