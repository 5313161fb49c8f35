"""What a submitted workload really asks for: the workload in, a `ValidSpec` out, or errors that name the fields.

Doors: `read_workload` for all of it; in two steps `inheritance_now`, what is taken from template and policy, and
`carried_out`. Amounts are integers: thousandths of a CPU, bytes, whole GPUs, seconds. Admission and the reconcilers
call it; rendering and lifecycle work with what it returns.
"""

from aliquot.core.submission.effective import effective
from aliquot.core.submission.inheritance import (
    NOTHING,
    Inheritance,
    Surroundings,
    has_its_base,
    kept_inheritance,
    submitted,
)
from aliquot.core.submission.policy_status import policy_problems_of, policy_status
from aliquot.core.submission.reading import carried_out, inheritance_now, read_workload
from aliquot.core.submission.spec import Defaults, InvalidWorkload, ValidSpec, Variable

__all__ = [
    "NOTHING",
    "Defaults",
    "Inheritance",
    "InvalidWorkload",
    "Surroundings",
    "ValidSpec",
    "Variable",
    "carried_out",
    "effective",
    "has_its_base",
    "inheritance_now",
    "kept_inheritance",
    "policy_problems_of",
    "policy_status",
    "read_workload",
    "submitted",
]
