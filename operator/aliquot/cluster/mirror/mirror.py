"""All caches of the operator together, and the questions that are asked of them.

project ── namespace (label runai/queue) ── workloads (also by job name) ── pods (by owner uid, by uid)
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, NamedTuple, Protocol, TypeVar, get_args

from aliquot import names
from aliquot.cluster.mirror.cache import Cache, Identity, Key
from aliquot.cluster.resources import WORKLOADS
from aliquot.contracts.kinds.catalogue import workload_kind
from aliquot.contracts.kinds.policies import Policy
from aliquot.contracts.kinds.tenancy import Department, NodePool, Project
from aliquot.contracts.kinds.workloads import Workload
from aliquot.contracts.kubernetes import Namespace, Node, OwnerReference, Pod
from aliquot.core.tenancy import department_named

ObjectT = TypeVar("ObjectT", bound="HasMetadata")


class _Metadata(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def namespace(self) -> str: ...
    @property
    def uid(self) -> str: ...
    @property
    def resource_version(self) -> str: ...
    @property
    def deletion_timestamp(self) -> "str | datetime | None": ...


class HasMetadata(Protocol):
    """What all objects have, whichever library holds them."""

    @property
    def metadata(self) -> _Metadata:
        """Identity and age."""
        ...


_KINDS: Final[Mapping[type, str]] = {model: model.__name__ for model in (*get_args(Workload), *get_args(Policy))}


def key_of(held: HasMetadata, model: type | None = None) -> Key:
    """Where the object is.

    Args:
        held: the object.
        model: what it is to be read as, where it is not read yet.
    """
    return key_for(model or type(held), held.metadata.namespace, held.metadata.name)


def key_for(model: type, namespace: str, name: str) -> Key:
    """Where an object is that is read as the model."""
    return Key(namespace, name, _KINDS.get(model, ""))


def identify(held: HasMetadata, model: type | None = None) -> Identity:
    """What tells the object and its age apart from others; arguments as of `key_of`."""
    return Identity(key_of(held, model), held.metadata.uid, int(held.metadata.resource_version or 0))


def take(cache: Cache[ObjectT], heard: ObjectT, *, gone: bool) -> None:
    """Put what was heard of an object into a cache."""
    if gone:
        cache.drop(key_of(heard), heard.metadata.uid)
    else:
        cache.put(heard)


def into(cache: Cache[ObjectT]) -> "Listener[ObjectT]":
    """A listener that puts what it hears into a cache."""

    def changed(old: ObjectT | None, new: ObjectT | None) -> None:
        heard = new or old
        assert heard is not None
        take(cache, heard, gone=new is None)

    return changed


def owner_of(pod: Pod) -> OwnerReference | None:
    """The workload of ours that controls the pod, or None."""
    for owner in pod.metadata.owner_references:
        if owner.controller and owner.kind in WORKLOADS and owner.api_version.startswith(f"{names.RUN_AI_GROUP}/"):
            return owner
    return None


class Belonging(NamedTuple):
    """Which workload of ours a pod belongs to."""

    key: Key
    uid: str


def belonging_of(pod: Pod) -> Belonging | None:
    """The workload of ours that the pod belongs to: it controls the pod, or what does so carries it out; None: none.

    The latter the pod says itself: what is between them need not be known for that.
    """
    owner, namespace = owner_of(pod), pod.metadata.namespace
    if owner is not None:
        return Belonging(Key(namespace, owner.name, owner.kind), owner.uid)
    kind, _, rest = pod.metadata.annotations.get(names.WORKLOAD_ANNOTATION, "").partition("/")
    name, _, uid = rest.partition("/")
    return Belonging(Key(namespace, name, kind), uid) if kind in WORKLOADS and name and uid else None


def workload_key_of(pod: Pod) -> Key | None:
    """Where the workload of ours is that the pod belongs to; None: there is none."""
    whose = belonging_of(pod)
    return None if whose is None else whose.key


def job_name_of(workload: Workload) -> str | None:
    """The name under which the workload's pods run: its own, or the one chosen for it; None: none is chosen yet.

    A template has none: nothing runs.
    """
    if workload.spec.usage == "Template":
        return None
    return workload.spec.name.value or workload.metadata.annotations.get(names.JOB_NAME_ANNOTATION)


def _age(workload: Workload) -> tuple[datetime, str]:
    metadata = workload.metadata
    return (metadata.creation_timestamp or datetime.min.replace(tzinfo=UTC), metadata.uid)


Listener = Callable[[ObjectT | None, ObjectT | None], None]


@dataclass(slots=True)
class Listeners:
    """Who is told of changes, by kind; each takes the object before and after."""

    workload: list[Listener[Workload]] = field(default_factory=list[Listener[Workload]])
    pod: list[Listener[Pod]] = field(default_factory=list[Listener[Pod]])
    node: list[Listener[Node]] = field(default_factory=list[Listener[Node]])
    namespace: list[Listener[Namespace]] = field(default_factory=list[Listener[Namespace]])
    project: list[Listener[Project]] = field(default_factory=list[Listener[Project]])
    department: list[Listener[Department]] = field(default_factory=list[Listener[Department]])
    node_pool: list[Listener[NodePool]] = field(default_factory=list[Listener[NodePool]])
    policy: list[Listener[Policy]] = field(default_factory=list[Listener[Policy]])


class Mirror:
    """What we know of the cluster."""

    def __init__(self) -> None:
        self.listeners = Listeners()
        self._pods_of: dict[tuple[str, str], dict[str, Pod]] = {}
        self._pod_keys: dict[str, Key] = {}
        self._job_names: dict[Key, set[Key]] = {}
        self._workloads_in: dict[str, dict[Key, Workload]] = {}
        self._based_on: dict[tuple[str, str], set[Key]] = {}
        self._namespaces_of: dict[str, set[str]] = {}
        self.workloads = Cache[Workload](identify, self._workload_changed)
        self.pods = Cache[Pod](identify, self._pod_changed)
        self.nodes = Cache[Node](identify, self._telling(self.listeners.node))
        self.namespaces = Cache[Namespace](identify, self._namespace_changed)
        self.projects = Cache[Project](identify, self._telling(self.listeners.project))
        self.departments = Cache[Department](identify, self._telling(self.listeners.department))
        self.node_pools = Cache[NodePool](identify, self._telling(self.listeners.node_pool))
        self.policies = Cache[Policy](identify, self._policy_changed)

    def pods_of(self, workload: Workload) -> list[Pod]:
        """The pods that belong to a workload, by name.

        Only those of its own namespace: whoever may create pods elsewhere can write its uid into their owner reference.
        """
        owned = self._pods_of.get((workload.metadata.namespace, workload.metadata.uid), {})
        return sorted(owned.values(), key=lambda pod: pod.metadata.name)

    def pod(self, uid: str) -> Pod | None:
        """The pod with the uid."""
        key = self._pod_keys.get(uid)
        return None if key is None else self.pods.get(key)

    def has_its_workload(self, pod: Pod) -> bool:
        """Whether no workload of ours controls the pod, or one that we know of does."""
        owner = owner_of(pod)
        return owner is None or self.workload_of(pod) is not None

    def workload_of(self, pod: Pod) -> Workload | None:
        """The workload that the pod belongs to; None: it is none of ours, or one that we do not know of."""
        whose = belonging_of(pod)
        held = None if whose is None else self.workloads.get(whose.key)
        return held if held is not None and whose is not None and held.metadata.uid == whose.uid else None

    def workloads_called(self, namespace: str, job_name: str) -> list[Workload]:
        """The workloads that want the job name, or had it chosen for them: who has pods first, then the oldest.

        Ages are whole seconds, so of two of the same age one may run already.
        """
        found = (self.workloads.get(key) for key in self._job_names.get(Key(namespace, job_name), ()))
        return sorted(
            (workload for workload in found if workload is not None),
            key=lambda workload: (not self.pods_of(workload), *_age(workload)),
        )

    def job_names(self, namespace: str) -> frozenset[str]:
        """All job names that are taken in a namespace."""
        return frozenset(
            name for workload in self.workloads_in(namespace) if (name := job_name_of(workload)) is not None
        )

    def workloads_in(self, namespace: str) -> Iterable[Workload]:
        """The workloads in a namespace."""
        return list(self._workloads_in.get(namespace, {}).values())

    def workloads_based_on(self, base: Workload) -> list[Workload]:
        """The workloads of its kind that name a workload as their base, in whatever namespace, by key."""
        named = self._based_on.get((type(base).__name__, base.metadata.name), ())
        found = (self.workloads.get(key) for key in sorted(named))
        return [workload for workload in found if workload is not None]

    def policies_for(self, kind: str, namespace: str) -> list[Policy]:
        """The policies for workloads of a kind, such as `TrainingWorkload`, in a namespace."""
        here = (policy for policy in self.policies if policy.metadata.namespace == namespace)
        return [policy for policy in here if workload_kind(type(policy).__name__) == kind]

    def project_of(self, namespace: str) -> Project | None:
        """The project that a namespace belongs to, by its label; None: it belongs to none, or to one that is not."""
        held = self.namespaces.get(Key("", namespace))
        named = held.metadata.labels.get(names.QUEUE_LABEL) if held else None
        return self.projects.get(Key("", named)) if named else None

    def department_of(self, project: Project) -> Department | None:
        """The department that a project belongs to; None: none, or one that does not exist."""
        return self.departments.get(Key("", department_named(project)))

    def namespaces_of(self, project: str) -> list[Namespace]:
        """The namespaces labelled as the project's, by name."""
        found = (self.namespaces.get(Key("", name)) for name in sorted(self._namespaces_of.get(project, ())))
        return [namespace for namespace in found if namespace is not None]

    @staticmethod
    def _telling(listeners: list[Listener[ObjectT]]) -> Listener[ObjectT]:
        def tell(old: ObjectT | None, new: ObjectT | None) -> None:
            for listener in listeners:
                listener(old, new)

        return tell

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        pod = new or old
        assert pod is not None
        if new is None:
            self._pod_keys.pop(pod.metadata.uid, None)
        else:
            self._pod_keys[pod.metadata.uid] = key_of(pod)
        before, now = (None if held is None else belonging_of(held) for held in (old, new))
        if before is not None and before != now:
            whose = (pod.metadata.namespace, before.uid)
            siblings = self._pods_of.get(whose, {})
            siblings.pop(pod.metadata.name, None)
            if not siblings:
                self._pods_of.pop(whose, None)
        if now is not None and new is not None:
            self._pods_of.setdefault((pod.metadata.namespace, now.uid), {})[pod.metadata.name] = new
        self._telling(self.listeners.pod)(old, new)

    def _workload_changed(self, old: Workload | None, new: Workload | None) -> None:
        workload = new or old
        assert workload is not None
        neighbours = self._workloads_in.setdefault(workload.metadata.namespace, {})
        if new:
            neighbours[key_of(new)] = new
        else:
            neighbours.pop(key_of(workload), None)
        for held, here in ((old, False), (new, True)):
            if held is None:
                continue
            if (name := job_name_of(held)) is not None:
                self._note_job_name(Key(held.metadata.namespace, name), key_of(held), here=here)
            if held.spec.base_workload:
                based = self._based_on.setdefault((type(held).__name__, held.spec.base_workload), set())
                (based.add if here else based.discard)(key_of(held))
        for listener in self.listeners.workload:
            listener(old, new)

    def _policy_changed(self, old: Policy | None, new: Policy | None) -> None:
        for listener in self.listeners.policy:
            listener(old, new)

    def _note_job_name(self, job_name: Key, workload: Key, *, here: bool) -> None:
        called = self._job_names.setdefault(job_name, set())
        (called.add if here else called.discard)(workload)
        if not called:
            del self._job_names[job_name]

    def _namespace_changed(self, old: Namespace | None, new: Namespace | None) -> None:
        for namespace, here in ((old, False), (new, True)):
            project = namespace.metadata.labels.get(names.QUEUE_LABEL) if namespace else None
            if namespace and project:
                members = self._namespaces_of.setdefault(project, set())
                (members.add if here else members.discard)(namespace.metadata.name)
        self._telling(self.listeners.namespace)(old, new)
