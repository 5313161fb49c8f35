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
from aliquot.core.submission.spec import Defaults, InvalidWorkload, Site, ValidSpec


def inheritance_now(workload: TrainingWorkload, known: Surroundings) -> Inheritance:
    """What a workload takes from others: what its status keeps, or what there is to take now.

    Raises:
        InvalidWorkload: it cannot be submitted as things are.
    """
    kept = kept_inheritance(workload)
    if kept is not None:
        return kept
    return NOTHING if submitted(workload) else inheritance_of(workload, known)


def carried_out(
    workload: TrainingWorkload, inheritance: Inheritance, defaults: Defaults, site: Site | None = None
) -> ValidSpec:
    """Say what a workload asks for together with what it takes from others.

    Args:
        workload: as the API server gives it.
        inheritance: what it takes from template and policy.
        defaults: what holds in the cluster for pods that do not say.
        site: what its project and the cluster allow; None: not known, addresses from outside are refused then.

    Raises:
        InvalidWorkload: with everything in it that cannot be carried out.
    """
    spec = effective_spec(type(workload).__name__, workload.spec, inheritance)
    valid = effective(workload.model_copy(update={"spec": spec}), defaults, site)
    missing = not_done_yet(spec, valid)
    if missing:
        raise InvalidWorkload(missing)
    return valid


def site_of(workload: TrainingWorkload, known: Surroundings, defaults: Defaults) -> Site:
    """Say where a workload is submitted."""
    project = known.project_of(workload.metadata.namespace)
    return Site(None if project is None else project.metadata.name, defaults.domain)


def read_workload(workload: TrainingWorkload, known: Surroundings, defaults: Defaults) -> ValidSpec:
    """Say what a workload asks for, were it looked at now.

    Args:
        workload: as the API server gives it.
        known: templates, policies and projects.
        defaults: what holds in the cluster for pods that do not say.

    Raises:
        InvalidWorkload: a policy does not allow it, or it cannot be carried out.
    """
    return carried_out(workload, inheritance_now(workload, known), defaults, site_of(workload, known, defaults))
