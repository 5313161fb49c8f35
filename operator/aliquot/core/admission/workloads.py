"""Workloads: refused for what they would be refused for by the reconciler."""

from typing import Final

from aliquot.contracts.kinds.workloads import InferenceWorkload, Workload
from aliquot.core.admission.examination import Examination, Refusal, Surroundings, homeless
from aliquot.core.submission import InvalidWorkload, has_its_base, of_other_kinds, read_workload
from aliquot.errors import UserError

SERVED_BY_NOBODY: Final = "inference workloads are not carried out yet: it is stored, and no pod is made for it"


def examine_workload(workload: Workload, known: Surroundings) -> Examination:
    """Say what is wrong with a workload.

    That its namespace is no project's is a warning, and so is a template that is not known: it may come later, and of
    the workload's values too little is known to say more. A template itself need not be complete.
    """
    if workload.spec.usage == "Template":
        return Examination()
    warnings = homeless(workload.metadata.namespace, known)
    if not has_its_base(workload, known):
        missing = f"spec.baseWorkload: no template {workload.spec.base_workload} is there yet: it will wait for one"
        return Examination((), (*warnings, missing + of_other_kinds(workload, known)))
    served = (SERVED_BY_NOBODY,) if isinstance(workload, InferenceWorkload) else ()
    return Examination(tuple(map(Refusal.of, problems_of(workload, known))), (*warnings, *served))


def problems_of(workload: Workload, known: Surroundings) -> tuple[UserError, ...]:
    """Everything that is wrong with what a workload asks for in these surroundings, sorted by field."""
    try:
        read_workload(workload, known, known.defaults)
    except InvalidWorkload as invalid:
        return invalid.errors
    return ()
