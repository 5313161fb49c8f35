"""Every label, annotation, environment variable, resource and manager name that Aliquot reads or writes, once.

Compatible names come from cluster-api.md 2.2 and 2.3; names under `aliquot.dev/` are our own.
"""

from typing import Final

# API groups and fixed names
RUN_AI_GROUP: Final = "run.ai"
SCHEDULING_GROUP: Final = "scheduling.run.ai"
SCHEDULER_NAME: Final = "runai-scheduler"
SYSTEM_NAMESPACE: Final = "runai"
CONFIG_NAME: Final = "runai"
"""Of the one RunaiConfig that counts, in that namespace."""
PROJECT_NAMESPACE_PREFIX: Final = "runai-"
RESERVATION_NAMESPACE: Final = "runai-reservation"
"""Where the pods are that hold the devices of which others have parts; the chart makes it."""
RESERVED_NAMESPACES: Final = frozenset(
    {
        SYSTEM_NAMESPACE,
        "runai-backend",
        RESERVATION_NAMESPACE,
        "runai-scale-adjust",
        "kube-node-lease",
        "kube-public",
        "kube-system",
    }
)
"""Namespaces of the system (cluster-api.md 3.5), which no project can have."""
DEFAULT_NODE_POOL: Final = "default"

# Resources
GPU_RESOURCE: Final = "nvidia.com/gpu"
UNREADABLE_RESOURCE: Final = "aliquot.dev/unreadable-request"
"""Asked for in the scheduler's books by pods whose annotations make no sense; no node has it."""

USAGE_CONFIG_MAP: Final = "aliquot-usage"
"""In the operator's namespace: what projects and departments have used lately, by node pool."""

# Labels
POD_SECURITY_LABEL: Final = "pod-security.kubernetes.io/enforce"
"""On a namespace: which level of Pod Security its pods must pass."""
RESTRICTED: Final = "restricted"
QUEUE_LABEL: Final = "runai/queue"
"""On a namespace: the project it belongs to. On a pod: the project whose quota it uses."""
PROJECT_LABEL: Final = "project"
NAMESPACE_VERSION_LABEL: Final = "runai/namespace-version"
NAMESPACE_VERSION: Final = "v2"
"""What that label says on the namespace of every project."""
NODE_POOL_LABEL: Final = "runai/node-pool"
NODE_TYPE_LABEL: Final = "run.ai/type"
GPU_WORKER_LABEL: Final = "node-role.kubernetes.io/runai-gpu-worker"
"""On a node: it is for work with GPUs, where a RunaiConfig restricts scheduling to roles. Any value counts."""
CPU_WORKER_LABEL: Final = "node-role.kubernetes.io/runai-cpu-worker"
"""The same for work without GPUs."""
WORKLOAD_NAME_LABEL: Final = "workloadName"
WORKLOAD_KIND_LABEL: Final = "run.ai/workload-kind"
GPU_GROUP_LABEL: Final = "runai-gpu-group"
"""On a pod with a part of a GPU: the id of the shared device. For several: labels `runai-gpu-group/ID`."""
GPU_COUNT_LABEL: Final = "nvidia.com/gpu.count"
"""On a node: how many GPUs it has."""
GPU_PRODUCT_LABEL: Final = "nvidia.com/gpu.product"
"""On a node: what its GPUs are, such as NVIDIA-H100-80GB-HBM3."""
GPU_DISCOVERY_LABEL: Final = "nvidia.com/gfd.timestamp"
"""On a node: GPU feature discovery labels it."""
GPU_MEMORY_LABEL: Final = "nvidia.com/gpu.memory"
"""On a node: memory of one of its GPUs, in MiB."""
HOST_NAME_LABEL: Final = "kubernetes.io/hostname"
"""On a node: its name."""
MPS_NODE_LABEL: Final = "aliquot.dev/mps"
"""On a node, `true`: it runs NVIDIA's Multi-Process Service for pods; set by whoever started the service there."""
MIG_STRATEGY_LABEL: Final = "nvidia.com/mig.strategy"
KAI_QUEUE_LABEL: Final = "kai.scheduler/queue"
"""As `QUEUE_LABEL`, on workloads of other kinds; so is `PROJECT_LABEL`."""
KAI_NODE_POOL_LABEL: Final = "kai.scheduler/node-pool"
PREEMPTIBILITY_LABEL: Final = "kai.scheduler/preemptibility"
TASK_PRIORITY_LABEL: Final = "kai.scheduler/task-priority"
SUBGROUP_LABEL: Final = "kai.scheduler/subgroup-name"
WORKLOAD_KINDS_LABEL: Final = "aliquot.dev/workload-kinds"
"""On a ConfigMap in the operator's namespace: it adds to the table of kinds whose pods are scheduled together."""
AGGREGATE_LABEL: Final = "aliquot.dev/aggregate-to-operator"
"""On a ClusterRole: the operator may do what it says."""
OWN_EVENTS: Final = "aliquot.dev/"
"""How those begin that speak in Aliquot's own Events."""
CONTROL_PLANE_LABEL: Final = "aliquot.dev/control-plane"
"""On a project, department, node pool or access rule that is as the control plane says, and on a workload that it had
made: the cluster's uuid there."""
SUBMISSION_LABEL: Final = "aliquot.dev/submission"
"""On a workload that was submitted over REST: its id in the control plane."""
ACCESS_RULE_LABEL: Final = "aliquot.dev/access-rule"
"""On a RoleBinding: the access rule that it is made for."""
RELEASE_LABEL: Final = "release"
PRIORITY_CLASS_LABEL: Final = "priorityClassName"
MANAGED_BY_LABEL: Final = "app.kubernetes.io/managed-by"
MANAGED_BY: Final = "aliquot"
"""What that label says on everything that Aliquot makes."""
POD_INDEX_LABEL: Final = "aliquot.dev/pod-index"
"""On a pod of a workload: which of the workload's completions it works on, from 0."""
ATTEMPT_LABEL: Final = "aliquot.dev/attempt"
"""On a pod of a workload: how many pods its index had before it, from 0."""

# Labels of the Kubeflow Training Operator, on pods of distributed workloads too: tools find members by them.
KUBEFLOW_LABEL_PREFIX: Final = "training.kubeflow.org/"
KUBEFLOW_JOB_NAME_LABEL: Final = "training.kubeflow.org/job-name"
KUBEFLOW_REPLICA_TYPE_LABEL: Final = "training.kubeflow.org/replica-type"
KUBEFLOW_REPLICA_INDEX_LABEL: Final = "training.kubeflow.org/replica-index"
KUBEFLOW_JOB_ROLE_LABEL: Final = "training.kubeflow.org/job-role"
KUBEFLOW_MASTER_ROLE: Final = "master"
"""What the role says of the one member that the others gather around; they have no role."""

# Annotations
GPU_IDLE_SINCE_ANNOTATION: Final = "aliquot.dev/gpu-idle-since"
"""On a pod: since when none of its GPUs has had work, as a time of RFC 3339; written by the agent of its node, and
removed when there is work again."""
GPU_IDLE_SEEN_ANNOTATION: Final = "aliquot.dev/gpu-idle-seen"
"""Beside it: when that was last seen to be so, renewed every few minutes; one that is old is the word of an agent that
does not run any more."""
FAILED_ATTEMPTS_ANNOTATION: Final = "aliquot.dev/failed-attempts"
"""On a pod of a workload: how many earlier pods of its index failed; evictions do not count."""
MAIN_CONTAINER_ANNOTATION: Final = "aliquot.dev/main-container"
"""On a pod of a workload with a container beside its own: name of its own, which alone says how the pod is doing."""
JOB_NAME_ANNOTATION: Final = "aliquot.dev/job-name"
"""On a workload without a name of its own: the name generated for it, written before its first pod."""
WORKLOAD_ANNOTATION: Final = "aliquot.dev/workload"
"""On a pod that an object between it and its workload makes, such as a Deployment: kind, name and uid of the workload,
with slashes between them."""
GPU_FRACTION_ANNOTATION: Final = "gpu-fraction"
GPU_MEMORY_ANNOTATION: Final = "gpu-memory"
GPU_DEVICES_ANNOTATION: Final = "gpu-fraction-num-devices"
GPU_CONTAINER_ANNOTATION: Final = "gpu-fraction-container-name"
"""On a pod with a part of a GPU: name of the container that gets it; without, it is the first."""
GPU_LIMIT_ANNOTATION: Final = "runai-gpu-limit"
"""On a pod with a part of a GPU: how far it may go beyond that part while the rest is idle."""
SHARED_GPUS_ANNOTATION: Final = "aliquot.dev/shared-gpus"
"""On a pod with parts of GPUs, since it has a node: the ids that the scheduler has for them, with commas between them.
On a reservation pod: the one that it holds."""
GPU_IDS_ANNOTATION: Final = "aliquot.dev/gpu-ids"
"""Beside it: what the device plugin calls these GPUs, in the same order; containers read it."""
GPU_PORTION_ANNOTATION: Final = "aliquot.dev/gpu-portion"
"""Beside it: the part that the pod has of each, such as 0.25; containers read it."""
NUMBER_OF_GPUS_ANNOTATION: Final = "aliquot.dev/number-of-gpus"
"""Beside it: all parts together, such as 0.5; containers read it."""
MPS_ANNOTATION: Final = "mps"
"""On a pod with parts of GPUs: whether it shares them through NVIDIA's Multi-Process Service."""
MPS_MEMORY_ANNOTATION: Final = "aliquot.dev/mps-memory-limit"
"""Beside the record of its parts, then: memory that it may use of each, such as `0=4096M`; containers read it."""
MPS_THREADS_ANNOTATION: Final = "aliquot.dev/mps-thread-percentage"
"""Beside it: its part of each one's threads, such as 25; containers read it."""
RECEIVED_ANNOTATION: Final = "received-resource-type"
"""On a pod with GPUs, since it has a node: one of the next two."""
RECEIVED_WHOLE: Final = "Regular"
RECEIVED_PART: Final = "Fraction"
RESERVED_GPU_ANNOTATION: Final = "run.ai/reserve_for_gpu_index"
"""On a reservation pod: what the device plugin calls its GPU, written by the agent of its node where the kubelet does
not say it in the pod's status (before Kubernetes 1.36)."""
GPU_HEALTH_ANNOTATION: Final = "aliquot.dev/gpu-health"
"""On a node: which of its GPUs cannot be used, by what the device plugin calls them, each with `reason` (`lost`,
`reset_required` or `failed`) and `since`, as a JSON object; written by the agent, absent while all are well."""
GPU_OVERUSE_ANNOTATION: Final = "aliquot.dev/gpu-memory-overuse"
"""On a pod with parts of GPUs: on which of them it uses more memory than it was given, each with `usedMib`, `limitMib`
and `since`, as a JSON object; written by the agent, and removed when it is back within."""
USER_ANNOTATION: Final = "user"
PROJECTS_ANNOTATION: Final = "aliquot.dev/projects"
"""On a namespace that is no project's: names of the projects, with commas between them, from which its pods may choose
by label; `*` stands for all."""
TOPOLOGY_ANNOTATION: Final = "kai.scheduler/topology"
TOPOLOGY_REQUIRED_ANNOTATION: Final = "kai.scheduler/topology-required-placement"
TOPOLOGY_PREFERRED_ANNOTATION: Final = "kai.scheduler/topology-preferred-placement"
CLOSENESS_ANNOTATIONS: Final = (TOPOLOGY_ANNOTATION, TOPOLOGY_REQUIRED_ANNOTATION, TOPOLOGY_PREFERRED_ANNOTATION)
"""On a workload of ours, or on pods: how close to one another they are to be."""
SEGMENT_SIZE_ANNOTATION: Final = "kai.scheduler/segment-size"
SEGMENT_REQUIRED_ANNOTATION: Final = "kai.scheduler/segment-topology-required-placement"
SEGMENT_PREFERRED_ANNOTATION: Final = "kai.scheduler/segment-topology-preferred-placement"
POD_GROUP_ANNOTATION: Final = "pod-group-name"
"""On a pod: the gang that it belongs to, among the pods of its namespace."""
MIN_MEMBER_ANNOTATION: Final = "aliquot.dev/min-member"
"""On a pod of a gang: with how many pods it starts, or not at all."""
USER_ID_ANNOTATION: Final = "aliquot.dev/user-id"
"""On a pod of a workload: identity of the owner, as their token says it."""
SELECTED_NODE_ANNOTATION: Final = "volume.kubernetes.io/selected-node"
"""On a PersistentVolumeClaim whose volume is made for its first pod: the node where that pod is."""
NODE_POOLS_ANNOTATION: Final = "aliquot.dev/node-pools"
"""On a pod of a workload that names node pools: their names, most wanted first, with commas between them."""

# Environment variables of containers
ENV_JOB_NAME: Final = "JOB_NAME"
ENV_JOB_UUID: Final = "JOB_UUID"
ENV_POD_INDEX: Final = "POD_INDEX"
ENV_POD_UUID: Final = "POD_UUID"
ENV_NODE_NAME: Final = "NODE_NAME"
ENV_NUMBER_OF_GPUS: Final = "RUNAI_NUM_OF_GPUS"
ENV_PROJECT: Final = "RUNAI_PROJECT"
ENV_RUNAI_JOB_NAME: Final = "RUNAI_JOB_NAME"
ENV_GPU_PORTION: Final = "GPU_PORTION"
"""The part that a container has of each of its GPUs."""
VISIBLE_DEVICES_VARIABLE: Final = "NVIDIA_VISIBLE_DEVICES"
"""Tells the container runtime which GPUs a container sees; with an image that says "all", it sees every one."""
MPS_PIPE_VARIABLE: Final = "CUDA_MPS_PIPE_DIRECTORY"
MPS_MEMORY_VARIABLE: Final = "CUDA_MPS_PINNED_DEVICE_MEM_LIMIT"
MPS_THREADS_VARIABLE: Final = "CUDA_MPS_ACTIVE_THREAD_PERCENTAGE"
"""What programs that use GPUs through NVIDIA's Multi-Process Service are told: where it is, and what they may use."""
MPS_PIPE_DIRECTORY: Final = "/tmp/nvidia-mps"  # noqa: S108 - where the service is unless told otherwise
HOME_VARIABLE: Final = "HOME"

# Variables of frameworks that connect the pods of distributed workloads, as from the Kubeflow Training Operator
MASTER_ADDRESS_VARIABLE: Final = "MASTER_ADDR"
MASTER_PORT_VARIABLE: Final = "MASTER_PORT"
WORLD_SIZE_VARIABLE: Final = "WORLD_SIZE"
RANK_VARIABLE: Final = "RANK"
UNBUFFERED_VARIABLE: Final = "PYTHONUNBUFFERED"
TF_CONFIG_VARIABLE: Final = "TF_CONFIG"
WORKER_ADDRESSES_VARIABLE: Final = "WORKER_ADDRS"
WORKER_PORT_VARIABLE: Final = "WORKER_PORT"
MPI_WORKERS_VARIABLE: Final = "RUNAI_MPI_NUM_WORKERS"
TORCHRUN_PREFIX: Final = "PET_"
"""Begins the variables that `torchrun` reads in the place of its arguments, such as PET_NNODES."""
RESERVATION_IMAGE: Final = "registry.k8s.io/pause:3.10"
"""Image of pods that hold GPUs for others: a process that does nothing."""

# ClusterRoles that access rules give out in namespaces of projects; the chart makes them
VIEWER_ROLE: Final = "aliquot-project-viewer"
RESEARCHER_ROLE: Final = "aliquot-project-researcher"
ENGINEER_ROLE: Final = "aliquot-project-engineer"
ADMINISTRATOR_ROLE: Final = "aliquot-project-administrator"

# Images of containers that a workload has beside its own: the first two fetch data before that starts
GIT_SYNC_IMAGE: Final = "registry.k8s.io/git-sync/git-sync:v4.4.2"
RCLONE_IMAGE: Final = "docker.io/rclone/rclone:1.71.0"
TENSORBOARD_IMAGE: Final = "docker.io/tensorflow/tensorflow:2.19.0"

# Finalizers: none. Deleting a workload works with the operator down: its pods go by their owner references.

# Annotations and labels of Knative Serving, on what becomes of inference workloads
KNATIVE_CLASS_ANNOTATION: Final = "autoscaling.knative.dev/class"
KNATIVE_METRIC_ANNOTATION: Final = "autoscaling.knative.dev/metric"
KNATIVE_TARGET_ANNOTATION: Final = "autoscaling.knative.dev/target"
KNATIVE_MIN_SCALE_ANNOTATION: Final = "autoscaling.knative.dev/min-scale"
KNATIVE_MAX_SCALE_ANNOTATION: Final = "autoscaling.knative.dev/max-scale"
KNATIVE_VISIBILITY_LABEL: Final = "networking.knative.dev/visibility"
KNATIVE_CLUSTER_LOCAL: Final = "cluster-local"
"""What that label says of a service that is reached from inside the cluster only."""
TOTAL_GPUS_ANNOTATION: Final = "totalGPUs"
"""On an MPIJob: GPUs of all its pods together, for lists of jobs."""

# Field managers, one per purpose (design.md 5)
PODS_MANAGER: Final = "aliquot-pods"
STATUS_MANAGER: Final = "aliquot-status"
NAMES_MANAGER: Final = "aliquot-names"
TENANCY_MANAGER: Final = "aliquot-tenancy"
SCHEDULER_MANAGER: Final = "aliquot-scheduler"
CERTIFICATES_MANAGER: Final = "aliquot-certificates"
REPORTS_MANAGER: Final = "aliquot-reports"
CONDITIONS_MANAGER: Final = "aliquot-conditions"
USAGE_MANAGER: Final = "aliquot-usage"
BESIDE_MANAGER: Final = "aliquot-beside"
AGENT_MANAGER: Final = "aliquot-agent"
CONTROL_PLANE_MANAGER: Final = "aliquot-control-plane"

# Conditions
DISRUPTION_TARGET_CONDITION: Final = "DisruptionTarget"
"""On a pod: set by whoever evicts it; such an end does not count against `backoffLimit`."""
EVICTED_BY_ALIQUOT_REASON: Final = "EvictionByAliquot"
MAKES_ROOM_CONDITION: Final = "aliquot.dev/MakesRoom"
"""On a pod that we evict: as its message, the job that its room is kept for; as its reason, one of the next three."""
PREEMPTED_REASON: Final = "Preempted"
"""It loses its place to others, and waits for its next turn."""
MOVED_REASON: Final = "Moved"
"""It has a place elsewhere."""
GANG_INCOMPLETE_REASON: Final = "GangIncomplete"
"""It can do nothing without the others of its gang."""
POD_SCHEDULED_CONDITION: Final = "PodScheduled"
"""On a pod: True since it has a node; set by the API server when it is bound."""
GPU_OVERUSE_REASON: Final = "GpuMemoryOveruse"
"""Of the first: it used more of a GPU's memory than it was given. This end counts against `backoffLimit`."""
GPUS_HEALTHY_CONDITION: Final = "aliquot.dev/GpusHealthy"
"""On a pod, while it is False: a GPU that it has cannot be used, and why."""
GPU_MEMORY_KEPT_CONDITION: Final = "aliquot.dev/GpuMemoryKept"
"""On a pod, while it is False: it uses more memory of a GPU than it was given."""
UNDERSTOOD_CONDITION: Final = "aliquot.dev/Understood"
"""On a pod, while it is False: what it asks for cannot be followed, and why."""
GANG_COMPLETE_CONDITION: Final = "aliquot.dev/GangComplete"
"""On a pod that runs, while it is False: since when its gang has had fewer pods than its minimum."""

DEFAULT_STORAGE_CLASS_ANNOTATIONS: Final = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
"""Kubernetes' own; on a StorageClass that is the default one is `true`."""

# Priority classes and their values (cluster-api.md 5.1); values from 100 on are not preemptible
TRAIN_PRIORITY_CLASS: Final = "train"
INTERACTIVE_PRIORITY_CLASSES: Final = ("build", "build-preemptible", "interactive-preemptible")
INFERENCE_PRIORITY_CLASS: Final = "inference"
BUILD_PRIORITY_CLASS: Final = "build"
INTERACTIVE_PREEMPTIBLE_CLASS: Final = "interactive-preemptible"
NON_PREEMPTIBLE_FROM_PRIORITY: Final = 100
DEFAULT_TRAIN_PRIORITY: Final = 50
