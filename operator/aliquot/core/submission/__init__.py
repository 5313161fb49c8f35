"""What a submitted workload really asks for: the workload in, a `ValidSpec` out, or errors that name the fields.

Doors: `inheritance_of` for what a workload takes from template and policy, `effective_spec` for its spec with that,
`effective` for what is carried out. Amounts are integers: thousandths of a CPU, bytes, whole
GPUs, seconds. The reconciler calls it; rendering and lifecycle work with what it returns.
"""

from aliquot.core.submission.effective import effective
from aliquot.core.submission.inheritance import NOTHING, Inheritance, Surroundings, effective_spec, inheritance_of
from aliquot.core.submission.policy_status import policy_status
from aliquot.core.submission.spec import Defaults, InvalidWorkload, ValidSpec, Variable

__all__ = [
    "NOTHING",
    "Defaults",
    "Inheritance",
    "InvalidWorkload",
    "Surroundings",
    "ValidSpec",
    "Variable",
    "effective",
    "effective_spec",
    "inheritance_of",
    "policy_status",
]
