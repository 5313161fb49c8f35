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
WORKLOAD_NAME_LABEL: Final = "workloadName"
WORKLOAD_KIND_LABEL: Final = "run.ai/workload-kind"
GPU_GROUP_LABEL: Final = "runai-gpu-group"
"""On a pod with a part of a GPU: the id of the shared device. For several: labels `runai-gpu-group/ID`."""
GPU_MEMORY_LABEL: Final = "nvidia.com/gpu.memory"
"""On a node: memory of one of its GPUs, in MiB."""
HOST_NAME_LABEL: Final = "kubernetes.io/hostname"
"""On a node: its name."""
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
FAILED_ATTEMPTS_ANNOTATION: Final = "aliquot.dev/failed-attempts"
"""On a pod of a workload: how many earlier pods of its index failed; evictions do not count."""
JOB_NAME_ANNOTATION: Final = "aliquot.dev/job-name"
"""On a workload without a name of its own: the name generated for it, written before its first pod."""
WORKLOAD_ANNOTATION: Final = "aliquot.dev/workload"
"""On a pod that an object between it and its workload makes, such as a Deployment: kind, name and uid of the workload,
with slashes between them."""
GPU_FRACTION_ANNOTATION: Final = "gpu-fraction"
GPU_MEMORY_ANNOTATION: Final = "gpu-memory"
GPU_DEVICES_ANNOTATION: Final = "gpu-fraction-num-devices"
GPU_LIMIT_ANNOTATION: Final = "runai-gpu-limit"
"""On a pod with a part of a GPU: how far it may go beyond that part while the rest is idle."""
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
VISIBLE_DEVICES_VARIABLE: Final = "NVIDIA_VISIBLE_DEVICES"
"""Tells the container runtime which GPUs a container sees; with an image that says "all", it sees every one."""
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
# ClusterRoles that access rules give out in namespaces of projects; the chart makes them
VIEWER_ROLE: Final = "aliquot-project-viewer"
RESEARCHER_ROLE: Final = "aliquot-project-researcher"
ENGINEER_ROLE: Final = "aliquot-project-engineer"
ADMINISTRATOR_ROLE: Final = "aliquot-project-administrator"

# Images of containers that fetch data before a workload's own starts
GIT_SYNC_IMAGE: Final = "registry.k8s.io/git-sync/git-sync:v4.4.2"
RCLONE_IMAGE: Final = "docker.io/rclone/rclone:1.71.0"

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
UNDERSTOOD_CONDITION: Final = "aliquot.dev/Understood"
"""On a pod, while it is False: what it asks for cannot be followed, and why."""
GANG_COMPLETE_CONDITION: Final = "aliquot.dev/GangComplete"
"""On a pod that runs, while it is False: since when its gang has had fewer pods than its minimum."""

# Priority classes and their values (cluster-api.md 5.1); values from 100 on are not preemptible
TRAIN_PRIORITY_CLASS: Final = "train"
INTERACTIVE_PRIORITY_CLASSES: Final = ("build", "build-preemptible", "interactive-preemptible")
INFERENCE_PRIORITY_CLASS: Final = "inference"
BUILD_PRIORITY_CLASS: Final = "build"
INTERACTIVE_PREEMPTIBLE_CLASS: Final = "interactive-preemptible"
NON_PREEMPTIBLE_FROM_PRIORITY: Final = 100
DEFAULT_TRAIN_PRIORITY: Final = 50
