"""What a cluster says of its workloads, their pods, and what happened to them (control-plane-api.md 1.4.10, 5.5).

Workloads are those of our own kinds, RunaiJobs, and whatever else people make whose pods ask for our scheduler; an
object is named by its uid. Pods come after the workloads that they belong to. An Event outlives what it tells of, and
is told once, and again when it was repeated: nobody says that it is gone.

Not told, ever: commands, arguments, variables, logs (control-plane-api.md 5.5).
"""

from typing import Annotated, Final, Literal, get_args

from pydantic import Field

from aliquot.contracts.administrator_api.shapes import Answer
from aliquot.contracts.cluster_orders import SubmissionId
from aliquot.contracts.cluster_shapes import Amount, Count, Message, Moment, ObjectName, ReportedCondition, Text

UID: Final = r"^[0-9A-Za-z][-0-9A-Za-z._]{0,62}$"
MOST_POOLS: Final = 64
MOST_IMAGES: Final = 64
MOST_CONTAINERS: Final = 64
MOST_TOLERATIONS: Final = 64
MOST_CONDITIONS: Final = 64
MOST_URLS: Final = 64
MOST_EXTENDED: Final = 32

Phase = Literal[
    "Creating", "Initializing", "Resuming", "Pending", "Deleting", "Running", "Updating", "Stopped", "Stopping",
    "Degraded", "Failed", "Completed", "Terminating", "Unknown",
]  # fmt: skip
PHASES: Final[tuple[Phase, ...]] = get_args(Phase)
Source = Literal["CLI", "Control-plane", "Other"]
GpuRequestType = Literal["portion", "memory", "migProfile"]
Framework = Literal["MPI", "PyTorch", "TF", "XGBoost"]

Uid = Annotated[str, Field(pattern=UID)]
Pools = Annotated[tuple[Text, ...], Field(max_length=MOST_POOLS)]


class ReportedResources(Answer):
    """Amounts, of one pod or of several together."""

    gpu: Amount = 0
    """GPU devices, as the scheduler counts whole ones, parts and slices."""
    gpu_request_type: GpuRequestType | None = None
    """How parts of devices were asked for; None: whole ones, or none."""
    gpu_memory_mib: Count = 0
    """Memory of GPUs that was asked for as an amount, in MiB."""
    mig_profile: Text | None = None
    """Slices that were asked for, such as `1g.10gb`."""
    cpu_milli: Count = 0
    """Thousandths of a core."""
    memory_bytes: Count = 0
    """Bytes of main memory."""
    extended: Annotated[dict[Text, Count], Field(max_length=MOST_EXTENDED)] = Field(default_factory=dict[str, int])
    """Other resources, by name."""


class ReportedPods(Answer):
    """How many pods a workload asks for; None: it does not say."""

    number: Count | None = None
    min: Count | None = None
    max: Count | None = None
    parallelism: Count | None = None
    completions: Count | None = None


class ReportedWorkload(Answer):
    """A workload, by its uid."""

    kind: Literal["workload"] = "workload"
    id: Uid
    name: ObjectName
    """As people know it."""
    namespace: ObjectName
    type: Text
    """Its kind, such as `TrainingWorkload` or `Deployment`."""
    project: Text | None = None
    """Name of the project whose quota it uses; None: nobody's."""
    department: Text | None = None
    """Name of its department."""
    priority_class: Text = ""
    preemptible: bool | None = None
    """Whether its GPUs may be taken back; None: not known yet."""
    submitted_by: Text | None = None
    submission: SubmissionId | None = None
    """As what it says it was submitted over REST; None: it was not."""
    source: Source = "Other"
    """By what it says of itself."""
    phase: Phase
    phase_message: Message = ""
    kubernetes_phase: Text = ""
    """What it says of itself in a word."""
    conditions: Annotated[tuple[ReportedCondition, ...], Field(max_length=MOST_CONDITIONS)] = ()
    created_at: Moment
    completed_at: Moment | None = None
    running_pods: Count = 0
    requested_pods: ReportedPods | None = None
    requested: ReportedResources | None = None
    """What it asks for as a whole; None: that does not follow from the workload alone."""
    pods_requested: ReportedResources = ReportedResources()
    """What those of its pods ask for that have not ended."""
    allocated: ReportedResources = ReportedResources()
    """What those of them have that have a node."""
    requested_node_pools: Pools = ()
    """Most wanted first."""
    current_node_pools: Pools = ()
    images: Annotated[tuple[Text, ...], Field(max_length=MOST_IMAGES)] = ()
    urls: Annotated[tuple[Text, ...], Field(max_length=MOST_URLS)] = ()
    distributed_framework: Framework | None = None


class ReportedContainer(Answer):
    """A container of a pod."""

    name: Text
    image: Text
    started_at: Moment | None = None


class ReportedToleration(Answer):
    """A taint that a pod bears."""

    key: Text = ""
    operator: Text = ""
    value: Text = ""
    effect: Text = ""


class ReportedPod(Answer):
    """A pod, by its uid."""

    kind: Literal["pod"] = "pod"
    id: Uid
    name: ObjectName
    workload: Uid
    workload_name: ObjectName
    project: Text | None = None
    """Name of the project whose quota it uses; None: nobody's."""
    priority_class: Text = ""
    kubernetes_phase: Text
    node: Text | None = None
    current_node_pool: Text | None = None
    requested_node_pools: Pools = ()
    created_at: Moment
    completed_at: Moment | None = None
    containers: Annotated[tuple[ReportedContainer, ...], Field(max_length=MOST_CONTAINERS)] = ()
    requested: ReportedResources = ReportedResources()
    allocated: ReportedResources = ReportedResources()
    """What it has; nothing before it has a node and after it has ended."""
    tolerations: Annotated[tuple[ReportedToleration, ...], Field(max_length=MOST_TOLERATIONS)] = ()


class ReportedEvent(Answer):
    """Something that happened to a workload or to what belongs to it, by the uid of the Event in Kubernetes."""

    kind: Literal["event"] = "event"
    id: Uid
    workload: Uid | None = None
    """The workload that it happened to, or to whose pod or other object; None: the cluster does not know any more, as
    that is gone. Then it belongs where what is `involved` was last told to belong."""
    created_at: Moment
    """When it happened, last."""
    count: Annotated[int, Field(ge=1, le=2**53)] = 1
    """How often it happened."""
    type: Text
    """`Normal` or `Warning`."""
    reason: Text = ""
    message: Message
    source: Text = ""
    """Who says so."""
    involved_uid: Uid
    involved_kind: Text
    involved_name: Text
    involved_namespace: Text = ""
