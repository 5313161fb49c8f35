"""Parameters of custom resources in the words of REST: the tables of submissions, read the other way round. Pure."""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from aliquot.controlplane.policies.fields import flat_tables, listed_tables
from aliquot.controlplane.submissions.mapping import AFFINITY, GPUS, KEYED, Listed, outside
from aliquot.core.submission.layers import DEFAULTS

_FURTHER: Final[Mapping[str, str]] = {
    "podAffinity": "podAffinity",
    "runAsUser": "security.uidGidSource",
    "supplementalGroups": "security.supplementalGroups",
    "nodePools": "nodePools",
    "capabilities": "security.capabilities",
    "gpu": "compute.gpuDevicesRequest",
    "gpuDevices": "compute.gpuDevicesRequest",
    **{parameter: f"podAffinity.{member}" for member, parameter in AFFINITY.items()},
    **{parameter: f"compute.{outside(member)}" for member, parameter in GPUS.items() if parameter != "gpu"},
    **{parameter: outside(member) for member, parameter in KEYED.items()},
}
_MEMBER: Final = re.compile(r"(?:^values|^itemRules|\.value)\.([A-Za-z0-9]+)")
_RULES: Final = re.compile(r"(?:^|\.)(?:rules|itemRules|keyRules)(?:\.|$)")
_PATH: Final = re.compile(r"([A-Za-z0-9]+)(?:\[(.*)\])?(?:\.(.+))?", re.DOTALL)


class Said(NamedTuple):
    """What a path of a custom resource is about.

    Attributes:
        member: of a spec, with dots, as it is outside.
        label: of an item; None: all of it.
        inner: a member of the item, as it is outside; empty: all of it.
    """

    member: str
    label: str | None = None
    inner: str = ""


def said(kind: str, path: str) -> Said:
    """Read a path such as `gpu`, `pvcs[data].claimName` or `mpiJob.slotsPerWorker`.

    Args:
        kind: of the policy.
        path: from the spec on.
    """
    found = _PATH.fullmatch(path)
    if found is None:
        return Said(path)
    parameter, label, inner = found.group(1), found.group(2), found.group(3) or ""
    for prefix, table in flat_tables(kind):
        for member, target in table.items():
            if target in (parameter, f"{parameter}.{inner}"):
                return Said(outside(f"{prefix}{member}"))
    for member, how in listed_tables():
        if how.parameter == parameter:
            return Said(outside(member), label, _inner(how, inner))
    return Said(_FURTHER.get(parameter, parameter), label)


def of_policy(kind: str, path: str) -> str:
    """Where a policy of REST says what is at a path of its custom resource, such as `spec.gpu.rules`."""
    parameter, _, rest = path.removeprefix("spec.").partition(".")
    member = _MEMBER.search(rest)
    found = said(kind, parameter if member is None else f"{parameter}.{member.group(1)}")
    half = "policy.rules" if _RULES.search(rest) else "policy.defaults"
    below = ""
    if rest.startswith("items"):
        below = ".attributes" if rest.startswith(f"items[{DEFAULTS}]") else ".instances"
    elif rest.startswith("itemRules"):
        below = ".attributes"
    if below == ".attributes" and found.inner:
        below = f"{below}.{found.inner}"
    worker = ".worker" if kind == "DistributedPolicy" else ""
    return f"{half}{worker}.{found.member}{below}"


def _inner(how: Listed, target: str) -> str:
    return next((outside(member) for member, name in how.members.items() if name == target), "")
