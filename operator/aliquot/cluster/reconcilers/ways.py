"""How a workload is carried out by another object, and which objects that takes."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from aliquot.cluster.reconcilers.upkeep import Manifest, name_of
from aliquot.contracts.kinds.status import CreatedResource, WorkloadStatus
from aliquot.core.rendering import KNATIVE_GROUP, Context, knative_service, mpi_job, mpi_version, serving_objects
from aliquot.core.submission import ValidDistributed, ValidInference
from aliquot.kube.resources import DEPLOYMENTS, Resource


@dataclass(frozen=True, slots=True)
class Way:
    """How a workload is carried out.

    Attributes:
        resource: the kind of the object that does so; None: it is not served.
        metrics: those of pods that an autoscaler may follow.
    """

    resource: Resource | None
    metrics: frozenset[str] = frozenset()


def least_gpus(spec: ValidDistributed | ValidInference) -> Decimal:
    """GPUs of the pods that there are at least, or of all of a gang."""
    if isinstance(spec, ValidDistributed):
        return sum((spec.gpus(rank) for rank in range(spec.size)), Decimal(0))
    return spec.pod.compute.gpus.together * spec.min_scale


def manifests_of(way: Way, spec: ValidDistributed | ValidInference, context: Context) -> list[Manifest]:
    """The objects that carry a workload out, in the order in which to make them."""
    assert way.resource is not None, "what is not served carries nobody out"
    if isinstance(spec, ValidDistributed):
        version = mpi_version([way.resource.version])
        assert version is not None, way.resource
        return [mpi_job(spec, context, version)]
    if way.resource == DEPLOYMENTS:
        return serving_objects(spec, context, way.metrics)
    return [knative_service(spec, context)]


def began_with(status: WorkloadStatus) -> str | None:
    """API group of what carries an inference workload out, as its status says; None: it does not say."""
    groups = [(each.api_version or "").partition("/")[0] for each in status.created_resources]
    return next((group for group in (DEPLOYMENTS.group, KNATIVE_GROUP) if group in groups), None)


def created_resources(manifests: Iterable[Manifest], namespace: str) -> Iterable[CreatedResource]:
    """Say which objects were made, as statuses do."""
    for manifest in manifests:
        yield CreatedResource(
            api_version=str(manifest["apiVersion"]),
            kind=str(manifest["kind"]),
            name=name_of(manifest),
            namespace=namespace,
        )
