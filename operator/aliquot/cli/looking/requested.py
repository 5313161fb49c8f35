"""How many GPUs a job asked for that is over: its status says that it asks for none any more, its spec what it did."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from pydantic import ValidationError

from aliquot.cli.submission.check import ANY_DEFAULTS, ANY_SITE
from aliquot.contracts.kinds.workloads import (
    DistributedWorkload,
    InferenceWorkload,
    InteractiveWorkload,
    TrainingWorkload,
    Workload,
)
from aliquot.core.submission import (
    NOTHING,
    InvalidWorkload,
    Valid,
    ValidDistributed,
    ValidInference,
    ValidSpec,
    carried_out,
    kept_inheritance,
)

_MODELS: Final[Mapping[str, type[Workload]]] = {
    model.__name__: model for model in (TrainingWorkload, InteractiveWorkload, DistributedWorkload, InferenceWorkload)
}


def asked_for(raw: Mapping[str, Any]) -> str | None:
    """Say how many GPUs all pods of a workload together ask for while it goes on, as its status does.

    Args:
        raw: the object, whose status keeps what it took from template and policy.

    Returns:
        A decimal number; None: what it says makes no sense.
    """
    try:
        workload = _MODELS[str(raw["kind"])].model_validate(raw)
        valid = carried_out(workload, kept_inheritance(workload) or NOTHING, ANY_DEFAULTS, ANY_SITE)
    except (InvalidWorkload, ValidationError):
        return None
    return f"{_gpus(valid).normalize():f}"


def _gpus(valid: Valid) -> Decimal:
    match valid:
        case ValidSpec():
            return valid.gpus * valid.parallelism
        case ValidDistributed():
            return sum((valid.gpus(rank) for rank in range(valid.size)), Decimal(0))
        case ValidInference():
            return valid.pod.compute.gpus.together * max(1, valid.min_scale)
        case _:
            return valid.pod.compute.gpus.together
