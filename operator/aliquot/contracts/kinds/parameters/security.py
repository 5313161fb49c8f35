"""As whom the container runs, and what it may do beyond that."""

from typing import Annotated, Final

from aliquot.contracts.kinds.rules import StringRules
from aliquot.contracts.kinds.shapes import Check, Shape, text
from aliquot.contracts.kinds.wrappers import BoolValue, CountValue, Items, ShortText, Value

GROUPS: Final = Check(
    rule="self.matches('^[0-9]+([;,][0-9]+)*$')",
    message="must be numbers of groups with ';' between them, such as 100;2000",
)
Groups = Value[Annotated[str, text(1024, GROUPS)], StringRules]


class Capability(Shape):
    """A Linux capability."""

    capability: Annotated[str, text(64)]
    """Name of the capability to add, such as NET_ADMIN."""


class CapabilityRules(Shape):
    """Rules about capabilities."""

    capability: StringRules
    """Which capabilities may be added."""


Capabilities = Items[Capability, CapabilityRules]


class SecurityParameters(Shape):
    """As whom the container runs, and what it may do beyond that."""

    capabilities: Capabilities = Capabilities()
    """Linux capabilities that the container gets in addition to those of the container runtime."""
    drop_all_capabilities: BoolValue = BoolValue()
    """Whether the container loses the Linux capabilities that the runtime gives by default."""
    host_ipc: BoolValue = BoolValue()
    """Whether the container shares the node's inter-process communication, such as shared memory. Left out, no."""
    run_as_gid: CountValue = CountValue()
    """Number of the group that the container runs as; needs runAsUser."""
    run_as_non_root: BoolValue = BoolValue()
    """Whether a container that would run as root is refused."""
    run_as_uid: CountValue = CountValue()
    """Number of the user that the container runs as; needs runAsUser."""
    run_as_user: BoolValue = BoolValue()
    """Whether the container runs as the user who submits the workload rather than as the image says."""
    seccomp_profile_type: ShortText = ShortText()
    """System calls that the container may make: RuntimeDefault, Unconfined or Localhost."""
    supplemental_groups: Groups = Groups()
    """Further groups that the container's user belongs to: numbers with ';' between them."""


class PrivilegeParameters(Shape):
    """What a container may gain after its start; services have none of it (crd-contract.md, rows TIDM)."""

    allow_privilege_escalation: BoolValue = BoolValue()
    """Whether processes may gain more privileges than their parent, as with sudo."""
