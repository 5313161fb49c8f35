"""What each pod of a workload really asks for, of whatever kind the workload is: values that cannot be wrong.

One class for each theme, as in `contracts.kinds.parameters`; those of what is mounted are in `volume_values`. Only
`read_pod` makes them; rendering turns them into manifests.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from aliquot.core.quantities import MIG_PREFIX, PERCENT_PER_DEVICE, mig_percent
from aliquot.core.submission.volume_values import NO_SOURCES, NO_STORAGE, Sources, Storage


@dataclass(frozen=True, slots=True)
class Variable:
    """An environment variable: a text, or a key of a Secret in the pod's namespace.

    Attributes:
        secret: name of the Secret; None: `value` is the text.
        secret_key: which of its keys; given exactly if `secret` is.
    """

    name: str
    value: str = ""
    secret: str | None = None
    secret_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What the workload is called, and how its pods are marked.

    Attributes:
        job_name: the visible name, if the workload gives one.
        name_prefix: beginning of the name to generate, if it gives that.
        user: the owner's name, for display.
        user_id: the owner's identity, as their token says it.
    """

    job_name: str | None = None
    name_prefix: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    annotations: Mapping[str, str] = field(default_factory=dict[str, str])
    user: str | None = None
    user_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """What runs in the container.

    Attributes:
        command: replaces the image's entry point; empty: it does not.
        arguments: follow the command, or the image's entry point.
        environment: sorted by name.
        home: whether it gets a home directory of its own.
    """

    image: str
    image_pull_policy: str | None = None
    command: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    working_dir: str | None = None
    environment: tuple[Variable, ...] = ()
    stdin: bool = False
    tty: bool = False
    home: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpus:
    """The GPUs of a pod: whole ones, or one kind of part of each of `devices`.

    Attributes:
        devices: how many; 0: none.
        fraction: of each one's memory, above 0 and below 1; None: not by fraction.
        memory_mib: MiB of each one's memory; None: not by amount.
        mig_profile: the slice that each of them is, such as `1g.10gb`; None: they are no slices.
        fraction_limit: how much of each one's memory it may use while nobody else needs it; None: `fraction`.
        memory_limit_mib: the same in MiB; None: `memory_mib`.
        mps: whether it shares them through NVIDIA's Multi-Process Service.
    """

    devices: int = 0
    fraction: Decimal | None = None
    memory_mib: int | None = None
    mig_profile: str | None = None
    fraction_limit: Decimal | None = None
    memory_limit_mib: int | None = None
    mps: bool = False

    @property
    def whole(self) -> int:
        """How many whole GPUs there are."""
        return self.devices if not self.part and self.mig_profile is None else 0

    @property
    def part(self) -> bool:
        """Whether it has a part of each, as a fraction or an amount of memory."""
        return self.fraction is not None or self.memory_mib is not None

    @property
    def mig_resource(self) -> str | None:
        """The resource that nodes with such slices advertise: a `+` of the profile is a `.` there."""
        return None if self.mig_profile is None else MIG_PREFIX + self.mig_profile.replace("+", ".")

    @property
    def each(self) -> Decimal | None:
        """How much of a GPU each device counts; None: that depends on its memory."""
        if self.mig_resource is not None:
            return Decimal(mig_percent(self.mig_resource)) / PERCENT_PER_DEVICE
        return None if self.memory_mib is not None else self.fraction or Decimal(1)

    @property
    def together(self) -> Decimal:
        """How much they count; an amount of memory counts each of its devices whole, as nobody knows them yet."""
        return self.devices * (Decimal(1) if self.each is None else self.each)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compute:
    """What a pod has to compute with.

    Attributes:
        cpu_milli: thousandths of a CPU that are guaranteed; 0: nothing is asked for.
        cpu_limit_milli: thousandths of a CPU at most; None: no limit.
        memory_bytes: bytes that are guaranteed; 0: nothing is asked for.
        memory_limit_bytes: bytes at most; None: no limit.
        extended: counts of further devices by their resource's name, sorted.
        large_shm: whether /dev/shm may be as large as the pod's memory.
    """

    gpus: Gpus = Gpus()
    cpu_milli: int = 0
    cpu_limit_milli: int | None = None
    memory_bytes: int = 0
    memory_limit_bytes: int | None = None
    extended: Mapping[str, int] = field(default_factory=dict[str, int])
    large_shm: bool = False


@dataclass(frozen=True, slots=True)
class Toleration:
    """A taint that pods bear.

    Attributes:
        value: of the taint; None: any.
        effect: None: all of them.
        seconds: how long it is borne; None: for ever.
    """

    key: str
    value: str | None = None
    effect: str | None = None
    seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Together:
    """That the pods of a workload belong into one place.

    Attributes:
        topology: label of nodes; those with one value are one place.
        required: whether they must be together, rather than should.
    """

    topology: str
    required: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where pods may run and where they should.

    Attributes:
        node_pools: most wanted first; empty: the project's default.
        tolerations: in the order of their labels.
    """

    node_type: str | None = None
    node_pools: tuple[str, ...] = ()
    tolerations: tuple[Toleration, ...] = ()
    together: Together | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """A port of the container.

    Attributes:
        external: on the outside; None: chosen.
        service_type: ClusterIP, NodePort or LoadBalancer; None: not exposed.
    """

    container: int
    external: int | None = None
    protocol: str = "TCP"
    service_type: str | None = None

    @property
    def of_service(self) -> int:
        """The Service's own port; of a NodePort, `external` is that of the nodes."""
        return self.container if self.service_type == "NodePort" else self.external or self.container


@dataclass(frozen=True, slots=True)
class Url:
    """An address outside the cluster that leads to a port.

    Attributes:
        path: at the cluster's domain; None: made from the names of project and workload.
        users: who may open it, sorted; empty: everyone who reaches it.
    """

    container: int
    path: str | None = None
    users: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """How the workload is reached, each in the order of the labels."""

    host_network: bool = False
    ports: tuple[Port, ...] = ()
    urls: tuple[Url, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorBoard:
    """TensorBoard in a container of its own.

    Attributes:
        logdir: the directory from which it reads, below which or above which something is mounted.
        port: where it listens.
    """

    image: str
    logdir: str
    port: int = 6006


@dataclass(frozen=True, slots=True, kw_only=True)
class Security:
    """As whom the container runs, and what it may do beyond that. None: nothing was said.

    Attributes:
        uid: number of its user; None: as the image says.
        gid: number of its group.
        groups: numbers of further groups.
        capabilities: to be added, sorted.
        seccomp: type of the profile.
    """

    uid: int | None = None
    gid: int | None = None
    groups: tuple[int, ...] = ()
    capabilities: tuple[str, ...] = ()
    drop_all: bool | None = None
    host_ipc: bool = False
    non_root: bool | None = None
    seccomp: str | None = None
    privilege_escalation: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidPod:
    """A workload's pods, as they are carried out. Amounts are those of each pod.

    Attributes:
        tensorboard: runs beside the main container; None: nothing does.
    """

    priority_class: str
    process: Process
    identity: Identity = Identity()
    compute: Compute = Compute()
    placement: Placement = Placement()
    storage: Storage = NO_STORAGE
    sources: Sources = NO_SOURCES
    network: Network = Network()
    security: Security = Security()
    tensorboard: TensorBoard | None = None
