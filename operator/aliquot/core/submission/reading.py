"""A workload as it is, with what it takes from others, to what is carried out: the same at admission and afterwards."""

from aliquot.contracts.kinds.workloads import TrainingWorkload
from aliquot.core.submission.effective import effective
from aliquot.core.submission.inheritance import (
    NOTHING,
    Inheritance,
    Surroundings,
    effective_spec,
    inheritance_of,
    kept_inheritance,
    submitted,
)
from aliquot.core.submission.not_yet import not_done_yet
from aliquot.core.submission.spec import Defaults, InvalidWorkload, ValidSpec


def inheritance_now(workload: TrainingWorkload, known: Surroundings) -> Inheritance:
    """What a workload takes from others: what its status keeps, or what there is to take now.

    Raises:
        InvalidWorkload: it cannot be submitted as things are.
    """
    kept = kept_inheritance(workload)
    if kept is not None:
        return kept
    return NOTHING if submitted(workload) else inheritance_of(workload, known)


def carried_out(workload: TrainingWorkload, inheritance: Inheritance, defaults: Defaults) -> ValidSpec:
    """Say what a workload asks for together with what it takes from others.

    Raises:
        InvalidWorkload: with everything in it that cannot be carried out.
    """
    spec = effective_spec(type(workload).__name__, workload.spec, inheritance)
    valid = effective(workload.model_copy(update={"spec": spec}), defaults)
    missing = not_done_yet(spec, valid)
    if missing:
        raise InvalidWorkload(missing)
    return valid


def read_workload(workload: TrainingWorkload, known: Surroundings, defaults: Defaults) -> ValidSpec:
    """Say what a workload asks for, were it looked at now.

    Args:
        workload: as the API server gives it.
        known: templates and policies.
        defaults: the cluster's CPU and memory for each GPU.

    Raises:
        InvalidWorkload: a policy does not allow it, or it cannot be carried out.
    """
    return carried_out(workload, inheritance_now(workload, known), defaults)
