"""The workload whose values another one takes: which it is, and which may not be one (cluster-api.md 1.6)."""

from collections.abc import Iterator
from typing import Final, get_args

from aliquot.contracts.kinds.workloads import Workload
from aliquot.core.submission.inheritance import Surroundings
from aliquot.core.submission.spec import InvalidWorkload
from aliquot.errors import UserError

FIELD: Final = "spec.baseWorkload"
_KINDS: Final = tuple(sorted(model.__name__ for model in get_args(Workload)))


def base_of(workload: Workload, known: Surroundings) -> Workload | None:
    """Find the workload whose values another one takes: in its namespace first, then where those for everybody are.

    Args:
        workload: which may name it in `spec.baseWorkload`.
        known: where it is looked for.

    Raises:
        InvalidWorkload: there is none of that name and kind, or it takes values from others itself.
    """
    name, kind = workload.spec.base_workload, type(workload).__name__
    if not name:
        return None
    found = next(_bases(kind, workload, known), None)
    if found is None:
        here, shared = workload.metadata.namespace, known.shared_namespace
        allowed = f"the name of {_a(kind)} in the namespace {here} or {shared}{of_other_kinds(workload, known)}"
    elif found.spec.base_workload:
        allowed = "a workload that has no baseWorkload itself"
    else:
        return found
    raise InvalidWorkload([UserError(FIELD, name, allowed)])


def has_its_base(workload: Workload, known: Surroundings) -> bool:
    """Whether the template that a workload names is known, if it names one."""
    return not workload.spec.base_workload or any(_bases(type(workload).__name__, workload, known))


def of_other_kinds(workload: Workload, known: Surroundings) -> str:
    """What is to be said if workloads of other kinds have the name that a workload gives as its base; else nothing."""
    others = [kind for kind in _KINDS if kind != type(workload).__name__ and any(_bases(kind, workload, known))]
    return f"; {workload.spec.base_workload} is {' and '.join(map(_a, others))}" if others else ""


def _bases(kind: str, workload: Workload, known: Surroundings) -> Iterator[Workload]:
    for namespace in (workload.metadata.namespace, known.shared_namespace):
        found = known.base(kind, namespace, workload.spec.base_workload or "")
        if found is not None:
            yield found


def _a(kind: str) -> str:
    return f"{'an' if kind.startswith('I') else 'a'} {kind}"
