"""A cluster that is written down, as a review of admission sees it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aliquot import names
from aliquot.contracts.kinds.policies import TrainingPolicy
from aliquot.contracts.kinds.tenancy import Department, NodePool, Project
from aliquot.contracts.kinds.workloads import TrainingWorkload
from aliquot.contracts.kubernetes import Namespace
from aliquot.core.submission import Defaults

DEFAULTS: Final = Defaults(cpu_milli_per_gpu=1000, memory_bytes_per_gpu=100 * 2**20)


@dataclass
class Cluster:
    """The surroundings of what is reviewed (`core.admission.Surroundings`)."""

    projects: Sequence[Project] = ()
    departments: Sequence[Department] = ()
    node_pools: Sequence[NodePool] = ()
    namespaces: Sequence[Namespace] = ()
    defaults: Defaults = DEFAULTS
    templates: Sequence[TrainingWorkload] = ()
    every_policy: Sequence[TrainingPolicy] = ()
    shared_namespace: str = "runai"

    def base(self, namespace: str, name: str) -> TrainingWorkload | None:
        """The template of that name."""
        found = (each for each in self.templates if (each.metadata.namespace, each.metadata.name) == (namespace, name))
        return next(found, None)

    def policies(self, namespace: str) -> list[TrainingPolicy]:
        """The policies in a namespace."""
        return [each for each in self.every_policy if each.metadata.namespace == namespace]

    def namespace(self, name: str) -> Namespace | None:
        """The namespace of that name."""
        return next((each for each in self.namespaces if each.metadata.name == name), None)

    def namespaces_of(self, project: str) -> list[Namespace]:
        """Those that are labelled for it."""
        return [each for each in self.namespaces if each.metadata.labels.get(names.QUEUE_LABEL) == project]

    def project_of(self, namespace: str) -> Project | None:
        """The project of a namespace."""
        held = self.namespace(namespace)
        named = held.metadata.labels.get(names.QUEUE_LABEL) if held else None
        return next((each for each in self.projects if each.metadata.name == named), None)
