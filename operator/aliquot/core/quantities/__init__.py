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
from aliquot.core.quantities.vector import AXES, UNLIMITED, ZERO, Vector

__all__ = [
    "AXES",
    "UNLIMITED",
    "ZERO",
    "InvalidQuantityError",
    "Vector",
    "parse_bytes",
    "parse_cpu_milli",
    "parse_gpu_percent",
    "parse_quantity",
]
