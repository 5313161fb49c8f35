"""Other people's operators in a lab: the real controllers, built from their public modules, as supervised processes.

They run beside the cluster, with the rights and the webhooks that their own manifests give them, and end with the lab.
They are built when they are asked for first, not with the lab itself.
"""

import enum

from aliquot_lab.binaries import Progress
from aliquot_lab.cluster import Cluster
from aliquot_lab.operators import knative, kubeflow


class Operator(enum.StrEnum):
    """Those that there are."""

    TRAINING_OPERATOR = "training-operator"
    KNATIVE = "knative"


def install(operator: Operator, cluster: Cluster, progress: Progress | None = None) -> None:
    """Install one of them until the lab ends.

    Args:
        operator: Which.
        cluster: A lab on this machine.
        progress: Told about programs that have to be built first.

    Raises:
        LabError: it cannot be built, was refused, or is not ready in time.
    """
    match operator:
        case Operator.TRAINING_OPERATOR:
            kubeflow.install(cluster, progress)
        case Operator.KNATIVE:
            knative.install(cluster, progress)
