"""Jobs and their pods on the older surface (control-plane-api.md 1.3, 1.5): workloads, in other words.

Times of jobs are text, those of pods milliseconds since 1970-01-01 UTC. What clusters do not tell is left out:
commands, limits, and for how long a job waited and ran.
"""

from typing import Annotated, Literal

from pydantic import Field

from aliquot.contracts.administrator_api.listing import MOST_LISTED
from aliquot.contracts.administrator_api.shapes import INT32_MAX, Answer, Body, Id, Text, Time

JobType = Literal["Train", "Interactive", "Inference"]


class OlderPart(Body):
    """Which part of a list."""

    start: Annotated[int, Field(alias="from", ge=0, le=INT32_MAX)] = 0
    """So many are skipped."""
    limit: Annotated[int, Field(ge=1, le=MOST_LISTED)] = MOST_LISTED
    """At most so many are shown."""

    @property
    def offset(self) -> int:
        """The same, as newer lists call it."""
        return self.start


class OlderJobsFilter(Body):
    """Which jobs."""

    node_id: Text | None = None
    """Only those with a pod on the node of this name."""
    filter: Text | None = None
    """Only those that fulfil all of these, with commas between, such as `project==team-a,status==Running`."""


class OlderJobsQuery(OlderJobsFilter, OlderPart):
    """Which jobs, in which order."""

    sort_by: (
        Literal[
            "jobName", "workloadKind", "status", "user", "project", "creationTime", "completionTime",
            "currentAllocatedGPUs", "nodePool",
        ]
        | None
    ) = None  # fmt: skip
    """What they are sorted by; left out: by age."""
    sort_direction: Literal["ASC", "DESC", "asc", "desc"] | None = None
    """Which way; left out: ascending, but the youngest first where nothing is said to sort by."""
    include_deleted: bool = True
    """Whether those are shown, too, that are gone."""


class OlderPodsOfJobQuery(OlderPart):
    """Which pods of a job."""

    id: Id | None = None
    """Only the one with this id."""
    pod_id: Id | None = None
    """The same."""
    pod_group_id: Id | None = None
    """Only those of this job."""
    node_id: Annotated[Text | None, Field(alias="nodeID")] = None
    """Only those on the node of this name."""
    name: Text | None = None
    """Only the one with this name."""
    status: Text | None = None
    """Only those in this phase."""


class OlderPod(Answer):
    """A pod, as its cluster says."""

    pod_id: str
    """Its uid in its cluster."""
    job_id: str
    """The job that it belongs to."""
    pod_group_id: str
    """The same."""
    cluster_uuid: str
    """Cluster that it runs in."""
    pod_name: str
    """Its name."""
    image_name: str
    """Image of its first container."""
    node_id: str | None
    """Name of its node; null: it has none yet."""
    phase: str
    """Its phase in Kubernetes."""
    status: str
    """The same."""
    created: int
    """When it was made."""
    completed: int
    """When it ended; 0: it has not."""
    started: int | None
    """When the first of its containers began to run; null: none does."""
    last_updated: int
    """When the cluster said something new about it last."""
    exists_in_cluster: bool
    """Whether it is there."""
    resource_request: dict[str, float]
    """What it asks for: `gpu` in devices, `gpuMemory` in MiB, `cpu` in cores, `memory` in bytes, others by name."""
    resource_allocation: dict[str, float]
    """What it has, likewise."""
    node_pool: str | None
    """Node pool of its node."""
    namespace: str | None
    """Where it is; null: its job is gone for long."""


class OlderJob(Answer):
    """A job, as its cluster says."""

    job_id: Annotated[str, Field(alias="JobId")]
    """Its uid in its cluster, or its id here if it was submitted here."""
    pod_group_id: str
    """The same."""
    job_name: str
    """Its name."""
    job_type: JobType
    """What it is: by its kind, else by its priority class."""
    workload_kind: str
    """Its kind in Kubernetes, in small letters."""
    cluster_id: str
    """Cluster that it runs in."""
    status: str
    """`Pending`, `Running`, `Succeeded` or `Failed`; else its phase as newer routes have it, such as `Stopped`."""
    image_name: str
    """The first of its images; empty: it has none."""
    user: str | None
    """Who made it, if it says so."""
    project: str | None
    """Name of the project whose quota it uses; null: it uses nobody's."""
    node_id: str | None
    """Name of the node of its latest pod; null: that has none."""
    node_pool: str | None
    """Node pools that it runs in, with commas between."""
    creation_time: Time
    """When it was made."""
    completion_time: Time | None
    """When it ended; null: it has not."""
    pending: int
    """How many of its pods wait or start."""
    running: int
    """How many of them run."""
    failed: int
    """How many of them failed."""
    succeeded: int
    """How many of them succeeded."""
    parallelism: int | None
    """So many of them run at a time; null: it does not say."""
    completions: int | None
    """So many have to succeed; null: it does not say."""
    current_allocated_gpus: Annotated[float, Field(alias="currentAllocatedGPUs")]
    """GPU devices that it has."""
    current_allocated_gpus_memory: Annotated[int, Field(alias="currentAllocatedGPUsMemory")]
    """Memory of GPUs that it has, in MiB; 0: it was not asked for by amount."""
    current_requested_gpus: Annotated[float, Field(alias="currentRequestedGPUs")]
    """GPU devices that its pods ask for."""
    total_requested_gpus: Annotated[float, Field(alias="totalRequestedGPUs")]
    """GPU devices that it asks for as a whole."""
    requested_gpus_per_pod_group: Annotated[float, Field(alias="requestedGPUsPerPodGroup")]
    """The same."""
    requested_gpus_memory_per_pod_group: Annotated[int, Field(alias="requestedGPUsMemoryPerPodGroup")]
    """Memory of GPUs that it asks for as a whole, in MiB."""
    total_requested_memory: int
    """Bytes of main memory that it asks for as a whole."""
    total_requested_cpu: Annotated[float, Field(alias="totalRequestedCPU")]
    """Cores that it asks for as a whole."""
    requested_mig_devices: str | None
    """Slices of GPUs that it asks for, such as `1g.10gb`."""
    latest_pod: OlderPod | None
    """The youngest of its pods; null: there is none."""
    exists_in_cluster: bool
    """Whether it is there."""
    job_url: str | None
    """The first address that leads to it; null: none does."""
