"""The golden files of kinds whose workloads become more than a pod: a folder for each case, as in `golden_pods`.

Beside `workload.yaml` is `manifests.yaml` with all that becomes of it; where that depends on what else the cluster has,
a file for each.
"""

from pathlib import Path
from typing import Any, Final, cast

from aliquot.contracts.kinds.workloads import (
    DistributedWorkload,
    InferenceWorkload,
    InteractiveWorkload,
    TrainingWorkload,
    Workload,
)
from aliquot.core.rendering import (
    Context,
    Owner,
    gang_service,
    knative_service,
    mpi_job,
    objects_of,
    pod_of,
    serving_objects,
)
from aliquot.core.rendering.mpi import MPI_VERSIONS
from aliquot.core.rendering.serving import REQUEST_METRICS
from aliquot.core.submission import (
    NOTHING,
    ValidDistributed,
    ValidInteractive,
    carried_out,
    effective_distributed,
    effective_inference,
    effective_interactive,
)
from tests.core.rendering.golden_pods import DEFAULTS, DOMAIN, PROJECT, SITE, UID, USER_CHECK, load

GOLDEN: Final = Path(__file__).parent / "golden_kinds"
Manifests = dict[str, list[dict[str, Any]]]
"""By the name of the file."""


def golden_workloads() -> list[Path]:
    """Files with a workload each, sorted; the first line says why the case exists."""
    return sorted(GOLDEN.glob("*/workload.yaml"))


def context(workload: Workload, job_name: str | None) -> Context:
    """Where the workload of a golden file runs."""
    metadata = workload.metadata
    owner = Owner(workload.api_version, workload.kind, metadata.namespace, metadata.name, UID, metadata.labels)
    return Context(owner, PROJECT, job_name or "job-0", domain=DOMAIN, user_check=USER_CHECK)


def distributed(path: Path) -> tuple[ValidDistributed, Context]:
    """Read a distributed workload, or training by MPI, and where it runs."""
    workload: DistributedWorkload | TrainingWorkload
    if load(path)["kind"] == "TrainingWorkload":
        workload = TrainingWorkload.model_validate(load(path))
        spec = carried_out(workload, NOTHING, DEFAULTS, SITE)
        assert isinstance(spec, ValidDistributed), path
    else:
        workload = DistributedWorkload.model_validate(load(path))
        spec = effective_distributed(workload, DEFAULTS, SITE)
    return spec, context(workload, spec.worker.identity.job_name)


def interactive(path: Path) -> tuple[ValidInteractive, Context]:
    """Read an interactive workload, and where it runs."""
    workload = InteractiveWorkload.model_validate(load(path))
    spec = effective_interactive(workload, DEFAULTS, SITE)
    return spec, context(workload, spec.pod.identity.job_name)


def manifests(path: Path) -> Manifests:
    """All that becomes of a workload, by the name of the file that shows it."""
    found: dict[str, object] = {}
    kind = load(path)["kind"]
    if kind == "InteractiveWorkload":
        notebook, where = interactive(path)
        found = {"manifests.yaml": [*objects_of(notebook, where), pod_of(notebook, where, 0, 0, 0)]}
    elif kind != "InferenceWorkload":
        spec, where = distributed(path)
        if spec.job_type == "MPIJob":
            found = {f"{version}.yaml": [mpi_job(spec, where, version)] for version in MPI_VERSIONS}
        else:
            pods = (pod_of(spec, where, rank, 0, 0) for rank in range(spec.size))
            found = {"manifests.yaml": [gang_service(spec, where), *pods]}
    else:
        workload = InferenceWorkload.model_validate(load(path))
        inference = effective_inference(workload, DEFAULTS, SITE)
        where = context(workload, inference.pod.identity.job_name)
        found = {
            "deployment.yaml": serving_objects(inference, where, REQUEST_METRICS.values()),
            "deployment-without-metrics.yaml": serving_objects(inference, where, ()),
            "knative.yaml": [knative_service(inference, where)],
        }
    return cast("Manifests", found)
