"""Every label, annotation, environment variable, resource and manager name that Aliquot reads or writes, once.

Compatible names come from cluster-api.md 2.2 and 2.3; names under `aliquot.dev/` are our own.
"""

from typing import Final

# API groups and fixed names
RUN_AI_GROUP: Final = "run.ai"
SCHEDULING_GROUP: Final = "scheduling.run.ai"
SCHEDULER_NAME: Final = "runai-scheduler"
SYSTEM_NAMESPACE: Final = "runai"
PROJECT_NAMESPACE_PREFIX: Final = "runai-"
DEFAULT_NODE_POOL: Final = "default"

# Resources
GPU_RESOURCE: Final = "nvidia.com/gpu"
UNREADABLE_GPU_RESOURCE: Final = "aliquot.dev/unreadable-gpu-request"
"""Asked for in the scheduler's books by pods whose GPU annotations make no sense; no node has it."""

# Labels
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
RELEASE_LABEL: Final = "release"
PRIORITY_CLASS_LABEL: Final = "priorityClassName"
MANAGED_BY_LABEL: Final = "app.kubernetes.io/managed-by"
MANAGED_BY: Final = "aliquot"
"""What that label says on everything that Aliquot makes."""
POD_INDEX_LABEL: Final = "aliquot.dev/pod-index"
"""On a pod of a workload: which of the workload's completions it works on, from 0."""
ATTEMPT_LABEL: Final = "aliquot.dev/attempt"
"""On a pod of a workload: how many pods its index had before it, from 0."""

# Annotations
FAILED_ATTEMPTS_ANNOTATION: Final = "aliquot.dev/failed-attempts"
"""On a pod of a workload: how many earlier pods of its index failed; evictions do not count."""
JOB_NAME_ANNOTATION: Final = "aliquot.dev/job-name"
"""On a workload without a name of its own: the name generated for it, written before its first pod."""
GPU_FRACTION_ANNOTATION: Final = "gpu-fraction"
GPU_MEMORY_ANNOTATION: Final = "gpu-memory"
GPU_DEVICES_ANNOTATION: Final = "gpu-fraction-num-devices"
USER_ANNOTATION: Final = "user"
PROJECTS_ANNOTATION: Final = "aliquot.dev/projects"
"""On a namespace that is no project's: names of the projects, with commas between them, from which its pods may choose
by label; `*` stands for all."""
TOPOLOGY_ANNOTATION: Final = "kai.scheduler/topology"
TOPOLOGY_REQUIRED_ANNOTATION: Final = "kai.scheduler/topology-required-placement"
TOPOLOGY_PREFERRED_ANNOTATION: Final = "kai.scheduler/topology-preferred-placement"
SEGMENT_SIZE_ANNOTATION: Final = "kai.scheduler/segment-size"
SEGMENT_REQUIRED_ANNOTATION: Final = "kai.scheduler/segment-topology-required-placement"
SEGMENT_PREFERRED_ANNOTATION: Final = "kai.scheduler/segment-topology-preferred-placement"
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

# Finalizers: none. Deleting a workload works with the operator down: its pods go by their owner references.

# Field managers, one per purpose (design.md 5)
PODS_MANAGER: Final = "aliquot-pods"
STATUS_MANAGER: Final = "aliquot-status"
NAMES_MANAGER: Final = "aliquot-names"
TENANCY_MANAGER: Final = "aliquot-tenancy"
SCHEDULER_MANAGER: Final = "aliquot-scheduler"
REPORTS_MANAGER: Final = "aliquot-reports"

# Conditions
DISRUPTION_TARGET_CONDITION: Final = "DisruptionTarget"
"""On a pod: set by whoever evicts it; such an end does not count against `backoffLimit`."""
EVICTED_BY_ALIQUOT_REASON: Final = "EvictionByAliquot"

# Priority classes and their values (cluster-api.md 5.1); values from 100 on are not preemptible
TRAIN_PRIORITY_CLASS: Final = "train"
NON_PREEMPTIBLE_FROM_PRIORITY: Final = 100
DEFAULT_TRAIN_PRIORITY: Final = 50
