"""The parameters that all workload kinds share, and that policies govern.

Names, wrappers and types: crd-contract.md, Parameters of the workload kinds (rows TIFDM). Meaning: cluster-api.md 1.4.
"""

from typing import Annotated, Final

from aliquot.contracts.kinds import items
from aliquot.contracts.kinds.shapes import Check, Shape, text, whole
from aliquot.contracts.kinds.wrappers import (
    IS_DECIMAL,
    BoolValue,
    CommandText,
    CountValue,
    DecimalRules,
    IntRules,
    KeyedItems,
    LongText,
    PositiveValue,
    QuantityValue,
    ShortText,
    StringRules,
    Value,
)

JOB_NAME_LENGTH: Final = 52
"""Longest visible name of a workload. Its pods are called NAME-INDEX-ATTEMPT and a pod's host name has at most 63
characters, which leaves five digits for the index and four for the attempt."""
NAME_PREFIX_LENGTH: Final = JOB_NAME_LENGTH - 7
"""Longest prefix of a generated name: a dash and six digits follow."""
MAX_GPU_DEVICES: Final = 10_000

WHOLE_OR_FRACTION = Check(
    rule=f"{IS_DECIMAL} && (double(self) < 1.0 || double(self) == double(int(double(self))))",
    message="must be a whole number of GPUs, such as 0, 1 or 8, or a fraction of one GPU above 0 and below 1, such as "
    "0.25, in quotes",
)
FRACTION = Check(
    rule=f"{IS_DECIMAL} && double(self) > 0.0 && double(self) <= 1.0",
    message="must be a part of one GPU's memory above 0 and at most 1, such as 0.8, in quotes",
)
CORES = Check(
    rule=IS_DECIMAL, message="must be a number of CPU cores that is not negative, such as 0.5 or 20, in quotes"
)
MIG_PROFILE = Check(
    rule="self.matches('^[1-9]g[.][1-9][0-9]*gb([+](me|gfx)([.]all)?)?$')",
    message="must name a MIG profile, such as 1g.10gb or 3g.40gb",
)
PULL_POLICY = Check(
    rule="self in ['Always', 'IfNotPresent', 'Never']",
    message="must be Always, IfNotPresent or Never",
)
GROUPS = Check(
    rule="self.matches('^[0-9]+([;,][0-9]+)*$')",
    message="must be numbers of groups with ';' between them, such as 100;2000",
)


def _job_name(longest: int, what: str) -> Check:
    return Check(
        rule=f"self.size() <= {longest} && self.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
        message=f"must have at most {longest} characters, {what}: lower-case letters, digits and '-', with a letter "
        "first and no '-' last",
    )


def _no_less(limit: str, request: str, of: str) -> Check:
    """Make the rule that a limit is no less than what is requested, where one object says both."""
    return Check(
        rule=f"!has(self.{limit}) || !has(self.{limit}.value) || !has(self.{request}) || !has(self.{request}.value) || "
        + of.format(limit=f"self.{limit}.value", request=f"self.{request}.value"),
        message=f"must be no less than {request}",
        field=f".{limit}",
    )


_DECIMALS = "!({limit}.matches('^[0-9.]+$') && {request}.matches('^[0-9.]+$')) || double({limit}) >= double({request})"
_QUANTITIES = "!(isQuantity({limit}) && isQuantity({request})) || quantity({limit}).compareTo(quantity({request})) >= 0"

# Each parameter has a named type, so that its default is an instance of exactly that type.
KeyedTexts = KeyedItems[Annotated[str, text(32768)]]
KeyedLabels = KeyedItems[Annotated[str, text(63)]]
Cores = Value[Annotated[str, text(16, CORES)], DecimalRules]
GpuValue = Value[Annotated[str, text(16, WHOLE_OR_FRACTION)], DecimalRules]
GpuDevices = Value[Annotated[int, whole(0, MAX_GPU_DEVICES)], IntRules]
GpuLimit = Value[Annotated[str, text(16, FRACTION)], DecimalRules]
ImageValue = Value[Annotated[str, text(1024)], StringRules]
PullPolicy = Value[Annotated[str, text(16, PULL_POLICY)], StringRules]
MigProfile = Value[Annotated[str, text(32, MIG_PROFILE)], StringRules]
JobName = Value[Annotated[str, text(253, _job_name(JOB_NAME_LENGTH, "so that its pods' names fit"))], StringRules]
NamePrefix = Value[Annotated[str, text(253, _job_name(NAME_PREFIX_LENGTH, "so that a number can follow"))], StringRules]
Groups = Value[Annotated[str, text(1024, GROUPS)], StringRules]
PodCount = Value[Annotated[int, whole(1, 100_000)], IntRules]


class PodParameters(Shape):
    """What a workload's pods are like."""

    checks = (
        Check(
            rule="!(has(self.gpu) && has(self.gpu.value) && has(self.gpuMemory) && has(self.gpuMemory.value))",
            message="gpu and gpuMemory exclude one another: give a number of GPUs, or memory on a GPU",
            field=".gpuMemory",
        ),
        Check(
            rule="!(has(self.migProfile) && has(self.migProfile.value) && (has(self.gpu) && has(self.gpu.value) || "
            "has(self.gpuMemory) && has(self.gpuMemory.value)))",
            message="migProfile excludes gpu and gpuMemory: give one of the three",
            field=".migProfile",
        ),
        Check(
            rule="!(has(self.name) && has(self.name.value) && has(self.namePrefix) && has(self.namePrefix.value))",
            message="name and namePrefix exclude one another: give a name, or a prefix to make one from",
            field=".namePrefix",
        ),
        _no_less("cpuLimit", "cpu", _DECIMALS),
        _no_less("memoryLimit", "memory", _QUANTITIES),
        _no_less("gpuLimit", "gpu", _DECIMALS),
        _no_less("gpuMemoryLimit", "gpuMemory", _QUANTITIES),
    )

    annotations: KeyedTexts = KeyedTexts()
    """Annotations of the pods, by key."""
    arguments: CommandText = CommandText()
    """Arguments of the command, or of the image's own entry point if no command is given. One line, split at spaces
    as a shell does, quotes included."""
    auto_deletion_time_after_completion_seconds: CountValue = CountValue()
    """Seconds after its end at which a workload is deleted with all that belongs to it; 0: at once. Left out, it
    stays."""
    capabilities: items.Capabilities = items.Capabilities()
    """Linux capabilities that the container gets in addition to those of the container runtime."""
    command: CommandText = CommandText()
    """Command to run instead of the image's entry point. One line, split at spaces as a shell does, quotes
    included."""
    config_map_volumes: items.ConfigMapVolumes = items.ConfigMapVolumes()
    """ConfigMaps to mount as directories of files."""
    cpu: Cores = Cores()
    """CPU cores that each pod is guaranteed, a decimal in quotes such as "0.5". Left out, a share that goes with the
    number of GPUs."""
    cpu_limit: Cores = Cores()
    """CPU cores that each pod may use at most, a decimal in quotes. Left out, as many as are free."""
    create_home_dir: BoolValue = BoolValue()
    """Whether the container gets a home directory of its own, which is lost when it ends. Left out, it does if
    runAsUser is set."""
    drop_all_capabilities: BoolValue = BoolValue()
    """Whether the container loses the Linux capabilities that the runtime gives by default."""
    environment: KeyedTexts = KeyedTexts()
    """Environment variables of the container, by name. A value SECRET:name,key is read from that key of that Secret in
    the project's namespace."""
    exposed_urls: items.ExposedUrls = items.ExposedUrls()
    """Addresses outside the cluster that lead to ports of the container."""
    extended_resources: items.ExtendedResources = items.ExtendedResources()
    """Further devices that each pod gets, such as fast network cards."""
    git_sync: items.GitRepositories = items.GitRepositories()
    """Git repositories to clone into the container before it starts."""
    gpu: GpuValue = GpuValue()
    """GPUs of each pod, in quotes: a whole number such as "2", or a part of one GPU such as "0.25", which is that part
    of its memory. Left out, none. Not together with gpuMemory or migProfile."""
    gpu_devices: GpuDevices = GpuDevices()
    """Number of GPUs of each pod; with a fraction or gpuMemory, the number of GPUs on which it gets that much."""
    gpu_limit: GpuLimit = GpuLimit()
    """Part of a GPU's memory that a pod with a fraction may use while nobody else needs it: no less than the fraction,
    at most 1, in quotes."""
    gpu_memory: QuantityValue = QuantityValue()
    """Memory that each pod gets on one GPU, such as 4G; the rest of the GPU is for others. Not together with gpu or
    migProfile."""
    gpu_memory_limit: QuantityValue = QuantityValue()
    """GPU memory that a pod with gpuMemory may use while nobody else needs it: no less than gpuMemory."""
    host_ipc: BoolValue = BoolValue()
    """Whether the container shares the node's inter-process communication, such as shared memory. Left out, no."""
    host_network: BoolValue = BoolValue()
    """Whether the container uses the node's network itself. Left out, no."""
    image: ImageValue = ImageValue()
    """Container image to run, such as ubuntu:24.04."""
    image_pull_policy: PullPolicy = PullPolicy()
    """When the node fetches the image: Always, IfNotPresent or Never."""
    ingress_url: LongText = LongText()
    """Address under which the workload is reached from outside; set by the system."""
    labels: KeyedLabels = KeyedLabels()
    """Labels of the pods, by key."""
    large_shm: BoolValue = BoolValue()
    """Whether /dev/shm may grow up to the pod's memory, rather than to 64 MiB."""
    memory: QuantityValue = QuantityValue()
    """Memory of the node that each pod is guaranteed, such as 80Gi or 500M. Left out, a share that goes with the number
    of GPUs."""
    memory_limit: QuantityValue = QuantityValue()
    """Memory of the node beyond which a container is killed, such as 100Gi. Left out, whatever is free."""
    mig_profile: MigProfile = MigProfile()
    """Hardware slice of a GPU that each pod gets, by its profile, such as 1g.10gb. Not together with gpu or
    gpuMemory."""
    mount_propagation: BoolValue = BoolValue()
    """Whether what is mounted on the node later appears in the container's volumes too."""
    name: JobName = JobName()
    """Name under which the workload is known, and from which its pods have theirs. Not together with namePrefix; with
    neither, a name job-1, job-2 and so on is chosen. The object's own name in metadata does not matter."""
    name_prefix: NamePrefix = NamePrefix()
    """Beginning of a name: a dash and the lowest free number are added."""
    nfs: items.NfsVolumes = items.NfsVolumes()
    """Directories of NFS servers to mount."""
    node_pool: ShortText = ShortText()
    """Node pool to run in. Superseded by nodePools."""
    node_pools: LongText = LongText()
    """Node pools to run in, most wanted first, with spaces between them. Left out, those of the project."""
    node_type: ShortText = ShortText()
    """Type of nodes, or group of nodes, to run on: only nodes whose label run.ai/type has this value are used."""
    pod_affinity: BoolValue = BoolValue()
    """Whether the pods of the workload are kept together, as podAffinityTopology and podAffinitySchedulingRule say."""
    pod_affinity_scheduling_rule: ShortText = ShortText()
    """hard: the pods must be together; soft: they should be."""
    pod_affinity_topology: ShortText = ShortText()
    """Label of nodes that says what together means: nodes with the same value are one place."""
    ports: items.Ports = items.Ports()
    """Ports of the container that others can reach."""
    preemption_limit: CountValue = CountValue()
    """How many times the workload may lose its GPUs to others before it is given up."""
    pvcs: items.PersistentVolumes = items.PersistentVolumes()
    """PersistentVolumeClaims to mount, existing or new."""
    run_as_gid: CountValue = CountValue()
    """Number of the group that the container runs as; needs runAsUser."""
    run_as_non_root: BoolValue = BoolValue()
    """Whether a container that would run as root is refused."""
    run_as_uid: CountValue = CountValue()
    """Number of the user that the container runs as; needs runAsUser."""
    run_as_user: BoolValue = BoolValue()
    """Whether the container runs as the user who submits the workload rather than as the image says."""
    s3: items.S3Buckets = items.S3Buckets()
    """S3 buckets to mount as directories of files."""
    seccomp_profile_type: ShortText = ShortText()
    """System calls that the container may make: RuntimeDefault, Unconfined or Localhost."""
    service_type: ShortText = ShortText()
    """How ports without a type of their own are exposed: LoadBalancer, NodePort or ClusterIP."""
    stdin: BoolValue = BoolValue()
    """Whether the container's input stays open, for those who attach to it."""
    supplemental_groups: Groups = Groups()
    """Further groups that the container's user belongs to: numbers with ';' between them."""
    tolerations: items.Tolerations = items.Tolerations()
    """Taints of nodes that the pods bear."""
    tty: BoolValue = BoolValue()
    """Whether the container has a terminal."""
    user_id: ShortText = ShortText()
    """Identity of the owner, as the subject of their token says it."""
    username: ShortText = ShortText()
    """Name of the owner, for display."""
    volumes: items.Volumes = items.Volumes()
    """Directories of nodes or of NFS servers to mount."""
    working_dir: LongText = LongText()
    """Directory in which the container starts. Left out, as the image says."""


class Privileges(Shape):
    """What a container may gain after its start."""

    allow_privilege_escalation: BoolValue = BoolValue()
    """Whether processes may gain more privileges than their parent, as with sudo."""


class SingleJobParameters(Shape):
    """What training and interactive workloads have in common."""

    active: BoolValue = BoolValue()
    """Whether the workload should run. false suspends it: its pods end and its GPUs are free for others until it is
    true again. Left out, it runs."""
    mpi: BoolValue = BoolValue()
    """Whether the workload is an MPI job of `processes` workers."""
    processes: PositiveValue = PositiveValue()
    """Number of workers of an MPI job."""
    slots_per_worker: PositiveValue = PositiveValue()
    """MPI processes on each worker. Left out, 1."""
    terminate_after_preemption: BoolValue = BoolValue()
    """Whether a workload that loses its GPUs to others ends, rather than wait for its next turn."""


class TrainingParameters(PodParameters, Privileges, SingleJobParameters):
    """The parameters of a training workload."""

    checks = (
        Check(
            rule="!has(self.parallelism) || !has(self.parallelism.value) || !has(self.completions) || "
            "!has(self.completions.value) || self.parallelism.value <= self.completions.value",
            message="must be no more than completions: there is no work for more pods at a time",
            field=".parallelism",
            lasting=True,
        ),
    )

    backoff_limit: CountValue = CountValue()
    """How many failed pods are replaced before the workload fails. Left out, 6. Being preempted is not a failure."""
    completions: PodCount = PodCount()
    """How many pods must succeed. Left out, 1."""
    parallelism: PodCount = PodCount()
    """How many pods may run at a time, at most completions. Left out, 1."""


class InteractiveParameters(PodParameters, Privileges, SingleJobParameters):
    """The parameters of an interactive workload."""

    jupyter: BoolValue = BoolValue()
    """Whether the container is a Jupyter notebook, reached on port 8888."""
    notebook_token: ShortText = ShortText()
    """Token that the notebook asks for."""
    preemptible: BoolValue = BoolValue()
    """Whether the workload may use GPUs above the project's quota, which others may take back at any time."""
    tensorboard: BoolValue = BoolValue()
    """Whether TensorBoard runs beside the container."""
    tensorboard_logdir: LongText = LongText()
    """Directory from which TensorBoard reads."""


class InferenceParameters(PodParameters):
    """The parameters of an inference workload."""

    checks = (
        Check(
            rule="!has(self.minScale) || !has(self.minScale.value) || !has(self.maxScale) || "
            "!has(self.maxScale.value) || self.minScale.value <= self.maxScale.value",
            message="must be no less than minScale",
            field=".maxScale",
            lasting=True,
        ),
    )

    class_: ShortText = ShortText()
    """Class of the autoscaler, as Knative names it. Left out, it goes with the metric."""
    is_private_service_url: BoolValue = BoolValue()
    """Whether the service is reached from inside the cluster only."""
    max_scale: CountValue = CountValue()
    """Number of pods at most."""
    metric: ShortText = ShortText()
    """What the number of pods follows: concurrency, throughput, latency, cpu-utilization, gpu-utilization or custom."""
    metric_name: ShortText = ShortText()
    """Exact name of the metric; wins over `metric`."""
    min_scale: CountValue = CountValue()
    """Number of pods at least; 0 lets an idle service have none."""
    mps: BoolValue = BoolValue()
    """Whether pods that share a GPU do so through NVIDIA's Multi-Process Service."""
    target: PositiveValue = PositiveValue()
    """Value of the metric, for each pod, that the autoscaler aims at."""
