"""The custom resources as pydantic models, and the definitions that the API server gets of them.

`KINDS` lists every kind. A model reads an object as the API server gives it, `TrainingWorkload.model_validate(object)`,
leniently: unknown members are skipped and bounds are not checked again. Every parameter is there: one that the object
does not give has no value, so `workload.spec.gpu.value` is text or None. Writing back: `model_dump(mode="json",
exclude_unset=True)`. `catalogue` tells of each parameter what is known without an object. `crd` and `schema` turn the
models into CustomResourceDefinitions. Everyone may import from here.
"""

from aliquot.contracts.kinds.config import RunaiConfig
from aliquot.contracts.kinds.external import ExternalWorkload
from aliquot.contracts.kinds.policies import DistributedPolicy, InferencePolicy, InteractivePolicy, TrainingPolicy
from aliquot.contracts.kinds.registry import KINDS, Column, Kind
from aliquot.contracts.kinds.runaijob import RunaiJob
from aliquot.contracts.kinds.tenancy import AccessRule, Department, NodePool, Project
from aliquot.contracts.kinds.workloads import (
    DistributedWorkload,
    InferenceWorkload,
    InteractiveWorkload,
    TrainingWorkload,
    Workload,
)

__all__ = [
    "KINDS",
    "AccessRule",
    "Column",
    "Department",
    "DistributedPolicy",
    "DistributedWorkload",
    "ExternalWorkload",
    "InferencePolicy",
    "InferenceWorkload",
    "InteractivePolicy",
    "InteractiveWorkload",
    "Kind",
    "NodePool",
    "Project",
    "RunaiConfig",
    "RunaiJob",
    "TrainingPolicy",
    "TrainingWorkload",
    "Workload",
]
