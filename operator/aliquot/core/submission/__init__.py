"""What a submitted workload really asks for: the workload in, a `ValidSpec` out, or errors that name the fields.

Doors: `effective` for training workloads and one function for each other kind, and the values that they take and make.
Amounts are integers: thousandths of a CPU, bytes, MiB of GPU memory, seconds. Reconcilers call them; rendering and
lifecycle work with what they return.
"""

from aliquot.core.submission.distributed import ValidDistributed, effective_distributed
from aliquot.core.submission.effective import effective
from aliquot.core.submission.inference import ValidInference, effective_inference
from aliquot.core.submission.interactive import ValidInteractive, effective_interactive
from aliquot.core.submission.pod_values import ValidPod, Variable
from aliquot.core.submission.spec import Defaults, InvalidWorkload, Site, ValidSpec

__all__ = [
    "Defaults",
    "InvalidWorkload",
    "Site",
    "ValidDistributed",
    "ValidInference",
    "ValidInteractive",
    "ValidPod",
    "ValidSpec",
    "Variable",
    "effective",
    "effective_distributed",
    "effective_inference",
    "effective_interactive",
]
