"""What is read from a workload, of whichever kind it is."""

from typing import TypeAlias, TypeGuard

from aliquot.core.submission.distributed import ValidDistributed
from aliquot.core.submission.inference import ValidInference
from aliquot.core.submission.interactive import ValidInteractive
from aliquot.core.submission.pod_values import ValidPod
from aliquot.core.submission.spec import ValidSpec

Valid: TypeAlias = ValidSpec | ValidInteractive | ValidDistributed | ValidInference
"""A workload of any kind as it is carried out."""


def common_pod(spec: Valid) -> ValidPod:
    """What the pods are like; in a gang its workers, which also say what the workload has beside them."""
    return spec.worker if isinstance(spec, ValidDistributed) else spec.pod


def is_carried(spec: Valid) -> TypeGuard[ValidDistributed | ValidInference]:
    """Whether another object carries it out, and makes its pods: a Deployment, a Knative Service, an MPIJob."""
    return isinstance(spec, ValidInference) or (isinstance(spec, ValidDistributed) and spec.job_type == "MPIJob")
