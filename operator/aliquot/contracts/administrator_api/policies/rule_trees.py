"""The rules of policies for each type of workloads."""

from aliquot.contracts.administrator_api.policies.rules import (
    AffinityRules,
    AmountRules,
    ClaimRules,
    ConfigMapRules,
    DeviceRules,
    FlagRules,
    GitRules,
    HostPathRules,
    KeyedRules,
    ListRules,
    NfsRules,
    NumberRules,
    PortRules,
    ResourceRules,
    S3Rules,
    SourceRules,
    TextRules,
    UrlRules,
    WholeRules,
)
from aliquot.contracts.administrator_api.shapes import Body
from aliquot.contracts.administrator_api.submissions.parts import NotCarriedOut


class ComputeRules(Body):
    """Rules for what each pod has to compute with."""

    gpu_devices_request: DeviceRules | None = None
    gpu_portion_request: NumberRules | None = None
    gpu_portion_limit: NumberRules | None = None
    gpu_memory_request: AmountRules | None = None
    gpu_memory_limit: AmountRules | None = None
    mig_profile: TextRules | None = None
    gpu_request_type: NotCarriedOut = None
    cpu_core_request: NumberRules | None = None
    cpu_core_limit: NumberRules | None = None
    cpu_memory_request: AmountRules | None = None
    cpu_memory_limit: AmountRules | None = None
    large_shm_request: FlagRules | None = None
    extended_resources: ResourceRules | None = None


class StorageRules(Body):
    """Rules for what is mounted."""

    pvc: ClaimRules | None = None
    git: GitRules | None = None
    config_map_volume: ConfigMapRules | None = None
    host_path: HostPathRules | None = None
    nfs: NfsRules | None = None
    s3: S3Rules | None = None
    secret_volume: NotCarriedOut = None
    data_volume: NotCarriedOut = None


class SecurityRules(Body):
    """Rules for as whom containers run, and what they may do beyond that."""

    uid_gid_source: SourceRules | None = None
    run_as_uid: WholeRules | None = None
    run_as_gid: WholeRules | None = None
    supplemental_groups: TextRules | None = None
    run_as_non_root: FlagRules | None = None
    capabilities: ListRules | None = None
    seccomp_profile_type: TextRules | None = None
    allow_privilege_escalation: FlagRules | None = None
    host_ipc: FlagRules | None = None
    host_network: FlagRules | None = None
    read_only_root_filesystem: NotCarriedOut = None


class PodRules(Body):
    """Rules for pods of all kinds."""

    image: TextRules | None = None
    command: TextRules | None = None
    args: TextRules | None = None
    image_pull_policy: TextRules | None = None
    working_dir: TextRules | None = None
    create_home_dir: FlagRules | None = None
    probes: NotCarriedOut = None
    node_type: TextRules | None = None
    node_pools: ListRules | None = None
    pod_affinity: AffinityRules | None = None
    environment_variables: KeyedRules | None = None
    annotations: KeyedRules | None = None
    labels: KeyedRules | None = None
    tolerations: KeyedRules | None = None
    ports: PortRules | None = None
    exposed_urls: UrlRules | None = None
    related_urls: NotCarriedOut = None
    compute: ComputeRules | None = None
    storage: StorageRules | None = None
    security: SecurityRules | None = None


class _Lasting(PodRules):
    terminate_after_preemption: FlagRules | None = None
    auto_deletion_time_after_completion_seconds: WholeRules | None = None
    backoff_limit: WholeRules | None = None


class WorkspaceRules(_Lasting):
    """Rules for workspaces."""

    priority_class: NotCarriedOut = None


class TrainingRules(_Lasting):
    """Rules for trainings."""

    priority_class: NotCarriedOut = None
    completions: WholeRules | None = None
    parallelism: WholeRules | None = None


class WorkerRules(_Lasting):
    """Rules for workers of distributed trainings, and their master."""

    num_workers: WholeRules | None = None
    distributed_framework: NotCarriedOut = None
    slots_per_worker: WholeRules | None = None
    min_replicas: WholeRules | None = None
    max_replicas: WholeRules | None = None


class DistributedRules(Body):
    """Rules for distributed trainings."""

    worker: WorkerRules | None = None
    """Workers and master: clusters have one policy for both."""
    master: NotCarriedOut = None


class AutoscalingRules(Body):
    """Rules for how many pods there are."""

    min_replicas: WholeRules | None = None
    max_replicas: WholeRules | None = None
    metric: TextRules | None = None
    metric_threshold: WholeRules | None = None
    scale_to_zero_retention_seconds: NotCarriedOut = None


class InferenceRules(PodRules):
    """Rules for inference workloads."""

    serving_port: NotCarriedOut = None
    autoscaling: AutoscalingRules | None = None
