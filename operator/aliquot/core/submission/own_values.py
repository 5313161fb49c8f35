"""What a workload or a template says itself, without what has a meaning in policies only."""

from typing import Final, TypeVar

from aliquot.contracts.kinds.catalogue import of_kind
from aliquot.contracts.kinds.shapes import Shape
from aliquot.contracts.kinds.workloads import Workload
from aliquot.core.submission import master
from aliquot.core.submission.layers import DEFAULTS, Parameters, without_defaults
from aliquot.core.submission.master import MASTER, master_of
from aliquot.errors import UserError

WorkloadT = TypeVar("WorkloadT", bound=Workload)

FOR_POLICIES: Final = f"under another label: {DEFAULTS} has a meaning in policies only"


def misplaced(workload: Workload) -> tuple[UserError, ...]:
    """Everything in a workload or template that has a meaning in policies only."""
    parts: list[tuple[str, Parameters, Shape | None]] = [
        ("spec", of_kind(type(workload).__name__), workload.spec),
        (MASTER, master.PARAMETERS, master_of(workload)),
    ]
    return tuple(
        UserError(f"{part}.{name}.items[{DEFAULTS}]", DEFAULTS, FOR_POLICIES)
        for part, parameters, spec in parts
        if spec is not None
        for name in without_defaults(parameters, spec)[1]
    )


def own_values(workload: WorkloadT) -> WorkloadT:
    """Return a workload without what is misplaced in it."""
    spec, found = without_defaults(of_kind(type(workload).__name__), workload.spec)
    changes: dict[str, object] = {"spec": spec} if found else {}
    own = master_of(workload)
    if own is not None:
        changes["master_spec"] = without_defaults(master.PARAMETERS, own)[0]
    return workload.model_copy(update=changes) if changes else workload
