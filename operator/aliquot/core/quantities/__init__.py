"""What amounts mean: parsing Kubernetes quantities, and vectors of them on declared axes.

Units: 1/100 of a GPU device, milli-CPU, bytes, pods. All integers; "no bound" is the value `UNLIMITED`.
Everyone may call.
"""

from aliquot.core.quantities.limits import GpuLimit, read_gpu_limit
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
    PORT_PREFIX,
    WHOLE_PORT,
    GpuPart,
    Request,
    is_mig,
    mig_percent,
    on_every_node,
    quantify,
)
from aliquot.core.quantities.vector import AXES, UNLIMITED, ZERO, Vector

__all__ = [
    "AXES",
    "MIG_PREFIX",
    "PERCENT_PER_DEVICE",
    "PORT_PREFIX",
    "UNLIMITED",
    "WHOLE_PORT",
    "ZERO",
    "GpuLimit",
    "GpuPart",
    "InvalidQuantityError",
    "Request",
    "Vector",
    "is_mig",
    "mig_percent",
    "on_every_node",
    "parse_bytes",
    "parse_cpu_milli",
    "parse_gpu_percent",
    "parse_quantity",
    "quantify",
    "read_gpu_limit",
]
