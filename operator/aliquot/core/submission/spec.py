"""What a workload really asks for: values that cannot be wrong, or everything that is wrong at once.

Only `effective` makes a `ValidSpec` from a workload; who has one need not check anything again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Protocol

from aliquot import names
from aliquot.core.submission.pod_values import ValidPod
from aliquot.errors import AliquotError, UserError, told

TENTH: Final = Decimal("0.1")
"""Part of a limit that is requested where neither request nor cluster says more (cluster-api.md 5.9)."""


USERS_PLACE: Final = "{users}"
"""Where in the address of a check of users their names go."""


@dataclass(frozen=True, slots=True)
class UserCheck:
    """Who is asked whether somebody may open an address: by the ingress controller, which annotations tell to.

    Attributes:
        url: of the service that answers, with `USERS_PLACE`.
        signin: where whoever is not signed in is sent; None: nowhere.
        prefix: of the controller's annotations `auth-url` and `auth-signin`.
    """

    url: str
    signin: str | None
    prefix: str


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds in a cluster for pods that do not say.

    Attributes:
        cpu_milli_per_gpu: thousandths of a CPU for each GPU (cluster-api.md 5.9).
        memory_bytes_per_gpu: bytes of main memory for each GPU.
        git_image: clones repositories; git-sync 4 or what takes its variables.
        s3_image: copies buckets; rclone or what takes its variables and arguments.
        tensorboard_image: has the command `tensorboard`; None: there is none.
        domain: host name of the cluster's addresses for the outside; None: it has none.
        user_check: keeps others off addresses that are for some users; None: nobody does.
        cpu_limit_milli_per_gpu: limit of CPU for each GPU, in thousandths; None: no limit.
        memory_limit_bytes_per_gpu: limit of main memory for each GPU; None: no limit.
        cpu_of_limit: part of the limit of CPU that is requested without GPUs.
        memory_of_limit: part of the limit of memory that is requested without GPUs.
    """

    cpu_milli_per_gpu: int
    memory_bytes_per_gpu: int
    git_image: str = names.GIT_SYNC_IMAGE
    s3_image: str = names.RCLONE_IMAGE
    tensorboard_image: str | None = names.TENSORBOARD_IMAGE
    domain: str | None = None
    user_check: UserCheck | None = None
    cpu_limit_milli_per_gpu: int | None = None
    memory_limit_bytes_per_gpu: int | None = None
    cpu_of_limit: Decimal = TENTH
    memory_of_limit: Decimal = TENTH


class NodeTypesLeft(Protocol):
    """What project and department leave of the types of nodes (label `run.ai/type`); compared by value."""

    def left(self, pools: Sequence[str]) -> tuple[str, ...]:
        """What work may use that may go to these node pools; empty: all."""
        ...


@dataclass(frozen=True, slots=True)
class Site:
    """Where a workload is submitted: what its project and its cluster allow.

    Attributes:
        project: its name; None: the namespace is no project's yet.
        domain: host name of the cluster's addresses for the outside; None: it has none.
        default_pools: node pools of work that names none; empty: the pool `default`.
        training_types: types of nodes that training may use; None: all.
        interactive_types: the same for interactive work.
        checks_users: whether addresses may be for some users only.
    """

    project: str | None
    domain: str | None = None
    default_pools: tuple[str, ...] = ()
    training_types: NodeTypesLeft | None = None
    interactive_types: NodeTypesLeft | None = None
    checks_users: bool = False

    def node_types(self, priority_class: str, pools: Sequence[str]) -> tuple[str, ...]:
        """Types of nodes for work of that class in these node pools; empty: all. The scheduler goes by the same."""
        if priority_class == names.INFERENCE_PRIORITY_CLASS:
            return ()
        interactive = priority_class in names.INTERACTIVE_PRIORITY_CLASSES
        types = self.interactive_types if interactive else self.training_types
        return () if types is None else types.left(pools or self.default_pools or (names.DEFAULT_NODE_POOL,))


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidSpec:
    """A training workload as it is carried out.

    Attributes:
        pod: what each of its pods is like.
        completions: how many pods must succeed.
        parallelism: how many pods may exist at a time; at most `completions`.
        backoff_limit: how many failed pods are replaced.
        ttl_seconds: seconds from the end to the deletion of the workload; None: it stays.
        active: False: suspended, no pods.
        preemption_limit: preemptions that it bears before it ends; None: any number.
    """

    pod: ValidPod
    completions: int = 1
    parallelism: int = 1
    backoff_limit: int = 6
    ttl_seconds: int | None = None
    active: bool = True
    preemption_limit: int | None = None

    @property
    def job_name(self) -> str | None:
        """The visible name, if the workload gives one."""
        return self.pod.identity.job_name

    @property
    def name_prefix(self) -> str | None:
        """Beginning of the name to generate, if the workload gives that."""
        return self.pod.identity.name_prefix

    @property
    def gpus(self) -> Decimal:
        """GPUs of each pod."""
        return self.pod.compute.gpus.together


class InvalidWorkload(AliquotError):  # noqa: N818 - it says what is wrong, like the refusals in kube.problems
    """A workload that cannot be carried out as it is.

    Attributes:
        errors: everything that is wrong with it, sorted by field.
    """

    def __init__(self, errors: Sequence[UserError]) -> None:
        assert errors, "an invalid workload has at least one error"
        self.errors = tuple(sorted(errors, key=lambda error: (error.field, error.allowed)))
        super().__init__(told(self.errors))
