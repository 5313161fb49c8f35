"""A workload with all that is known of it at this moment: what both its next steps and its status are made from."""

from collections.abc import Iterable
from dataclasses import dataclass

from aliquot import names
from aliquot.cluster.configuration import Configuration
from aliquot.cluster.mirror.cache import Key
from aliquot.cluster.mirror.mirror import Mirror, job_name_of, owner_of
from aliquot.cluster.resources import WORKLOADS
from aliquot.contracts.kinds.policies import Policy
from aliquot.contracts.kinds.shapes import Shape
from aliquot.contracts.kinds.tenancy import Project
from aliquot.contracts.kinds.workloads import Workload
from aliquot.core.lifecycle import ObservedPod, Record, Wait, observe, observe_foreign, record_of
from aliquot.core.rendering import Context, Owner
from aliquot.core.submission import (
    NOTHING,
    Defaults,
    Inheritance,
    InvalidWorkload,
    Site,
    Valid,
    carried_out,
    inheritance_now,
    is_carried,
    kept_inheritance,
    on_closeness,
    site_of,
)
from aliquot.core.tenancy import NodeTypes, node_types, not_a_projects
from aliquot.errors import UserError


@dataclass(frozen=True, slots=True)
class View:
    """A workload now.

    Attributes:
        spec: what it asks for; None if that is wrong.
        inheritance: what it takes from template and policy and its status does not keep yet; None: it keeps all.
        errors: what is wrong.
        project: whose quota it uses; None: nobody's.
        job_name: the name of its pods; None: not chosen yet.
        context: where it runs; None while it has no project or no name.
        obstacle: why no pods can be made for it, although its spec is right.
        pods: its pods.
        record: what its status remembers of pods that are gone.
    """

    spec: Valid | None
    inheritance: Inheritance | None
    errors: tuple[UserError, ...]
    project: Project | None
    job_name: str | None
    context: Context | None
    obstacle: Wait | None
    pods: tuple[ObservedPod, ...]
    record: Record


@dataclass(frozen=True, slots=True)
class _Asked:
    """All that the reading of a workload follows from."""

    spec: Shape
    labels: dict[str, str]
    closeness: dict[str, str]
    inheritance: Inheritance
    site: Site
    defaults: Defaults


class Views:
    """Makes views; remembers what reading a spec gave, and what trouble there was with writing.

    Args:
        mirror: what we know.
        configuration: what pods get that do not say.
        shared_namespace: where templates and policies for all projects are.
        ingress_class: of Ingresses; None: the cluster's default.
    """

    def __init__(
        self, mirror: Mirror, configuration: Configuration, shared_namespace: str, ingress_class: str | None = None
    ) -> None:
        self._mirror = mirror
        self._configuration = configuration
        self._ingress_class = ingress_class
        self.shared_namespace = shared_namespace
        self._readings: dict[str, tuple[_Asked, Valid | InvalidWorkload]] = {}
        self._troubles: dict[str, Wait] = {}
        mirror.listeners.workload.append(self._workload_changed)

    def of(self, workload: Workload) -> View:
        """The workload now."""
        metadata = workload.metadata
        taken: Inheritance | None = None
        try:
            inheritance = self._inheritance(workload)
            found = self._read(workload, inheritance)
            if workload.status.inherited is None and inheritance != NOTHING and not isinstance(found, InvalidWorkload):
                taken = inheritance  # who is refused is not submitted, and takes what there is when that is mended
        except InvalidWorkload as problem:
            found = problem
        project = self._mirror.project_of(metadata.namespace)
        job_name = job_name_of(workload)
        invalid = isinstance(found, InvalidWorkload)
        return View(
            spec=None if invalid else found,
            inheritance=taken,
            errors=found.errors if invalid else (),
            project=project,
            job_name=job_name,
            context=self._context(workload, project, job_name),
            obstacle=self._obstacle(workload, project, job_name),
            pods=self._pods(workload, None if invalid else found),
            record=record_of(workload.status),
        )

    def spec_of(self, workload: Workload) -> Valid | None:
        """What the workload asks for; None if that is wrong."""
        try:
            found = self._read(workload, self._inheritance(workload))
        except InvalidWorkload:
            return None
        return None if isinstance(found, InvalidWorkload) else found

    def note_trouble(self, uid: str, trouble: Wait | None) -> None:
        """Remember why the API server refused a pod of the workload with the uid; None: it does no more."""
        if trouble is None:
            self._troubles.pop(uid, None)
        else:
            self._troubles[uid] = trouble

    def trouble(self, uid: str) -> Wait | None:
        """What was noted last."""
        return self._troubles.get(uid)

    def base(self, kind: str, namespace: str, name: str) -> Workload | None:
        """The workload of that kind and name, for those that are based on it."""
        return self._mirror.workloads.get(Key(namespace, name, kind))

    def policies(self, kind: str, namespace: str) -> Iterable[Policy]:
        """The policies for workloads of a kind in a namespace."""
        return self._mirror.policies_for(kind, namespace)

    def project_of(self, namespace: str) -> Project | None:
        """The project that a namespace belongs to; None: none, or one that does not exist."""
        return self._mirror.project_of(namespace)

    def node_types(self, project: Project) -> tuple[NodeTypes, NodeTypes]:
        """Types of nodes that a project may use: for training, and for interactive work."""
        return node_types(project, self._mirror.department_of(project))

    def _pods(self, workload: Workload, spec: Valid | None) -> tuple[ObservedPod, ...]:
        """Its pods: those that it controls, or, where another object carries it out, those of that object."""
        pods = self._mirror.pods_of(workload)
        own = (observe(pod) for pod in pods if owner_of(pod) is not None)
        others = (observe_foreign(pod) for pod in pods if owner_of(pod) is None)
        found = (*own, *others) if spec is None else tuple(others if is_carried(spec) else own)
        return tuple(pod for pod in found if pod is not None)

    def _inheritance(self, workload: Workload) -> Inheritance:
        """What the workload takes from others: what its status keeps, or what there is to take now.

        Raises:
            InvalidWorkload: it cannot be submitted as things are.
        """
        has_pods = kept_inheritance(workload) is None and bool(self._mirror.pods_of(workload))
        return NOTHING if has_pods else inheritance_now(workload, self)

    def _read(self, workload: Workload, inheritance: Inheritance) -> Valid | InvalidWorkload:
        metadata, defaults = workload.metadata, self._configuration.defaults
        site = site_of(workload, self, defaults)
        closeness = on_closeness(metadata.annotations)
        asked = _Asked(workload.spec, metadata.labels, closeness, inheritance, site, defaults)
        known = self._readings.get(metadata.uid)
        if known is not None and known[0] == asked:
            return known[1]
        try:
            found: Valid | InvalidWorkload = carried_out(workload, inheritance, defaults, site)
        except InvalidWorkload as problem:
            found = problem
        self._readings[metadata.uid] = asked, found
        return found

    def _obstacle(self, workload: Workload, project: Project | None, job_name: str | None) -> Wait | None:
        metadata = workload.metadata
        if project is None:
            return Wait("NoProject", self._no_project(metadata.namespace))
        if job_name is not None:
            first = self._mirror.workloads_called(metadata.namespace, job_name)[0]
            if first.metadata.uid != metadata.uid:
                return Wait(
                    "NameTaken",
                    f"the name {job_name} is taken by the {type(first).__name__} {first.metadata.name}: "
                    "delete one of the two, or submit this one under another name",
                )
        return None

    def _context(self, workload: Workload, project: Project | None, job_name: str | None) -> Context | None:
        if project is None or job_name is None:
            return None
        where, metadata = WORKLOADS[type(workload).__name__], workload.metadata
        held = self._mirror.namespaces.get(Key("", metadata.namespace))
        return Context(
            owner=Owner(
                api_version=where.api_version,
                kind=where.kind,
                namespace=metadata.namespace,
                name=metadata.name,
                uid=metadata.uid,
                labels=metadata.labels,
            ),
            project=project.metadata.name,
            job_name=job_name,
            restricted=held is not None and held.metadata.labels.get(names.POD_SECURITY_LABEL) == names.RESTRICTED,
            domain=self._configuration.defaults.domain,
            ingress_class=self._ingress_class,
            user_check=self._configuration.defaults.user_check,
        )

    def _no_project(self, namespace: str) -> str:
        held = self._mirror.namespaces.get(Key("", namespace))
        named = held.metadata.labels.get(names.QUEUE_LABEL) if held is not None else None
        return not_a_projects(namespace, named)

    def _workload_changed(self, old: Workload | None, new: Workload | None) -> None:
        if new is None:
            assert old is not None
            self._readings.pop(old.metadata.uid, None)
            self._troubles.pop(old.metadata.uid, None)
