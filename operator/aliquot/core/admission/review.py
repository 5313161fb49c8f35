"""The verdict on an object that somebody creates or changes.

A change is refused only for what it makes wrong. What was wrong before stays possible: a workload that a stricter rule
would refuse today can still be suspended, and an old object can be mended one field at a time.
"""

from dataclasses import dataclass

from aliquot.contracts.kinds.config import RunaiConfig
from aliquot.contracts.kinds.policies import (
    DistributedPolicy,
    InferencePolicy,
    InteractivePolicy,
    Policy,
    TrainingPolicy,
)
from aliquot.contracts.kinds.tenancy import AccessRule, Department, NodePool, Project
from aliquot.contracts.kinds.workloads import (
    DistributedWorkload,
    InferenceWorkload,
    InteractiveWorkload,
    TrainingWorkload,
    Workload,
)
from aliquot.contracts.kubernetes import Pod
from aliquot.core.admission.configs import examine_config
from aliquot.core.admission.examination import Examination, Refusal, Surroundings
from aliquot.core.admission.pods import examine_pod
from aliquot.core.admission.policies import examine_policy
from aliquot.core.admission.tenants import examine_access_rule, examine_department, examine_node_pool, examine_project
from aliquot.core.admission.workloads import examine_workload
from aliquot.errors import told

Reviewed = Workload | Policy | Project | Department | NodePool | AccessRule | RunaiConfig | Pod


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said of an object.

    Attributes:
        refusals: everything that is wrong with it; empty: it is taken.
        warnings: what its author should know either way, a sentence each.
    """

    refusals: tuple[Refusal, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether it is taken."""
        return not self.refusals

    @property
    def message(self) -> str:
        """All refusals in one text: of a workload the very text that its status would have."""
        return told(self.refusals)


def review(new: Reviewed, old: Reviewed | None, known: Surroundings) -> Verdict:
    """Judge an object.

    Args:
        new: the object as it is to be.
        old: as it is; None: it is being created.
        known: what is known of the cluster.
    """
    found = _examine(new, known)
    before = _examine(old, known).refusals if found.refusals and old is not None else ()
    return Verdict(tuple(refusal for refusal in found.refusals if refusal not in before), found.warnings)


def _examine(reviewed: Reviewed, known: Surroundings) -> Examination:
    match reviewed:
        case TrainingWorkload() | InteractiveWorkload() | DistributedWorkload() | InferenceWorkload():
            return examine_workload(reviewed, known)
        case TrainingPolicy() | InteractivePolicy() | DistributedPolicy() | InferencePolicy():
            return examine_policy(reviewed)
        case Project():
            return examine_project(reviewed, known)
        case Department():
            return examine_department(reviewed, known)
        case NodePool():
            return examine_node_pool(reviewed, known)
        case AccessRule():
            return examine_access_rule(reviewed, known)
        case RunaiConfig():
            return examine_config(reviewed)
        case Pod():
            return examine_pod(reviewed, known)
