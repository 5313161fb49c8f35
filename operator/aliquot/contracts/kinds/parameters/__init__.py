"""The parameters of workloads and policies: one module for each theme, put together by kind.

Names, wrappers and types: crd-contract.md, Parameters of the workload kinds and Rules. Meaning: cluster-api.md 1.4 and
1.5. Beside a parameter stand the shape of its items and the rules for their members. All parameters of all kinds, as
values to look up and loop over, are in `contracts.kinds.catalogue`.
"""

from aliquot.contracts.kinds.parameters.by_kind import (
    DistributedParameters,
    InferenceParameters,
    InteractiveParameters,
    MasterParameters,
    TrainingParameters,
)
from aliquot.contracts.kinds.parameters.compute import MAX_GPU_DEVICES
from aliquot.contracts.kinds.parameters.identity import JOB_NAME_LENGTH, NAME_PREFIX_LENGTH
from aliquot.contracts.kinds.parameters.pods import PodParameters

__all__ = [
    "JOB_NAME_LENGTH",
    "MAX_GPU_DEVICES",
    "NAME_PREFIX_LENGTH",
    "DistributedParameters",
    "InferenceParameters",
    "InteractiveParameters",
    "MasterParameters",
    "PodParameters",
    "TrainingParameters",
]
