"""A cluster that is written down, as a review of admission sees it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aliquot import names
from aliquot.contracts.kinds.tenancy import Department, NodePool, Project
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
