"""What a submitted workload really asks for: the workload in, a `ValidSpec` out, or errors that name the fields.

Doors, for workloads of every kind: `read_workload` for all of it; in two steps `inheritance_now`, what is taken from
template and policy, and `carried_out`. `effective` and one function for each other kind read an effective spec alone.
Amounts are integers: thousandths of a CPU, bytes, MiB of GPU memory, seconds. Admission and the reconcilers call them;
rendering and lifecycle work with what they return.
"""

from aliquot.core.submission.bases import has_its_base, of_other_kinds
from aliquot.core.submission.distributed import ValidDistributed, effective_distributed
from aliquot.core.submission.effective import effective
from aliquot.core.submission.identity import on_closeness
from aliquot.core.submission.inference import ValidInference, effective_inference
from aliquot.core.submission.inheritance import (
    NOTHING,
    Inheritance,
    Surroundings,
    inherit,
    kept_inheritance,
    submitted,
)
from aliquot.core.submission.interactive import ValidInteractive, effective_interactive
from aliquot.core.submission.job import ValidJob, effective_job
from aliquot.core.submission.pod_values import ValidPod, Variable
from aliquot.core.submission.policy_status import policy_problems_of, policy_status
from aliquot.core.submission.reading import carried_out, inheritance_now, read_workload, site_of
from aliquot.core.submission.spec import Defaults, InvalidWorkload, Site, UserCheck, ValidSpec
from aliquot.core.submission.valid import Valid, common_pod, is_carried

__all__ = [
    "NOTHING",
    "Defaults",
    "Inheritance",
    "InvalidWorkload",
    "Site",
    "Surroundings",
    "UserCheck",
    "Valid",
    "ValidDistributed",
    "ValidInference",
    "ValidInteractive",
    "ValidJob",
    "ValidPod",
    "ValidSpec",
    "Variable",
    "carried_out",
    "common_pod",
    "effective",
    "effective_distributed",
    "effective_inference",
    "effective_interactive",
    "effective_job",
    "has_its_base",
    "inherit",
    "inheritance_now",
    "is_carried",
    "kept_inheritance",
    "of_other_kinds",
    "on_closeness",
    "policy_problems_of",
    "policy_status",
    "read_workload",
    "site_of",
    "submitted",
]
