"""A workload as it is, with what it takes from others, to what is carried out: the same at admission and afterwards."""

from typing import overload

from aliquot.contracts.kinds.workloads import (
    DistributedWorkload,
    InferenceWorkload,
    InteractiveWorkload,
    TrainingWorkload,
    Workload,
)
from aliquot.core.submission.bases import base_of
from aliquot.core.submission.distributed import ValidDistributed, read_distributed
from aliquot.core.submission.effective import read_training
from aliquot.core.submission.inference import ValidInference, read_inference
from aliquot.core.submission.inheritance import (
    NOTHING,
    Inheritance,
    Surroundings,
    inherit,
    kept_inheritance,
    policy_in_force,
    submitted,
    with_inherited,
)
from aliquot.core.submission.interactive import ValidInteractive, read_interactive
from aliquot.core.submission.mpi import read_mpi
from aliquot.core.submission.own_values import misplaced
from aliquot.core.submission.problems import Problems
from aliquot.core.submission.spec import Defaults, InvalidWorkload, Site, ValidSpec
from aliquot.core.submission.valid import Valid


def inheritance_now(workload: Workload, known: Surroundings) -> Inheritance:
    """What a workload takes from others: what its status keeps, or what there is to take now.

    What the policy does not allow is told by `carried_out`, together with everything else that is wrong.

    Raises:
        InvalidWorkload: its template cannot be used, so that of its values too little is known to say more.
    """
    kept = kept_inheritance(workload)
    if kept is not None:
        return kept
    if submitted(workload):
        return NOTHING
    kind, here, shared = type(workload).__name__, workload.metadata.namespace, known.shared_namespace
    template = base_of(workload, known)
    policy = policy_in_force(known.policies(kind, here)) or policy_in_force(known.policies(kind, shared))
    return inherit(workload, template, policy)


@overload
def carried_out(
    workload: TrainingWorkload, inheritance: Inheritance, defaults: Defaults, site: Site | None = None
) -> ValidSpec | ValidDistributed: ...
@overload
def carried_out(
    workload: InteractiveWorkload, inheritance: Inheritance, defaults: Defaults, site: Site | None = None
) -> ValidInteractive: ...
@overload
def carried_out(
    workload: DistributedWorkload, inheritance: Inheritance, defaults: Defaults, site: Site | None = None
) -> ValidDistributed: ...
@overload
def carried_out(
    workload: InferenceWorkload, inheritance: Inheritance, defaults: Defaults, site: Site | None = None
) -> ValidInference: ...
@overload
def carried_out(
    workload: Workload, inheritance: Inheritance, defaults: Defaults, site: Site | None = None
) -> Valid: ...
def carried_out(workload: Workload, inheritance: Inheritance, defaults: Defaults, site: Site | None = None) -> Valid:
    """Say what a workload asks for together with what it takes from others.

    Args:
        workload: as the API server gives it.
        inheritance: what it takes from others.
        defaults: what holds in the cluster for pods that do not say.
        site: what its project and the cluster allow; None: not known, addresses from outside are refused then.

    Raises:
        InvalidWorkload: with everything in it that a policy does not allow, that makes no sense, or that is not carried
            out yet.
    """
    whole, problems = with_inherited(workload, inheritance), Problems()
    valid = _read(whole, defaults, site, problems)
    wrong = (*inheritance.refusals, *misplaced(workload), *problems.errors)
    if wrong:
        raise InvalidWorkload(wrong)
    return valid


def site_of(workload: Workload, known: Surroundings, defaults: Defaults) -> Site:
    """Say where a workload is submitted.

    Which types of nodes its project may use concerns it as long as it is not submitted. Later on the scheduler keeps it
    off others, and says so: what runs is not wrong all of a sudden.
    """
    project, checks_users = known.project_of(workload.metadata.namespace), defaults.user_check is not None
    if project is None:
        return Site(None, defaults.domain, checks_users=checks_users)
    name = project.metadata.name
    if submitted(workload):
        return Site(name, defaults.domain, checks_users=checks_users)
    pools, types = project.spec.default_node_pools, known.node_types(project)
    return Site(name, defaults.domain, pools, *types, checks_users=checks_users)


def read_workload(workload: Workload, known: Surroundings, defaults: Defaults) -> Valid:
    """Say what a workload asks for, were it looked at now: `inheritance_now` and `carried_out` in one.

    Args:
        workload: as the API server gives it.
        known: templates, policies and projects.
        defaults: what holds in the cluster for pods that do not say.

    Raises:
        InvalidWorkload: a policy does not allow it, or it cannot be carried out.
    """
    return carried_out(workload, inheritance_now(workload, known), defaults, site_of(workload, known, defaults))


def _read(workload: Workload, defaults: Defaults, site: Site | None, problems: Problems) -> Valid:
    """Read a workload; with any problems, the answer means nothing but for what else there is to say."""
    match workload:
        case TrainingWorkload() if workload.spec.mpi.value:
            return read_mpi(workload, defaults, site, problems)
        case TrainingWorkload():
            return read_training(workload, defaults, site, problems)
        case InteractiveWorkload():
            return read_interactive(workload, defaults, site, problems)
        case DistributedWorkload():
            return read_distributed(workload, defaults, site, problems)
        case InferenceWorkload():
            return read_inference(workload, defaults, site, problems)
