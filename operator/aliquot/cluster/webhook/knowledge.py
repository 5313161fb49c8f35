"""What reviews need to know of the cluster, in every replica: kept in step by informers of its own.

Projects, departments, node pools, namespaces, policies and templates are few; pods, nodes and other workloads are not
watched. While the API server cannot be reached, the last that was heard counts.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final, NoReturn, TypeVar, get_args

from aliquot import log
from aliquot.cluster.configuration import Configuration
from aliquot.cluster.mirror.cache import Cache, Key
from aliquot.cluster.mirror.known import parsed_into
from aliquot.cluster.mirror.mirror import Mirror, identify, into, key_for
from aliquot.cluster.mirror.parse import Whole
from aliquot.cluster.reconcilers.served import Served
from aliquot.cluster.resources import POLICY_MODELS, kind_of, resource_of
from aliquot.contracts.kinds.policies import Policy
from aliquot.contracts.kinds.shapes import Resource
from aliquot.contracts.kinds.tenancy import Department, NodePool, Project
from aliquot.contracts.kinds.workloads import Workload
from aliquot.contracts.kubernetes import Namespace
from aliquot.core.configuration import ClusterConfig
from aliquot.core.submission import Defaults
from aliquot.core.tenancy import NodeTypes, node_types
from aliquot.kube.informer import Informer
from aliquot.kube.informers import Informers
from aliquot.kube.problems import ApiProblem
from aliquot.kube.resources import NAMESPACES

KindT = TypeVar("KindT", bound=Resource)

_log = log.get(__name__)
_MPI_SECONDS: Final = 30.0

_WORKLOAD_MODELS: Final[Mapping[str, type[Workload]]] = {model.__name__: model for model in get_args(Workload)}


class Knowledge:
    """The surroundings of everything that is submitted (`core.admission.Surroundings`).

    Args:
        informers: makes the informers.
        served: says whether MPIJobs are carried out.
        configuration: what pods get that do not say.
        shared_namespace: where templates and policies for all projects are.

    Attributes:
        serves_mpi: whether MPIJobs are carried out; true as long as that is not known.
    """

    def __init__(
        self,
        informers: Informers,
        served: Served,
        configuration: Configuration,
        shared_namespace: str,
    ) -> None:
        self._configuration = configuration
        self.shared_namespace = shared_namespace
        self.serves_mpi = True
        self._served = served
        self._mirror = mirror = Mirror()
        self._templates = {kind: Cache[Workload](identify, _nobody_asks) for kind in _WORKLOAD_MODELS}
        namespaces = informers.of(NAMESPACES, Namespace)
        namespaces.add_handler(into(mirror.namespaces))

        def kind(model: type[KindT], cache: Cache[KindT], field_selector: str = "") -> Informer[Whole]:
            informer = informers.of(resource_of(kind_of(model)), Whole, field_selector=field_selector)
            informer.add_handler(parsed_into(cache, model))
            return informer

        self._informers = (
            configuration.informer,
            namespaces,
            kind(Project, mirror.projects),
            kind(Department, mirror.departments),
            kind(NodePool, mirror.node_pools),
            *(kind(model, mirror.policies) for model in POLICY_MODELS),
            *(kind(_WORKLOAD_MODELS[name], cache, "spec.usage=Template") for name, cache in self._templates.items()),
        )

    def gather(self, group: asyncio.TaskGroup) -> None:
        """Begin to listen, in tasks of the group."""
        for informer in self._informers:
            group.create_task(informer.run())
        group.create_task(self._ask_for_mpi())

    async def _ask_for_mpi(self) -> NoReturn:
        """Ask now and then whether MPIJobs are carried out; it is a matter of warnings only."""
        while True:
            try:
                self.serves_mpi = await self._served.mpi() is not None
            except ApiProblem as problem:
                _log.debug("whether there is MPI could not be asked", problem=str(problem))
            await asyncio.sleep(_MPI_SECONDS)

    async def complete(self) -> None:
        """Wait until all is known that is needed."""
        for informer in self._informers:
            await informer.synced.wait()

    @property
    def trouble(self) -> str | None:
        """What is not known yet; None: all that is needed."""
        for informer in self._informers:
            if not informer.synced.is_set():
                why = f": {informer.last_problem}" if informer.last_problem is not None else ""
                return f"the first list of {informer.resource.full_name} is not complete yet{why}"
        return None

    @property
    def config(self) -> ClusterConfig:
        """What the cluster's RunaiConfig says."""
        return self._configuration.config

    @property
    def defaults(self) -> Defaults:
        """What pods get that do not say."""
        return self._configuration.defaults

    @property
    def projects(self) -> Cache[Project]:
        """All projects."""
        return self._mirror.projects

    @property
    def departments(self) -> Cache[Department]:
        """All departments."""
        return self._mirror.departments

    @property
    def node_pools(self) -> Cache[NodePool]:
        """All node pools."""
        return self._mirror.node_pools

    def namespace(self, name: str) -> Namespace | None:
        """The namespace of that name."""
        return self._mirror.namespaces.get(Key("", name))

    def base(self, kind: str, namespace: str, name: str) -> Workload | None:
        """The template of that kind and name; that other workloads may be bases too is left to the reconciler."""
        return self._templates[kind].get(key_for(_WORKLOAD_MODELS[kind], namespace, name))

    def policies(self, kind: str, namespace: str) -> Sequence[Policy]:
        """The policies for workloads of a kind in a namespace."""
        return self._mirror.policies_for(kind, namespace)

    def namespaces_of(self, project: str) -> Sequence[Namespace]:
        """The namespaces labelled as the project's."""
        return self._mirror.namespaces_of(project)

    def project_of(self, namespace: str) -> Project | None:
        """The project that a namespace belongs to; None: none, or one that does not exist."""
        return self._mirror.project_of(namespace)

    def node_types(self, project: Project) -> tuple[NodeTypes, NodeTypes]:
        """Types of nodes that a project may use: for training, and for interactive work."""
        return node_types(project, self._mirror.department_of(project))


def _nobody_asks(_before: object, _after: object) -> None:
    """Reviews ask when they are asked; nothing follows from a template that changes."""
