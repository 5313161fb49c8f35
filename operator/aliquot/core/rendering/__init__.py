"""What is asked for → manifests, as JSON-able dictionaries. Pure and deterministic; golden files show every case.

Doors, for workloads of any kind: `pod_of` and `workload_pod` (a whole pod), `pod_labels`, `pod_annotations` and
`pod_spec` (for templates of pods in other objects), `objects_beside` and `external_urls` (once for each workload), with
`Owner` and `Context`; `standing` and `mended` for such objects when they are looked at again. Of distributed workloads
`gang_service` beside the pods, or `mpi_job` in their place; of inference workloads `knative_service`, or
`serving_objects` without Knative. Reconcilers call them and post what they return.
"""

from aliquot.core.rendering.addresses import external_urls
from aliquot.core.rendering.beside import existing_claims, missing_claim, objects_beside, objects_of
from aliquot.core.rendering.context import Context, Owner
from aliquot.core.rendering.gang import gang_name, gang_pod, gang_service
from aliquot.core.rendering.job import job_pod
from aliquot.core.rendering.knative import KNATIVE_GROUP, KNATIVE_KIND, KNATIVE_VERSION, knative_service
from aliquot.core.rendering.mpi import MPI_GROUP, MPI_KIND, NO_MPI, MpiVersion, mpi_job, mpi_version
from aliquot.core.rendering.pod import pod_of, workload_pod
from aliquot.core.rendering.serving import (
    REQUEST_METRICS,
    answers_at,
    can_scale,
    least_replicas,
    may_scale,
    serving_name,
    serving_notes,
    serving_objects,
)
from aliquot.core.rendering.template import pod_annotations, pod_labels, pod_spec
from aliquot.core.rendering.upkeep import Standing, as_taken, holder_of, mended, standing

__all__ = [
    "KNATIVE_GROUP",
    "KNATIVE_KIND",
    "KNATIVE_VERSION",
    "MPI_GROUP",
    "MPI_KIND",
    "NO_MPI",
    "REQUEST_METRICS",
    "Context",
    "MpiVersion",
    "Owner",
    "Standing",
    "answers_at",
    "as_taken",
    "can_scale",
    "existing_claims",
    "external_urls",
    "gang_name",
    "gang_pod",
    "gang_service",
    "holder_of",
    "job_pod",
    "knative_service",
    "least_replicas",
    "may_scale",
    "mended",
    "missing_claim",
    "mpi_job",
    "mpi_version",
    "objects_beside",
    "objects_of",
    "pod_annotations",
    "pod_labels",
    "pod_of",
    "pod_spec",
    "serving_name",
    "serving_notes",
    "serving_objects",
    "standing",
    "workload_pod",
]
