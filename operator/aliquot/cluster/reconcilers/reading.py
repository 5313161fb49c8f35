"""What workloads of each kind ask for, with what they take from others: one door for all kinds."""

from dataclasses import replace
from typing import Final

from aliquot.contracts.kinds.parameters import PodParameters
from aliquot.contracts.kinds.workloads import (
    DistributedWorkload,
    InteractiveWorkload,
    TrainingSpec,
    TrainingWorkload,
    Workload,
)
from aliquot.core import submission
from aliquot.core.submission import (
    NOTHING,
    Defaults,
    Inheritance,
    InvalidWorkload,
    Surroundings,
    Valid,
    ValidDistributed,
    ValidInteractive,
    ValidPod,
    ValidSpec,
    effective_distributed,
    effective_interactive,
)
from aliquot.core.submission.extent import NOT_YET
from aliquot.core.submission.inheritance import effective_spec
from aliquot.core.submission.not_yet import not_done_yet
from aliquot.errors import UserError

MPI_NOT_YET: Final = f"{NOT_YET}; nobody makes MPIJobs"
_ASKED_BESIDE: Final = ("gpu", "gpu_memory", "pvcs", "ports", "exposed_urls")


def kept_inheritance(workload: Workload) -> Inheritance | None:
    """What a workload's status says that it takes from others; None: it says nothing."""
    kept = workload.status.inherited
    return None if kept is None else Inheritance(kept.template, kept.policy, kept.values, kept.origins)


def submitted(workload: Workload) -> bool:
    """Whether its status says that the workload is submitted: what changes in policies and templates passes it by."""
    return workload.status.inherited is not None or workload.status.creation_status == "Submitted"


def inheritance_now(workload: Workload, known: Surroundings) -> Inheritance:
    """What a workload takes from others: what its status keeps, or what there is to take now.

    Raises:
        InvalidWorkload: it cannot be submitted as things are.
    """
    if isinstance(workload, TrainingWorkload):
        return submission.inheritance_now(workload, known)
    return kept_inheritance(workload) or NOTHING


def carried_out(workload: Workload, inheritance: Inheritance, defaults: Defaults) -> Valid:
    """Say what a workload asks for together with what it takes from others.

    Raises:
        InvalidWorkload: with everything in it that cannot be carried out.
    """
    match workload:
        case TrainingWorkload():
            return submission.carried_out(workload, inheritance, defaults)
        case InteractiveWorkload():
            return _interactive(workload, inheritance, defaults)
        case DistributedWorkload():
            return _distributed(workload, inheritance, defaults)
        case _:
            raise AssertionError(f"nobody carries out a {type(workload).__name__}")


def _interactive(workload: InteractiveWorkload, inheritance: Inheritance, defaults: Defaults) -> ValidInteractive:
    spec = effective_spec(type(workload).__name__, workload.spec, inheritance)
    valid = effective_interactive(workload.model_copy(update={"spec": spec}), defaults)
    pod = valid.pod
    if not spec.ports.items:  # that of a notebook needs no Service: it is reached through the API server
        pod = replace(pod, network=replace(pod.network, ports=()))
    missing = _missing(spec, pod)
    if missing:
        raise InvalidWorkload(missing)
    return valid


def _distributed(workload: DistributedWorkload, inheritance: Inheritance, defaults: Defaults) -> ValidDistributed:
    spec = effective_spec(type(workload).__name__, workload.spec, inheritance)
    valid = effective_distributed(workload.model_copy(update={"spec": spec}), defaults)
    missing = list(_missing(spec, valid.worker))
    if valid.job_type == "MPIJob":
        missing.append(UserError("spec.jobType", valid.job_type, MPI_NOT_YET))
    if workload.master_spec is not None and valid.master is not None:
        known = {(error.field, error.allowed) for error in missing}
        missing += (
            UserError(error.field.replace("spec.", "masterSpec.", 1), error.value, error.allowed)
            for error in _missing(workload.master_spec, valid.master)
            if (error.field, error.allowed) not in known
        )
    if missing:
        raise InvalidWorkload(missing)
    return valid


def _missing(spec: PodParameters, pod: ValidPod) -> tuple[UserError, ...]:
    """What of a right spec nobody would do."""
    written = TrainingSpec.model_construct(**{name: getattr(spec, name) for name in _ASKED_BESIDE})
    return not_done_yet(written, ValidSpec(pod=pod))
