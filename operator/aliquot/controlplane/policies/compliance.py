"""Whether a workload that is submitted keeps the policy that counts for it, as its cluster would judge it. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from aliquot.contracts.administrator_api.problems import ComplianceIssue
from aliquot.contracts.administrator_api.submissions import PodSpec
from aliquot.contracts.kinds.workloads import (
    DistributedWorkload,
    InferenceWorkload,
    InteractiveWorkload,
    TrainingWorkload,
    Workload,
)
from aliquot.controlplane.policies.judging import as_policy
from aliquot.controlplane.policies.words import Said, said
from aliquot.controlplane.submissions.items import labels
from aliquot.controlplane.submissions.mapping import EXTENDED_RESOURCES, at
from aliquot.core.submission import inherit
from aliquot.core.submission.policy import PolicyViolation
from aliquot.errors import UserError

_KINDS: Final[Mapping[str, type[Workload]]] = {
    model.__name__: model for model in (InteractiveWorkload, TrainingWorkload, DistributedWorkload, InferenceWorkload)
}
_MASTER: Final = "masterSpec"


def issues(
    kind: str, manifest: Mapping[str, Any], policy: Mapping[str, Any], spec: PodSpec, master: PodSpec | None
) -> list[ComplianceIssue]:
    """Everything in a workload that a policy does not allow.

    Args:
        kind: of the workload.
        manifest: `spec` and perhaps `masterSpec` of its custom resource.
        policy: spec of the policy's.
        spec: what was submitted, to name its fields.
        master: the same of its master.
    """
    workload = _KINDS[kind].model_validate({"metadata": {"name": "workload"}, **manifest})
    of_policy = as_policy(kind.replace("Workload", "Policy"), policy)
    return [_issue(kind, each, spec, master) for each in inherit(workload, None, of_policy).refusals]


def _issue(kind: str, refusal: UserError, spec: PodSpec, master: PodSpec | None) -> ComplianceIssue:
    is_masters = refusal.field.startswith(f"{_MASTER}.")
    path = refusal.field.removeprefix(f"{_MASTER}.")
    where = (master or spec) if is_masters else spec
    found = said(kind.replace("Workload", "Policy"), path)
    field = _gpu(where) if path == "gpu" else _field(where, found)
    details = refusal.allowed if not isinstance(refusal, PolicyViolation) else f"value must be {refusal.allowed}"
    return ComplianceIssue(field=f"{_MASTER}.{field}" if is_masters else field, details=details)


def _gpu(spec: PodSpec) -> str:
    """What of a spec became the number of its GPUs."""
    is_part = spec.compute is not None and spec.compute.gpu_request_type == "portion"
    return "compute.gpuPortionRequest" if is_part else "compute.gpuDevicesRequest"


def _field(spec: PodSpec, found: Said) -> str:
    """The place of an item in its list, where it is in one."""
    entries = at(spec, _inside(found.member))
    if found.label is None or not isinstance(entries, list):
        return found.member
    number = _number(cast("list[object]", entries), found)
    if number is None:
        return found.member
    return f"{found.member}.{number}.{found.inner}" if found.inner else f"{found.member}.{number}"


def _number(entries: Sequence[object], found: Said) -> int | None:
    if all(isinstance(each, str) for each in entries):
        known = [str(each) for each in entries]
    else:
        is_resources = found.member == "compute.extendedResources"
        known = labels(entries, EXTENDED_RESOURCES.key if is_resources else "name")
    return known.index(found.label) if found.label in known else None


def _inside(member: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda capital: f"_{capital.group(1).lower()}", member)
