"""The custom resources that the operator works with: their kinds, and where their objects live."""

from collections.abc import Mapping
from typing import Final, get_args

from aliquot.contracts.kinds.config import RunaiConfig
from aliquot.contracts.kinds.external import ExternalWorkload
from aliquot.contracts.kinds.policies import Policy
from aliquot.contracts.kinds.registry import KINDS, Kind
from aliquot.contracts.kinds.runaijob import RunaiJob
from aliquot.contracts.kinds.shapes import Resource as CustomResource
from aliquot.contracts.kinds.tenancy import AccessRule, Department, NodePool, Project
from aliquot.contracts.kinds.workloads import Workload
from aliquot.kube.resources import Resource


def kind_of(model: type[CustomResource]) -> Kind:
    """The kind whose objects the model reads."""
    return next(kind for kind in KINDS if kind.model is model)


def resource_of(kind: Kind) -> Resource:
    """Where objects of a kind live, in the version in which they are stored."""
    return Resource(kind.group, kind.stored, kind.plural, kind.name, namespaced=kind.namespaced)


WORKLOAD_MODELS: Final[tuple[type[Workload], ...]] = get_args(Workload)
"""The workload kinds."""
WORKLOADS: Final[Mapping[str, Resource]] = {model.__name__: resource_of(kind_of(model)) for model in WORKLOAD_MODELS}
"""Where their objects live, by kind."""
POLICY_MODELS: Final[tuple[type[Policy], ...]] = get_args(Policy)
"""The policy kinds."""
POLICIES: Final[Mapping[str, Resource]] = {model.__name__: resource_of(kind_of(model)) for model in POLICY_MODELS}
"""Where their objects live, by kind."""
PROJECTS: Final = resource_of(kind_of(Project))
DEPARTMENTS: Final = resource_of(kind_of(Department))
NODE_POOLS: Final = resource_of(kind_of(NodePool))
ACCESS_RULES: Final = resource_of(kind_of(AccessRule))
RUNAI_CONFIGS: Final = resource_of(kind_of(RunaiConfig))
RUNAI_JOBS: Final = resource_of(kind_of(RunaiJob))
EXTERNAL_WORKLOADS: Final = resource_of(kind_of(ExternalWorkload))
