"""Workloads: refused for what they would be refused for by the reconciler."""

from aliquot.contracts.kinds.workloads import TrainingWorkload
from aliquot.core.admission.examination import Examination, Refusal, Surroundings, homeless
from aliquot.core.submission import InvalidWorkload, effective
from aliquot.errors import UserError


def examine_workload(workload: TrainingWorkload, known: Surroundings) -> Examination:
    """Say what is wrong with a workload; that its namespace is no project's is a warning."""
    warnings = homeless(workload.metadata.namespace, known) if workload.spec.usage == "Submit" else ()
    return Examination(tuple(map(Refusal.of, problems_of(workload, known))), warnings)


def problems_of(workload: TrainingWorkload, known: Surroundings) -> tuple[UserError, ...]:
    """Everything that is wrong with what a workload asks for in these surroundings, sorted by field.

    The one place at admission where a workload's effective spec is made: whatever the reconciler gives to `effective`
    has to be given to it here as well.
    """
    try:
        effective(workload, known.defaults)
    except InvalidWorkload as invalid:
        return invalid.errors
    return ()
