"""Workloads: refused for what they would be refused for by the reconciler."""

from aliquot.contracts.kinds.workloads import DistributedWorkload, TrainingWorkload, Workload
from aliquot.core.admission.examination import Examination, Refusal, Surroundings, homeless
from aliquot.core.rendering import MPI_KIND, NO_MPI
from aliquot.core.submission import InvalidWorkload, has_its_base, of_other_kinds, read_workload
from aliquot.errors import UserError


def examine_workload(workload: Workload, known: Surroundings) -> Examination:
    """Say what is wrong with a workload.

    That its namespace is no project's is a warning, and so is a template that is not known: it may come later, and of
    the workload's values too little is known to say more. That nothing carries it out is one, too. A template itself
    need not be complete.
    """
    if workload.spec.usage == "Template":
        return Examination()
    warnings = homeless(workload.metadata.namespace, known)
    if not has_its_base(workload, known):
        missing = f"spec.baseWorkload: no template {workload.spec.base_workload} is there yet: it will wait for one"
        return Examination((), (*warnings, missing + of_other_kinds(workload, known)))
    by_mpi = _says_mpi(workload)
    if by_mpi is not None and not known.serves_mpi:
        warnings = (*warnings, f"{by_mpi}: it will wait: {NO_MPI}")
    return Examination(tuple(map(Refusal.of, problems_of(workload, known))), warnings)


def _says_mpi(workload: Workload) -> str | None:
    """The field by which a workload says itself that it is an MPI job; None: it does not."""
    match workload:
        case DistributedWorkload() if workload.spec.job_type == MPI_KIND:
            return "spec.jobType"
        case TrainingWorkload() if workload.spec.mpi.value:
            return "spec.mpi.value"
        case _:
            return None


def problems_of(workload: Workload, known: Surroundings) -> tuple[UserError, ...]:
    """Everything that is wrong with what a workload asks for in these surroundings, sorted by field."""
    try:
        read_workload(workload, known, known.defaults)
    except InvalidWorkload as invalid:
        return invalid.errors
    return ()
