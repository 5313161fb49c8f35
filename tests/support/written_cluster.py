"""A cluster that is written down, as a review of admission sees it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aliquot import names
from aliquot.contracts.kinds.catalogue import workload_kind
from aliquot.contracts.kinds.policies import Policy
from aliquot.contracts.kinds.tenancy import Department, NodePool, Project
from aliquot.contracts.kinds.workloads import Workload
from aliquot.contracts.kubernetes import Namespace
from aliquot.core.configuration import NO_CONFIG, ClusterConfig
from aliquot.core.submission import Defaults
from aliquot.core.tenancy import NodeTypes, department_named, node_types

DEFAULTS: Final = Defaults(cpu_milli_per_gpu=1000, memory_bytes_per_gpu=100 * 2**20)


@dataclass
class Cluster:
    """The surroundings of what is reviewed (`core.admission.Surroundings`)."""

    projects: Sequence[Project] = ()
    departments: Sequence[Department] = ()
    node_pools: Sequence[NodePool] = ()
    namespaces: Sequence[Namespace] = ()
    defaults: Defaults = DEFAULTS
    config: ClusterConfig = NO_CONFIG
    templates: Sequence[Workload] = ()
    every_policy: Sequence[Policy] = ()
    shared_namespace: str = "runai"
    serves_mpi: bool = True

    def base(self, kind: str, namespace: str, name: str) -> Workload | None:
        """The template of that kind and name."""
        found = (each for each in self.templates if (each.metadata.namespace, each.metadata.name) == (namespace, name))
        return next((each for each in found if type(each).__name__ == kind), None)

    def policies(self, kind: str, namespace: str) -> list[Policy]:
        """The policies for workloads of a kind in a namespace."""
        here = (each for each in self.every_policy if each.metadata.namespace == namespace)
        return [each for each in here if workload_kind(type(each).__name__) == kind]

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

    def node_types(self, project: Project) -> tuple[NodeTypes, NodeTypes]:
        """What a project and its department leave."""
        named = department_named(project)
        return node_types(project, next((each for each in self.departments if each.metadata.name == named), None))
