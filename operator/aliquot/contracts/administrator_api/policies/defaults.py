"""What policies give to workloads that say nothing themselves: as specs of submissions, with all members optional.

Of what a workload may have several of, `instances` are added to its own, and `attributes` hold in every one that leaves
them out, its own included. What no policy of a cluster can say is refused by name, unless it says nothing.
"""

from typing import Annotated

from pydantic import Field

from aliquot.contracts.administrator_api.policies.several import (
    Buckets,
    Claims,
    ConfigMaps,
    Gits,
    HostPaths,
    NfsFolders,
    Ports,
    Resources,
    Tolerations,
    Urls,
)
from aliquot.contracts.administrator_api.shapes import Body, Flag
from aliquot.contracts.administrator_api.submissions.parts import (
    Amounts,
    Count,
    Mark,
    NotCarriedOut,
    Positive,
    Security,
    Variable,
)
from aliquot.contracts.administrator_api.submissions.specs import MOST_VARIABLES, Autoscaling, ContainerSpec


class Variables(Body):
    """Variables of the container."""

    instances: Annotated[list[Variable], Field(max_length=MOST_VARIABLES)] | None = None
    """Those that each workload gets."""


class Marks(Body):
    """Labels or annotations of pods."""

    instances: Annotated[list[Mark], Field(max_length=MOST_VARIABLES)] | None = None
    """Those that each workload gets."""


class ComputeDefaults(Amounts):
    """What each pod has to compute with."""

    extended_resources: Resources | None = None
    """Other devices."""


class StorageDefaults(Body):
    """What is mounted."""

    pvc: Claims | None = None
    """PersistentVolumeClaims."""
    git: Gits | None = None
    """Git repositories."""
    config_map_volume: ConfigMaps | None = None
    """ConfigMaps."""
    host_path: HostPaths | None = None
    """Directories of nodes."""
    nfs: NfsFolders | None = None
    """Directories of NFS servers."""
    s3: Buckets | None = None
    """Buckets."""
    secret_volume: NotCarriedOut = None
    data_volume: NotCarriedOut = None


class PodDefaults(ContainerSpec):
    """What pods of all kinds get."""

    environment_variables: Variables | None = None
    """Variables of the container."""
    annotations: Marks | None = None
    """Annotations of its pods."""
    labels: Marks | None = None
    """Labels of its pods."""
    tolerations: Tolerations | None = None
    """Taints of nodes that are borne."""
    ports: Ports | None = None
    """Ports that others can reach."""
    exposed_urls: Urls | None = None
    """Addresses outside the cluster."""
    related_urls: NotCarriedOut = None
    compute: ComputeDefaults | None = None
    """What each pod has to compute with."""
    storage: StorageDefaults | None = None
    """What is mounted."""
    security: Security | None = None
    """As whom it runs."""


class _Lasting(PodDefaults):
    terminate_after_preemption: Flag | None = None
    """Whether it ends when others take its GPUs."""
    auto_deletion_time_after_completion_seconds: Count | None = None
    """So long after its end it is deleted."""
    backoff_limit: Count | None = None
    """So many failed pods are replaced."""


class WorkspaceDefaults(_Lasting):
    """What workspaces get."""

    priority_class: NotCarriedOut = None


class TrainingDefaults(_Lasting):
    """What trainings get."""

    priority_class: NotCarriedOut = None
    completions: Positive | None = None
    """So many pods have to succeed."""
    parallelism: Positive | None = None
    """So many run at a time."""


class WorkerDefaults(_Lasting):
    """What workers of distributed trainings get, and their master."""

    num_workers: Positive | None = None
    """How many there are."""
    distributed_framework: NotCarriedOut = None
    slots_per_worker: Positive | None = None
    """Processes on each, of MPI only."""
    min_replicas: Positive | None = None
    """Pods at least, of PyTorch only."""
    max_replicas: Positive | None = None
    """Pods at most, of PyTorch only."""


class DistributedDefaults(Body):
    """What distributed trainings get."""

    worker: WorkerDefaults | None = None
    """Workers and master: clusters have one policy for both."""
    master: NotCarriedOut = None


class InferenceDefaults(PodDefaults):
    """What inference workloads get."""

    serving_port: NotCarriedOut = None
    autoscaling: Autoscaling | None = None
    """How many pods there are."""
