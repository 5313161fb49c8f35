"""What a submitted workload really asks for: the workload in, a `ValidSpec` out, or errors that name the fields.

Doors: `effective` and the values that it takes and makes. Amounts are integers: thousandths of a CPU, bytes, whole
GPUs, seconds. The reconciler calls it; rendering and lifecycle work with what it returns.
"""

from aliquot.core.submission.effective import effective
from aliquot.core.submission.spec import Defaults, InvalidWorkload, ValidSpec, Variable

__all__ = ["Defaults", "InvalidWorkload", "ValidSpec", "Variable", "effective"]
