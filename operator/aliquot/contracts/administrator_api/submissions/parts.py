"""Parts of specs (control-plane-api.md 1.4.11): container, placement, compute, network, metadata, security."""

from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, Strict

from aliquot.contracts.administrator_api.shapes import INT32_MAX, Amount, Body, Flag

MOST_ITEMS: Final = 100
MIG_PROFILES: Final = (
    "1g.5gb", "1g.10gb", "2g.10gb", "2g.20gb", "3g.20gb", "3g.40gb", "4g.20gb", "4g.40gb", "7g.40gb", "7g.80gb",
)  # fmt: skip
QUANTITY: Final = r"^\+?[0-9.]+([eEinumkKMGTP]*[-+]?[0-9]*)$"

_SAYS_NOTHING: Final[tuple[Any, ...]] = (None, False, "", "None", [], {})


def _sendable(text: str) -> str:
    """Refuse what no container can be given: NUL, and halves of surrogate pairs."""
    if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise ValueError("must have no NUL, and no half of a surrogate pair")
    return text


def _nothing(value: Any) -> Any:
    if value not in _SAYS_NOTHING:
        raise ValueError("leave it out: no workload of this platform can have it")
    return None


NotCarriedOut = Annotated[Any, AfterValidator(_nothing)]
"""A member that no parameter of the custom resources carries out."""
ShortText = Annotated[str, Field(max_length=253), AfterValidator(_sendable)]
Path = Annotated[str, Field(max_length=4096), AfterValidator(_sendable)]
LongText = Annotated[str, Field(max_length=32_768), AfterValidator(_sendable)]
Count = Annotated[int, Strict(), Field(ge=0, le=INT32_MAX)]
Positive = Annotated[int, Strict(), Field(ge=1, le=INT32_MAX)]
PortNumber = Annotated[int, Strict(), Field(ge=1, le=65_535)]
Quantity = Annotated[str, Field(max_length=32, pattern=QUANTITY)]


class PodAffinity(Body):
    """Whether pods are kept together."""

    type: Literal["Required", "Preferred"]
    """Whether they must be, or should be."""
    key: ShortText
    """Label of nodes: those with the same value are one place."""


class Toleration(Body):
    """A taint of nodes that is borne."""

    name: ShortText | None = None
    """What it is called here."""
    operator: Literal["Equal", "Exists"] = "Equal"
    """`Equal`: the taint has this value; `Exists`: any."""
    key: ShortText
    """Key of the taint."""
    value: ShortText | None = None
    """Its value."""
    effect: Literal["NoSchedule", "NoExecute", "PreferNoSchedule", "Any"] | None = None
    """Its effect; left out, or `Any`: all of them."""
    seconds: Count | None = None
    """For so long, of `NoExecute`; left out: for ever."""


class ExtendedResource(Body):
    """A device other than a GPU."""

    resource: ShortText
    """Its name."""
    quantity: Quantity | None = None
    """How many; needed, unless it is taken away."""
    exclude: Flag | None = None
    """Whether one that a policy gives is taken away."""


class Amounts(Body):
    """What each pod has to compute with, but for other devices."""

    gpu_devices_request: Count | None = None
    """GPUs; with a type of request, GPUs on which it gets so much."""
    gpu_request_type: Literal["portion", "memory", "migProfile"] | None = None
    """Which part of a GPU is asked for; left out: all of it."""
    gpu_portion_request: Amount | None = None
    """Part of each GPU, above 0 and at most 1."""
    gpu_portion_limit: Amount | None = None
    """How far it may go beyond that."""
    gpu_memory_request: Quantity | None = None
    """Memory of a GPU."""
    gpu_memory_limit: Quantity | None = None
    """How far it may go beyond that."""
    mig_profile: Literal[
        "1g.5gb", "1g.10gb", "2g.10gb", "2g.20gb", "3g.20gb", "3g.40gb", "4g.20gb", "4g.40gb", "7g.40gb", "7g.80gb"
    ] | None = None  # fmt: skip
    """Slice of a GPU."""
    cpu_core_request: Amount | None = None
    """Cores that are guaranteed."""
    cpu_core_limit: Amount | None = None
    """The most."""
    cpu_memory_request: Quantity | None = None
    """Main memory that is guaranteed."""
    cpu_memory_limit: Quantity | None = None
    """The most."""
    large_shm_request: Flag | None = None
    """Whether `/dev/shm` may grow up to the pod's memory."""


class Compute(Amounts):
    """What each pod has to compute with."""

    extended_resources: Annotated[list[ExtendedResource], Field(max_length=MOST_ITEMS)] | None = None
    """Other devices."""


class Port(Body):
    """A port of the container that others can reach."""

    container: PortNumber
    """The port."""
    service_type: Literal["LoadBalancer", "NodePort", "ClusterIP"] | None = None
    """How it is reached."""
    external: PortNumber | None = None
    """Port on the outside; left out: one is chosen."""
    name: ShortText | None = None
    """What it is called here."""
    tool_type: NotCarriedOut = None
    tool_name: NotCarriedOut = None


class ExposedUrl(Body):
    """An address outside the cluster that leads to a port of the container."""

    container: PortNumber
    """The port."""
    url: Path | None = None
    """The address; left out: one is made."""
    authorized_users: Annotated[list[ShortText], Field(max_length=MOST_ITEMS)] | None = None
    """Who may open it; left out: everybody who reaches it."""
    name: ShortText | None = None
    """What it is called here."""
    authorized_groups: NotCarriedOut = None
    tool_type: NotCarriedOut = None
    tool_name: NotCarriedOut = None


class SecretKey(Body):
    """A key of a Secret in the project's namespace."""

    name: ShortText
    """The Secret."""
    key: ShortText
    """The key."""


class Variable(Body):
    """A variable of the container."""

    name: ShortText
    """Its name."""
    value: LongText | None = None
    """Its value."""
    secret: SecretKey | None = None
    """Where its value is instead."""
    exclude: Flag | None = None
    """Whether one that a policy gives is taken away."""


class Mark(Body):
    """A label or an annotation of pods."""

    name: ShortText
    """Its key."""
    value: LongText | None = None
    """Its value."""
    exclude: Flag | None = None
    """Whether one that a policy gives is taken away."""


class Security(Body):
    """As whom the container runs, and what it may do beyond that."""

    uid_gid_source: Literal["fromTheImage", "custom"] | None = None
    """Where its user and group come from: the image, or the two members below; `fromIdpToken` cannot be carried out."""
    run_as_uid: Count | None = None
    """Number of its user."""
    run_as_gid: Count | None = None
    """Number of its group."""
    supplemental_groups: ShortText | None = None
    """Numbers of further groups, with commas between them."""
    run_as_non_root: Flag | None = None
    """Whether it is refused as root."""
    capabilities: Annotated[list[ShortText], Field(max_length=MOST_ITEMS)] | None = None
    """Linux capabilities that it gets."""
    seccomp_profile_type: Literal["RuntimeDefault", "Unconfined", "Localhost"] | None = None
    """System calls that it may make."""
    allow_privilege_escalation: Flag | None = None
    """Whether its processes may gain more privileges than their parent."""
    host_ipc: Flag | None = None
    """Whether it shares the node's inter-process communication."""
    host_network: Flag | None = None
    """Whether it uses the node's network itself."""
    read_only_root_filesystem: NotCarriedOut = None
