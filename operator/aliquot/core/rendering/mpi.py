"""An MPIJob: the launcher reaches the workers by SSH, with keys and a list of hosts that only an operator can prepare.

    mpi-operator        kubeflow.org/v2beta1
    Training Operator   kubeflow.org/v1

Its pods carry our labels, so that they use the project's quota; the scheduler knows the kind, and starts all its pods
together (`core.intake.group_table`).
"""

from collections.abc import Collection
from typing import Final, Literal, get_args

from aliquot import names
from aliquot.core.rendering.context import Context, Manifest
from aliquot.core.rendering.environment import NOTHING_MORE
from aliquot.core.rendering.template import pod_annotations, pod_labels, pod_spec
from aliquot.core.submission import ValidDistributed

MPI_GROUP: Final = "kubeflow.org"
MPI_KIND: Final = "MPIJob"
MpiVersion = Literal["v2beta1", "v1"]
MPI_VERSIONS: Final[tuple[MpiVersion, ...]] = get_args(MpiVersion)
"""Versions that are written here, the one that counts where there are several first."""
NO_MPI: Final = (
    f"this cluster serves no {MPI_KIND} of {MPI_GROUP}/{' or '.join(MPI_VERSIONS)}: install the MPI Operator or the "
    "Kubeflow Training Operator, or submit the workload with another jobType"
)


def mpi_version(served: Collection[str]) -> MpiVersion | None:
    """Choose the version in which to write an MPIJob; None: `NO_MPI` says what is missing.

    Args:
        served: the versions of the kind that the API server serves.
    """
    return next((version for version in MPI_VERSIONS if version in served), None)


def mpi_job(spec: ValidDistributed, context: Context, version: MpiVersion) -> Manifest:
    """Make the manifest of the MPIJob that carries a workload out.

    A launcher that fails is started again in its place, at most `backoffLimit` times; workers only wait for it.
    """
    assert spec.job_type == MPI_KIND, spec.job_type
    launcher = {names.MPI_WORKERS_VARIABLE: str(spec.workers)}
    total = sum(spec.gpus(rank) for rank in range(spec.size))
    return {
        "apiVersion": f"{MPI_GROUP}/{version}",
        "kind": MPI_KIND,
        "metadata": {
            "name": context.object_name(),
            "namespace": context.owner.namespace,
            "labels": {**context.mark(), names.PRIORITY_CLASS_LABEL: spec.worker.priority_class},
            "annotations": {names.TOTAL_GPUS_ANNOTATION: f"{total.normalize():f}" if total else "0"},
            "ownerReferences": [context.owner.reference()],
        },
        "spec": {
            "slotsPerWorker": spec.slots_per_worker,
            "runPolicy": {"cleanPodPolicy": spec.clean_pod_policy, "backoffLimit": spec.backoff_limit},
            "mpiReplicaSpecs": {
                "Launcher": _replicas(spec, context, 0, 1, "OnFailure", launcher),
                "Worker": _replicas(spec, context, spec.first_worker, spec.workers, "Never"),
            },
        },
    }


def _replicas(
    spec: ValidDistributed,
    context: Context,
    rank: int,
    count: int,
    restart_policy: str,
    further: dict[str, str] | None = None,
) -> Manifest:
    """The pods that are like that of a rank."""
    pod = spec.pod(rank)
    template = pod_spec(pod, context, None, restart_policy, further or NOTHING_MORE)
    return {
        "replicas": count,
        "restartPolicy": restart_policy,
        "template": {
            "metadata": {"labels": pod_labels(pod, context, {}), "annotations": pod_annotations(pod, context.whose())},
            "spec": template,
        },
    }
