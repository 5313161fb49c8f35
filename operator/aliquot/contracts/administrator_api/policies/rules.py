"""What users may give where a policy counts: the same trees as of the defaults, with rules in the place of values.

Which rules there are for values of which type: the 2.18 document (control-plane-api.md 1.3, policies). What
no policy of a cluster can say is refused by name, unless it says nothing.
"""

from typing import Annotated

from pydantic import Field

from aliquot.contracts.administrator_api.shapes import INT32_MAX, Amount, Body, Flag, Text
from aliquot.contracts.administrator_api.submissions.parts import NotCarriedOut, Quantity

MOST_OPTIONS = 256
MOST_LOCKED = 1000
_Whole = Annotated[int, Field(ge=0, le=INT32_MAX, strict=True)]
_OptionText = Annotated[Text, Field(max_length=1024)]
_ShownText = Annotated[Text, Field(max_length=253)]


class _Rules(Body):
    source_of_rule: NotCarriedOut = None
    required: Flag | None = None
    """Whether each workload has to have a value, from wherever."""
    can_edit: Flag | None = None
    """Whether a workload may have another value than the policy's; left out: yes."""


class FlagRules(_Rules):
    """Rules for what is true or false."""


class SourceRules(_Rules):
    """Rules for where user and group come from."""

    options: NotCarriedOut = None


class ListRules(_Rules):
    """Rules for a list that is one value."""


class Option(Body):
    """A text that may be chosen."""

    value: _OptionText
    """It."""
    displayed: _ShownText | None = None
    """What is shown instead."""


class TextRules(_Rules):
    """Rules for a text."""

    options: Annotated[list[Option], Field(max_length=MOST_OPTIONS)] | None = None
    """It has to be one of these."""


class WholeRules(_Rules):
    """Rules for a whole number."""

    min: _Whole | None = None
    """It is no less than this."""
    max: _Whole | None = None
    """It is no greater than this."""
    step: NotCarriedOut = None


class DeviceRules(_Rules):
    """Rules for a number of GPUs."""

    min: _Whole | None = None
    """There are no fewer than this; above 0 there are no parts of GPUs."""
    max: Annotated[_Whole, Field(ge=1)] | None = None
    """There are no more than this."""
    step: Annotated[_Whole, Field(ge=1)] | None = None
    """Their number is `min`, or so many more, and so on."""


class NumberRules(_Rules):
    """Rules for a number."""

    min: Amount | None = None
    """It is no less than this."""
    max: Amount | None = None
    """It is no greater than this."""
    step: Amount | None = None
    """It is `min`, or so much more, and so on."""


class AmountRules(_Rules):
    """Rules for an amount of memory."""

    min: Quantity | None = None
    """It is no less than this."""
    max: Quantity | None = None
    """It is no greater than this."""


class InstanceRules(Body):
    """Rules for which of them there are."""

    source_of_rule: NotCarriedOut = None
    can_add: Flag | None = None
    """Whether a workload may have others than the policy's; left out: yes."""
    locked: Annotated[list[Text], Field(max_length=MOST_LOCKED)] | None = None
    """Names of those of the policy's that no workload may change or take away."""


class _Several(Body):
    instances: InstanceRules | None = None
    """For which of them there are."""


class KeyedRules(_Several):
    """Rules for texts by name, such as variables."""


class AffinityRules(Body):
    """Rules for whether pods are kept together."""

    type: TextRules | None = None
    key: TextRules | None = None


class ResourceMembers(Body):
    """Rules for what is said of each other device."""

    quantity: TextRules | None = None


class ResourceRules(_Several):
    """Rules for other devices."""

    attributes: ResourceMembers | None = None


class PortMembers(Body):
    """Rules for what is said of each port."""

    container: WholeRules | None = None
    service_type: TextRules | None = None
    external: WholeRules | None = None
    custom_external_port: NotCarriedOut = None
    tool_type: NotCarriedOut = None
    tool_name: NotCarriedOut = None


class PortRules(_Several):
    """Rules for ports."""

    attributes: PortMembers | None = None


class UrlMembers(Body):
    """Rules for what is said of each address."""

    container: WholeRules | None = None
    url: TextRules | None = None
    authorized_users: ListRules | None = None
    custom_url: NotCarriedOut = None
    tool_type: NotCarriedOut = None
    tool_name: NotCarriedOut = None


class UrlRules(_Several):
    """Rules for addresses outside the cluster."""

    attributes: UrlMembers | None = None


class NewClaimRules(Body):
    """Rules for what new claims are like."""

    size: TextRules | None = None
    storage_class: TextRules | None = None


class ClaimMembers(Body):
    """Rules for what is said of each claim."""

    claim_name: TextRules | None = None
    path: TextRules | None = None
    read_only: FlagRules | None = None
    claim_info: NewClaimRules | None = None


class ClaimRules(_Several):
    """Rules for PersistentVolumeClaims."""

    attributes: ClaimMembers | None = None


class GitMembers(Body):
    """Rules for what is said of each git repository."""

    repository: TextRules | None = None
    branch: TextRules | None = None
    revision: TextRules | None = None
    path: TextRules | None = None


class GitRules(_Several):
    """Rules for git repositories."""

    attributes: GitMembers | None = None


class ConfigMapMembers(Body):
    """Rules for what is said of each ConfigMap."""

    config_map: TextRules | None = None
    mount_path: TextRules | None = None


class ConfigMapRules(_Several):
    """Rules for ConfigMaps."""

    attributes: ConfigMapMembers | None = None


class HostPathMembers(Body):
    """Rules for what is said of each directory of nodes."""

    path: TextRules | None = None
    read_only: FlagRules | None = None
    mount_path: TextRules | None = None
    mount_propagation: NotCarriedOut = None


class HostPathRules(_Several):
    """Rules for directories of nodes."""

    attributes: HostPathMembers | None = None


class NfsMembers(Body):
    """Rules for what is said of each directory of NFS servers."""

    path: TextRules | None = None
    read_only: FlagRules | None = None
    server: TextRules | None = None
    mount_path: TextRules | None = None


class NfsRules(_Several):
    """Rules for directories of NFS servers."""

    attributes: NfsMembers | None = None


class S3Members(Body):
    """Rules for what is said of each bucket."""

    bucket: TextRules | None = None
    path: TextRules | None = None
    url: TextRules | None = None


class S3Rules(_Several):
    """Rules for buckets."""

    attributes: S3Members | None = None
