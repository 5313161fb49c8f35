"""What amounts mean: parsing Kubernetes quantities, and vectors of them on declared axes.

Units: 1/100 of a GPU device, milli-CPU, bytes, pods. All integers; "no bound" is the value `UNLIMITED`.
Everyone may call.
"""

from aliquot.core.quantities.parse import (
    InvalidQuantityError,
    parse_bytes,
    parse_cpu_milli,
    parse_gpu_percent,
    parse_quantity,
)
from aliquot.core.quantities.request import (
    MIG_PREFIX,
    PERCENT_PER_DEVICE,
    GpuPart,
    Request,
    is_mig,
    mig_percent,
    quantify,
)
from aliquot.core.quantities.vector import AXES, UNLIMITED, ZERO, Vector

__all__ = [
    "AXES",
    "MIG_PREFIX",
    "PERCENT_PER_DEVICE",
    "UNLIMITED",
    "ZERO",
    "GpuPart",
    "InvalidQuantityError",
    "Request",
    "Vector",
    "is_mig",
    "mig_percent",
    "parse_bytes",
    "parse_cpu_milli",
    "parse_gpu_percent",
    "parse_quantity",
    "quantify",
]
