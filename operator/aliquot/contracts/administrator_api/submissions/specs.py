"""The spec of each kind of workload (control-plane-api.md 1.4.11)."""

from typing import Annotated, Literal

from pydantic import Field

from aliquot.contracts.administrator_api.shapes import Body, Flag
from aliquot.contracts.administrator_api.submissions.parts import (
    MOST_ITEMS,
    Compute,
    Count,
    ExposedUrl,
    LongText,
    Mark,
    NotCarriedOut,
    Path,
    PodAffinity,
    Port,
    PortNumber,
    Positive,
    Security,
    ShortText,
    Toleration,
    Variable,
)
from aliquot.contracts.administrator_api.submissions.storage import Storage

MOST_VARIABLES = 1000


class ContainerSpec(Body):
    """What runs, and on which nodes."""

    image: Path | None = None
    """Image of the container."""
    command: LongText | None = None
    """Command, instead of the image's own."""
    args: LongText | None = None
    """Its arguments."""
    image_pull_policy: Literal["Always", "Never", "IfNotPresent"] | None = None
    """When the image is fetched."""
    working_dir: Path | None = None
    """Directory in which the container starts."""
    create_home_dir: Flag | None = None
    """Whether it gets a home directory of its own."""
    probes: NotCarriedOut = None
    node_type: ShortText | None = None
    """Type of nodes to run on."""
    node_pools: Annotated[list[ShortText], Field(max_length=MOST_ITEMS)] | None = None
    """Node pools to run in, most wanted first."""
    pod_affinity: PodAffinity | None = None
    """Whether its pods are kept together."""


class PodSpec(ContainerSpec):
    """What pods of all kinds can be told."""

    tty: Flag | None = None
    """Whether it has a terminal."""
    stdin: Flag | None = None
    """Whether its input stays open."""
    tolerations: Annotated[list[Toleration], Field(max_length=MOST_ITEMS)] | None = None
    """Taints of nodes that are borne."""
    compute: Compute | None = None
    """What each pod has to compute with."""
    ports: Annotated[list[Port], Field(max_length=MOST_ITEMS)] | None = None
    """Ports that others can reach."""
    exposed_urls: Annotated[list[ExposedUrl], Field(max_length=MOST_ITEMS)] | None = None
    """Addresses outside the cluster."""
    related_urls: NotCarriedOut = None
    environment_variables: Annotated[list[Variable], Field(max_length=MOST_VARIABLES)] | None = None
    """Variables of the container."""
    annotations: Annotated[list[Mark], Field(max_length=MOST_VARIABLES)] | None = None
    """Annotations of its pods."""
    labels: Annotated[list[Mark], Field(max_length=MOST_VARIABLES)] | None = None
    """Labels of its pods."""
    storage: Storage | None = None
    """What is mounted."""
    security: Security | None = None
    """As whom it runs."""


class _Whole(PodSpec):
    """What is said of a workload as a whole."""

    priority_class: Literal["build", "train", "interactive-preemptible"] | None = None
    """Priority class of its pods; left out: that of its kind."""
    auto_deletion_time_after_completion_seconds: Count | None = None
    """So long after its end it is deleted; left out: never."""


class _Single(_Whole):
    terminate_after_preemption: Flag | None = None
    """Whether it ends when others take its GPUs."""


class WorkspaceSpec(_Single):
    """What a workspace does."""


class TrainingSpec(_Single):
    """What a training does."""

    backoff_limit: Count | None = None
    """So many failed pods are replaced; left out: 6."""
    completions: Positive | None = None
    """So many pods have to succeed; left out: 1."""
    parallelism: Positive | None = None
    """So many run at a time; left out: 1."""


class MasterSpec(PodSpec):
    """What the master of a distributed training does otherwise than its workers."""


class DistributedSpec(_Whole):
    """What the workers of a distributed training do."""

    num_workers: Positive
    """How many there are."""
    distributed_framework: Literal["MPI", "PyTorch", "TF", "XGBoost"]
    """What connects them."""
    slots_per_worker: Positive | None = None
    """Processes on each, of MPI only."""
    min_replicas: Positive | None = None
    """Pods at least, of PyTorch only."""
    max_replicas: Positive | None = None
    """Pods at most, of PyTorch only."""
    backoff_limit: Count | None = None
    """So many failures are borne."""


class ServingPort(Body):
    """Port on which a model answers."""

    container: PortNumber
    """The port."""
    protocol: Literal["http"] | None = None
    """What it speaks; `grpc` cannot be carried out."""


class Autoscaling(Body):
    """How many pods there are."""

    min_replicas: Count | None = None
    """At least so many; 0: none while nobody asks."""
    max_replicas: Positive | None = None
    """At most so many."""
    metric: Literal["throughput", "concurrency"] | None = None
    """What their number follows; `latency` cannot be carried out."""
    metric_threshold: Positive | None = None
    """Its value for each pod."""
    scale_to_zero_retention_seconds: NotCarriedOut = None


class InferenceSpec(_Whole):
    """What an inference workload does."""

    serving_port: ServingPort | None = None
    """Port on which it answers; left out: the one of `ports`."""
    autoscaling: Autoscaling | None = None
    """How many pods there are."""
