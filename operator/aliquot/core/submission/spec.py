"""What a workload really asks for: values that cannot be wrong, or everything that is wrong at once.

Only `effective` makes a `ValidSpec` from a workload; who has one need not check anything again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aliquot.errors import AliquotError, UserError, told


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a pod that asks for GPUs gets of the rest, where it does not say (cluster-api.md 5.9).

    Attributes:
        cpu_milli_per_gpu: thousandths of a CPU for each GPU.
        memory_bytes_per_gpu: bytes of main memory for each GPU.
    """

    cpu_milli_per_gpu: int
    memory_bytes_per_gpu: int


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


@dataclass(frozen=True, slots=True)
class ValidSpec:
    """A training workload as it is carried out. Amounts are those of each pod.

    Attributes:
        job_name: the visible name, if the workload gives one.
        name_prefix: beginning of the name to generate, if it gives that.
        command: replaces the image's entry point; empty: it does not.
        arguments: follow the command, or the image's entry point.
        environment: sorted by name.
        gpus: whole devices.
        cpu_milli: thousandths of a CPU that are guaranteed; 0: nothing is asked for.
        cpu_limit_milli: thousandths of a CPU at most; None: no limit.
        memory_bytes: bytes that are guaranteed; 0: nothing is asked for.
        memory_limit_bytes: bytes at most; None: no limit.
        node_pools: most wanted first; empty: the project's default.
        completions: how many pods must succeed.
        parallelism: how many pods may exist at a time; at most `completions`.
        backoff_limit: how many failed pods are replaced.
        ttl_seconds: seconds from the end to the deletion of the workload; None: it stays.
        active: False: suspended, no pods.
        user: the owner's name, for display.
    """

    job_name: str | None
    name_prefix: str | None
    image: str
    image_pull_policy: str | None
    command: tuple[str, ...]
    arguments: tuple[str, ...]
    working_dir: str | None
    environment: tuple[Variable, ...]
    gpus: int
    cpu_milli: int
    cpu_limit_milli: int | None
    memory_bytes: int
    memory_limit_bytes: int | None
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    node_type: str | None
    node_pools: tuple[str, ...]
    completions: int
    parallelism: int
    backoff_limit: int
    ttl_seconds: int | None
    active: bool
    priority_class: str
    user: str | None


class InvalidWorkload(AliquotError):  # noqa: N818 - it says what is wrong, like the refusals in kube.problems
    """A workload that cannot be carried out as it is.

    Attributes:
        errors: everything that is wrong with it, sorted by field.
    """

    def __init__(self, errors: Sequence[UserError]) -> None:
        assert errors, "an invalid workload has at least one error"
        self.errors = tuple(sorted(errors, key=lambda error: (error.field, error.allowed)))
        super().__init__(told(self.errors))
