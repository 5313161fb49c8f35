"""From what clusters say to what the API shows (control-plane-api.md 1.4.1 to 1.4.4, 4.4, 5.6).

never heard of                               Creating
refused by the API server of the cluster     as the cluster says
changed, and the cluster does not have it    Updating
else                                         as the cluster says
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from aliquot.contracts.administrator_api.clusters import ClusterPhase, ClusterStatus
from aliquot.contracts.administrator_api.policies import SyncPhase
from aliquot.contracts.administrator_api.projects import ProjectPhase
from aliquot.contracts.administrator_api.shapes import AmountShown
from aliquot.contracts.cluster_sync import REFUSED

Document = Mapping[str, Any]

READY: Final = "Ready"
_NEVER_CONNECTED: Final = "The cluster has not connected yet."
_NOT_THERE: Final = "The cluster does not have it yet."
_NOT_TOLD: Final = "The cluster has not said anything about it yet."
_BEHIND: Final = "The cluster does not have the last change yet."
_MIB_OF_MB: Final = 1_000_000 / 2**20
_DECIMALS: Final = 2
_NOTHING: Final[Document] = {"allocated": {}, "allocatedNonPreemptible": {}, "requested": {}}

PoolPhase = Literal["Creating", "Updating", "Empty", "Unschedulable", "Ready"]


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of an object in its cluster.

    Attributes:
        document: what the cluster says of it; None: nothing.
        has_connected: whether the cluster has ever said anything.
        is_applied: whether the cluster has the object as it is now.
        is_new: whether it has not been changed since it was made.
    """

    document: Document | None
    has_connected: bool
    is_applied: bool
    is_new: bool


def is_applied(revision: int, applied: int | None, current: int) -> bool:
    """Whether a cluster has an object.

    Args:
        revision: since which the object is as it is.
        applied: the one that the cluster has last; None: none.
        current: of the cluster. One that is beyond it was made by a database that is lost.
    """
    return applied is not None and revision <= applied <= current


def project_phase(told: Told) -> tuple[ProjectPhase, str]:
    """How a project is doing, in one word and as a sentence."""
    waits = _waits(told)
    if waits is not None:
        return waits
    assert told.document is not None, "else it waits"
    phase, message = told.document["phase"], told.document["message"]
    return (READY, message) if phase == READY else ("NotReady", message or phase)


def pool_phase(told: Told) -> tuple[PoolPhase, str]:
    """How a node pool is doing, in one word and as a sentence."""
    waits = _waits(told)
    if waits is not None:
        return waits
    assert told.document is not None, "else it waits"
    phase, message = told.document["phase"], told.document["message"]
    match phase:
        case "Ready":
            return "Ready", message
        case "NoNodes":
            return "Empty", message
        case _:
            return "Unschedulable", message or phase


def policy_phase(
    copies: Sequence[Document | None], *, has_connected: bool, is_applied: bool
) -> tuple[SyncPhase, str | None]:
    """How a policy is doing in a cluster, in the documented words, and why it is not in force.

    Args:
        copies: what the cluster says of each of its own policies in which it has a part; None: nothing.
        has_connected: whether the cluster has ever said anything.
        is_applied: whether the cluster has the policy as it is now.
    """
    if not has_connected:
        return "Not ready", _NEVER_CONNECTED
    told = [document for document in copies if document is not None]
    for document in told:
        if document["phase"] == REFUSED:
            return "Failed", document["message"]
    if not is_applied:
        return "Applying", _BEHIND
    if len(told) < len(copies) or not all(document["phase"] for document in told):
        return "Applying", _NOT_TOLD
    for document in told:
        if document["phase"] != READY:
            return "Failed", document["message"] or document["phase"]
    return "Ready", None


def _waits(told: Told) -> tuple[Literal["Creating", "Updating"], str] | None:
    if not told.has_connected:
        return "Creating", _NEVER_CONNECTED
    if told.document is not None and told.document["phase"] == REFUSED:
        return None
    if not told.is_applied:
        is_there = told.document is not None and not told.is_new
        return ("Updating", _BEHIND) if is_there else ("Creating", _NOT_THERE)
    if told.document is None or not told.document["phase"]:
        return "Creating", _NOT_TOLD
    return None


def quota_status(told: Told) -> dict[str, Any]:
    """What a project or department has and wants, over all node pools, as the API's `QuotaStatus` is written.

    Not the model itself: a list has thousands of them.
    """
    return _uses(_NOTHING if told.document is None else told.document["use"])


def pool_quota_statuses(told: Told, pools: Mapping[str, str]) -> list[dict[str, Any]]:
    """What it has and wants in each node pool, as the API's `PoolQuotaStatus` is written.

    Args:
        told: what is known of it.
        pools: ids of the cluster's node pools, by name.
    """
    uses: Document = {} if told.document is None else told.document["nodePools"]
    return [{**_uses(use), "nodePoolName": name, "nodePoolId": pools.get(name)} for name, use in sorted(uses.items())]


def _uses(use: Document) -> dict[str, Any]:
    return {member: _amounts(use[member]) for member in _NOTHING}


def _amounts(given: Mapping[str, float]) -> dict[str, AmountShown]:
    return {
        "gpu": _rounded(given.get("gpu", 0)),
        "cpu": _rounded(given.get("cpu", 0)),
        "memory": _rounded(given.get("memory", 0) * _MIB_OF_MB),
    }


def _rounded(amount: float) -> AmountShown:
    rounded = round(amount, _DECIMALS)
    return int(rounded) if rounded == int(rounded) else rounded


def cluster_status(document: Document | None, seen_ms: int, now_ms: int, silent_seconds: int) -> ClusterStatus:
    """How a cluster is doing.

    Args:
        document: what it said last; None: it never said anything.
        seen_ms: when its last sign of life was written down.
        now_ms: the time.
        silent_seconds: without a sign of life for so long it is not connected.
    """
    if document is None:
        return ClusterStatus(state="WaitingToConnect", conditions=[], operands={})
    is_silent = now_ms - seen_ms >= silent_seconds * 1000
    return ClusterStatus.model_validate(
        {
            "state": "Disconnected" if is_silent else _phase(document),
            "conditions": document["conditions"],
            "operands": document["operands"],
            "platform": {"type": document["platform"] or None, "kubeVersion": document["kubeVersion"]},
            "dependencies": {"required": document["required"], "optional": document["optional"]},
        }
    )


def _phase(document: Document) -> ClusterPhase:
    if not all(each["available"] for each in document["required"].values()):
        return "MissingPrerequisites"
    if not all(each["ready"] for each in document["operands"].values()):
        return "ServiceIssues"
    return "Connected"
