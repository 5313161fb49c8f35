"""An arena: nodes, a node pool, departments and projects of one test's own, so that tests share a cluster in peace."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from aliquot_lab import Cluster
from aliquot_lab.api import ApiError
from aliquot_lab.processes import eventually

WORKLOADS: Final = "/apis/run.ai/v2alpha1"
PROJECTS: Final = "/apis/run.ai/v2/projects"
DEPARTMENTS: Final = "/apis/scheduling.run.ai/v2alpha2/departments"
POOLS: Final = "/apis/run.ai/v1alpha1/nodepools"
MERGE: Final = "application/merge-patch+json"
TEST_LABEL: Final = "lab.aliquot.dev/test"
DURATION: Final = "lab.aliquot.dev/duration"
PATIENCE_SECONDS: Final = 120.0
"""How long something is waited for: only a failure takes so long, and a busy machine is ten times slower."""
TRAINING: Final = "TrainingWorkload"
_PLAIN: Final = ("jobType", "usage")
"""Parameters that are not wrapped."""
Found = TypeVar("Found")


@dataclass
class Arena:
    """What one test has to itself; made by the fixture `arena`, cleared by it.

    Attributes:
        lab: the cluster.
        name: a DNS label that is the test's own; also the name of its node pool.
    """

    lab: Cluster
    name: str
    _made: list[str] = field(default_factory=list[str])
    _nodes: list[str] = field(default_factory=list[str])

    # Making things

    def pool(self) -> None:
        """Make the node pool of the nodes that carry this test's label."""
        spec = {"labelKey": TEST_LABEL, "labelValue": self.name}
        self._create(POOLS, {"apiVersion": "run.ai/v1alpha1", "kind": "NodePool", "spec": spec}, self.name)

    def nodes(
        self, count: int, *, gpus: int = 8, labels: Mapping[str, str] | None = None, cpu: str = "64"
    ) -> list[str]:
        """Add hollow nodes to the pool, and wait until the operator knows them; returns their names."""
        names = self._add_nodes(count, gpus=gpus, labels=labels, cpu=cpu)
        for name in names:
            self.until_node(name, "Ready")
        return names

    def _add_nodes(self, count: int, *, gpus: int, labels: Mapping[str, str] | None, cpu: str) -> list[str]:
        names = [f"{self.name}-{number}" for number in range(len(self._nodes), len(self._nodes) + count)]
        self._nodes.extend(names)
        return self.lab.add_nodes(names, gpus=gpus, cpu=cpu, labels={TEST_LABEL: self.name, **(labels or {})})

    def cordon(self, node: str) -> None:
        """Let a node of the pool get nothing new, and wait until the operator knows."""
        self.lab.api.call("PATCH", f"/api/v1/nodes/{node}", {"spec": {"unschedulable": True}}, content_type=MERGE)
        self.until_node(node, "Ready,SchedulingDisabled")

    def until_node(self, node: str, status: str) -> None:
        """Wait until the operator says of a node of the pool that it is like this, such as `Ready` or `NotReady`.

        It hears of nodes and of pods in no particular order: what is submitted later may else go where it may not.
        """

        def told() -> list[str]:
            nodes = self.get(f"{POOLS}/{self.name}").get("status", {}).get("nodes", ())
            return [each["status"] for each in nodes if each["name"] == node]

        self.until(lambda: told() == [status], f"node {node} to be {status}")

    def department(self, name: str, *, deserved: float) -> str:
        """Make a department with a quota in the pool; returns its full name."""
        full = f"{self.name}-{name}"
        queue = {"name": full, "nodepool": self.name, "resources": {"gpu": {"deserved": deserved}}}
        department = {"apiVersion": "scheduling.run.ai/v2alpha2", "kind": "Department", "spec": {"queues": [queue]}}
        self._create(DEPARTMENTS, department, full)
        return full

    def project(
        self,
        name: str,
        *,
        deserved: float,
        limit: float = -1,
        cpu: float = -1,
        department: str | None = None,
        namespace: str | None = None,
        phase: str = "Ready",
        pools: Sequence[str] = (),
        members: Mapping[str, Any] | None = None,
        **queue: Any,
    ) -> str:
        """Make a project with a quota in the pool, and wait until it is in a phase; returns its namespace.

        A namespace that is ready for pods is waited for, too: until it has its ServiceAccount they are refused.

        Args:
            name: of the project.
            deserved: GPUs.
            limit: GPUs.
            cpu: thousandths of a core that it deserves; -1: unlimited.
            department: which it belongs to.
            namespace: one that is there already.
            phase: what is waited for.
            pools: those of workloads that name none; empty: the arena's.
            members: further ones of its spec.
            **queue: further members of its quota in the pool, by outside name.
        """
        full = f"{self.name}-{name}"
        resources = {"gpu": {"deserved": deserved, "limit": limit}, "cpu": {"deserved": cpu}}
        quota = {"name": full, "nodepool": self.name, "resources": resources, **queue}
        spec: dict[str, Any] = {"queues": [quota], "defaultNodePools": [*pools] or [self.name], **(members or {})}
        if department is not None:
            spec["department"] = department
        if namespace is not None:
            spec["namespace"] = namespace
        self._create(PROJECTS, {"apiVersion": "run.ai/v2", "kind": "Project", "spec": spec}, full)

        def there() -> dict[str, Any]:
            status = self.get(f"{PROJECTS}/{full}").get("status", {})
            return status if status.get("phase") == phase else {}

        status = self.until(there, f"project {full} to be {phase}")
        held = str(status.get("namespace") or namespace or f"runai-{full}")
        account = f"/api/v1/namespaces/{held}/serviceaccounts/default"
        self.until(lambda: self.get(account), f"the ServiceAccount of namespace {held}")
        return held

    def submit(
        self,
        namespace: str,
        name: str,
        *,
        gpu: str | None = "1",
        duration: str | None = None,
        job_name: str | None = "",
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
        base: str | None = None,
        kind: str = TRAINING,
        **parameters: Any,
    ) -> dict[str, Any]:
        """Submit a workload.

        Args:
            namespace: where.
            name: of the object.
            gpu: as in the spec; None leaves it out.
            duration: how long each pod runs on a hollow node; None: until it is stopped, or `end` ends it.
            job_name: in the spec; empty: the same as the object's; None leaves it out.
            labels: of the workload.
            annotations: of its pods, as `lab.aliquot.dev/…` in short: `{"exit-code": "3"}`.
            base: the template that it is based on.
            kind: of the workload.
            **parameters: of the spec, by outside name; a bare value is wrapped, None leaves it out.
        """
        items = {f"lab.aliquot.dev/{key}": {"value": value} for key, value in (annotations or {}).items()}
        if duration is not None:
            items[DURATION] = {"value": duration}
        spec: dict[str, Any] = {"image": {"value": "registry.example.com/test:1"}, "baseWorkload": base}
        if job_name is not None:
            spec["name"] = {"value": job_name or name}
        if gpu is not None:
            spec["gpu"] = {"value": gpu}
        if items:
            spec["annotations"] = {"items": items}
        for parameter, value in parameters.items():
            bare = parameter in _PLAIN or isinstance(value, dict) or value is None
            spec[parameter] = value if bare else {"value": value}
        workload = {
            "apiVersion": "run.ai/v2alpha1",
            "kind": kind,
            "metadata": {"name": name, "labels": dict(labels or {})},
            "spec": {parameter: value for parameter, value in spec.items() if value is not None},
        }
        return self.lab.api.call("POST", self.path(namespace, kind=kind), workload)

    def namespace(self, name: str, labels: Mapping[str, str] | None = None) -> str:
        """Make a namespace that is no project's, ready for pods; returns its full name."""
        full = f"{self.name}-{name}"
        self.lab.add_namespace(full, labels)
        self._made.append(f"/api/v1/namespaces/{full}")
        return full

    def pod(
        self,
        namespace: str,
        name: str,
        *,
        gpu: int = 1,
        metadata: Mapping[str, Any] | None = None,
        **spec: Any,
    ) -> dict[str, Any]:
        """Make a pod that is no workload's, to be scheduled by Aliquot unless `schedulerName` says otherwise.

        Args:
            namespace: where.
            name: of the pod.
            gpu: whole devices.
            metadata: labels, annotations, owner references.
            **spec: further members of its spec.
        """
        container = {"name": "main", "image": "x", "resources": {"limits": {"nvidia.com/gpu": str(gpu)}}}
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {**(metadata or {}), "name": name},
            "spec": {"schedulerName": "runai-scheduler", "containers": [container], **spec},
        }
        return self.lab.api.call("POST", f"/api/v1/namespaces/{namespace}/pods", pod)

    def make(self, path: str, manifest: Mapping[str, Any]) -> dict[str, Any]:
        """Make any object at the path of its kind; it is deleted with everything else."""
        made: dict[str, Any] = self.lab.api.call("POST", path, manifest)
        self._made.append(f"{path}/{made['metadata']['name']}")
        return made

    # Looking

    def get(self, path: str) -> dict[str, Any]:
        """Any object; empty when it is not there."""
        try:
            return self.lab.api.call("GET", path)
        except ApiError as problem:
            if problem.status == 404:
                return {}
            raise

    @staticmethod
    def path(namespace: str, name: str | None = None, kind: str = TRAINING) -> str:
        """Where a workload is; without a name, where those of its kind are."""
        every = f"{WORKLOADS}/namespaces/{namespace}/{kind.lower()}s"
        return every if name is None else f"{every}/{name}"

    def workload(self, namespace: str, name: str, kind: str = TRAINING) -> dict[str, Any]:
        """A workload; empty when it is not there."""
        return self.get(self.path(namespace, name, kind))

    def status(self, namespace: str, name: str, kind: str = TRAINING) -> dict[str, Any]:
        """Its status."""
        return self.workload(namespace, name, kind).get("status", {})

    def pods(self, namespace: str, workload: str | None = None) -> list[dict[str, Any]]:
        """The pods in a namespace, or those of one workload, by name: also those that have ended or are being stopped.

        That they are there must follow from what was waited for before; else wait for `only_pod`.
        """
        found: list[dict[str, Any]] = self.lab.api.call("GET", f"/api/v1/namespaces/{namespace}/pods")["items"]
        owned = [
            pod
            for pod in found
            if workload is None
            or any(owner["name"] == workload for owner in pod["metadata"].get("ownerReferences", ()))
        ]
        return sorted(owned, key=lambda pod: pod["metadata"]["name"])

    def running_pods(self, namespace: str, workload: str | None = None) -> list[dict[str, Any]]:
        """The pods of a namespace, or of one workload in it, that run and are not being stopped."""
        return [
            pod
            for pod in self.pods(namespace, workload)
            if pod["status"]["phase"] == "Running" and "deletionTimestamp" not in pod["metadata"]
        ]

    def until_running_pods(self, namespace: str, count: int) -> list[dict[str, Any]]:
        """Wait until so many pods of a namespace run, and are not being stopped; returns them, by name."""

        def all_of_them() -> list[dict[str, Any]]:
            found = self.running_pods(namespace)
            return found if len(found) == count else []

        return self.until(all_of_them, f"{count} pods in {namespace} to run")

    def running(self, namespace: str) -> int:
        """GPUs that running pods of a namespace hold."""
        return sum(
            int(container["resources"].get("limits", {}).get("nvidia.com/gpu", 0))
            for pod in self.running_pods(namespace)
            for container in pod["spec"]["containers"]
        )

    def events(self, namespace: str, name: str) -> list[dict[str, Any]]:
        """The Events about a workload, oldest first."""
        found: list[dict[str, Any]] = self.lab.api.call("GET", f"/apis/events.k8s.io/v1/namespaces/{namespace}/events")[
            "items"
        ]
        about = [event for event in found if event.get("regarding", {}).get("name") == name]
        return sorted(about, key=lambda event: event["metadata"]["creationTimestamp"])

    # Waiting

    def until(self, condition: Callable[[], Found], what: str, seconds: float = PATIENCE_SECONDS) -> Found:
        """Wait for a condition; returns what it found, which may be another thing when it is looked at again.

        What is looked up and is not there (yet, or for a moment) does not hold.

        Raises:
            AssertionError: it did not hold in time; says what was waited for.
        """
        __tracebackhide__ = True
        last: list[Found] = []
        problem = ""

        def holds() -> bool:
            nonlocal problem
            try:
                last[:], problem = [condition()], ""
            except (LookupError, TypeError, ValueError) as missing:
                problem = f"; the last look ended in {missing!r}"
                return False
            return bool(last[0])

        assert eventually(holds, seconds=seconds), f"waited {seconds:.0f} s for {what}{problem}{self.last_words()}"
        return last[0]

    def last_words(self) -> str:
        """What else is told when something has not come."""
        return ""

    def only_pod(
        self, namespace: str, workload: str | None = None, *, phase: str = "", but: Collection[str] = ()
    ) -> dict[str, Any]:
        """Wait until a namespace, or a workload in it, has one pod and no other that is not being stopped; returns it.

        Args:
            namespace: where.
            workload: which owns it; None: any.
            phase: which it is in; empty: any.
            but: uids of pods that it is none of, such as the one that it takes the place of.
        """
        found: list[dict[str, Any]] = []

        def one() -> dict[str, Any]:
            nonlocal found
            found = self.pods(namespace, workload)
            staying = [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]
            [pod] = [pod for pod in staying if pod["metadata"]["uid"] not in but]
            return pod if phase in ("", pod["status"]["phase"]) and len(staying) == 1 else {}

        whose = f"{workload} in {namespace}" if workload else namespace
        try:
            return self.until(one, f"{whose} to have one pod{f' that is {phase}' if phase else ''}")
        except AssertionError as problem:
            raise AssertionError(f"{problem}; there are {[_in_short(pod) for pod in found]}") from None

    def event(self, namespace: str, name: str, reason: str, says: str = "") -> dict[str, Any]:
        """Wait until an Event about an object gives a reason and has these words in its note; returns the first such.

        The note of an Event never changes, only how often it was said.
        """
        found: list[dict[str, Any]] = []

        def first() -> dict[str, Any]:
            nonlocal found
            found = self.events(namespace, name)
            told = (each for each in found if each["reason"] == reason and says in each.get("note", ""))
            return next(told, dict[str, Any]())

        try:
            return self.until(first, f"an event {reason} on {name}{f' that says {says!r}' if says else ''}")
        except AssertionError as problem:
            notes = [f"{each['reason']}: {each.get('note')}" for each in found]
            raise AssertionError(f"{problem}; there are {notes}") from None

    def until_linked(self, namespace: str, project: str) -> None:
        """Wait until the operator knows that the label of a namespace links it to a project that is not there yet.

        It hears of namespaces and of projects in no particular order.
        """
        self.submit(namespace, "linked", gpu=None)
        words = f"the project {self.name}-{project} "
        self.until_status(namespace, "linked", lambda status: words in status["phaseMessage"], "to miss its project")
        self.delete(self.path(namespace, "linked"))

    def until_status(
        self,
        namespace: str,
        name: str,
        holds: Callable[[dict[str, Any]], object],
        what: str,
        *,
        seconds: float = PATIENCE_SECONDS,
        kind: str = TRAINING,
    ) -> dict[str, Any]:
        """Wait until something holds of the status of a workload; returns that status.

        Args:
            namespace: where.
            name: of the workload.
            holds: what is waited for.
            what: the same in words, after the name.
            seconds: how long.
            kind: of the workload.
        """
        found: dict[str, Any] = {}

        def there() -> dict[str, Any]:
            nonlocal found
            found = self.status(namespace, name, kind)
            return found if holds(found) else {}

        try:
            return self.until(there, f"{name} {what}", seconds)
        except AssertionError as problem:
            raise AssertionError(f"{problem}; its status is {found}") from None

    def until_phase(
        self, namespace: str, name: str, *phases: str, seconds: float = PATIENCE_SECONDS, kind: str = TRAINING
    ) -> dict[str, Any]:
        """Wait until a workload is in one of the phases; returns its status."""
        what = f"to be {' or '.join(phases)}"
        return self.until_status(
            namespace, name, lambda status: status.get("phase") in phases, what, seconds=seconds, kind=kind
        )

    def until_reason(
        self, namespace: str, name: str, reason: str, seconds: float = PATIENCE_SECONDS, kind: str = TRAINING
    ) -> dict[str, Any]:
        """Wait until a workload gives a reason; returns its status."""
        what = f"to give the reason {reason}"
        return self.until_status(
            namespace, name, lambda status: status.get("reason") == reason, what, seconds=seconds, kind=kind
        )

    # Changing and removing

    def end(self, namespace: str, *names: str) -> list[str]:
        """End running pods at once, and wait until they have ended: as at the end of a `duration`, with its exit code.

        Not for pods whose containers start again.

        Args:
            namespace: where.
            *names: of the pods, or of what owns them; none: all in the namespace.

        Returns:
            Their names.
        """
        ending = [
            pod["metadata"]
            for pod in self.pods(namespace)
            if pod["status"]["phase"] == "Running" and (not names or not _names(pod).isdisjoint(names))
        ]
        for metadata in ending:
            path = f"/api/v1/namespaces/{namespace}/pods/{metadata['name']}"
            try:
                self.patch(path, {"metadata": {"annotations": {DURATION: "1ms"}}})
            except ApiError as problem:
                if problem.status != 404:  # it has gone, and so it has ended
                    raise
        uids = {metadata["uid"] for metadata in ending}

        def ended() -> bool:
            running = [pod for pod in self.pods(namespace) if pod["status"]["phase"] == "Running"]
            return uids.isdisjoint(pod["metadata"]["uid"] for pod in running)

        self.until(ended, f"pods in {namespace} to end")
        return [str(metadata["name"]) for metadata in ending]

    def patch(self, path: str, body: object) -> dict[str, Any]:
        """Merge into any object."""
        return self.lab.api.call("PATCH", path, body, content_type=MERGE)

    def delete(self, path: str) -> None:
        """Delete any object, if it is there."""
        try:
            self.lab.api.call("DELETE", path)
        except ApiError as problem:
            if problem.status != 404:
                raise

    def clear(self) -> None:
        """Remove everything that was made; namespaces go in their own time."""
        for path in reversed(self._made):
            self.delete(path)
            kind, _, name = path.rpartition("/")
            if kind == PROJECTS:
                self._clear_namespace(f"runai-{name}")
            elif kind == "/api/v1/namespaces":
                self._clear_namespace(name)
        for node in self._nodes:
            self.lab.remove_node(node)

    def _clear_namespace(self, name: str) -> None:
        """Remove a namespace and its pods at once: once their nodes are removed, too, nobody would stop them.

        It would be tried again and again for a minute, which keeps the API server busy while other tests run.
        """
        self.lab.remove_namespace(name)
        self.lab.api.call("DELETE", f"/api/v1/namespaces/{name}/pods?gracePeriodSeconds=0")

    def _create(self, path: str, manifest: dict[str, Any], name: str) -> None:
        self.lab.api.call("POST", path, {**manifest, "metadata": {"name": name}})
        self._made.append(f"{path}/{name}")


def _names(pod: dict[str, Any]) -> set[str]:
    """What a pod may be named by: itself, or what owns it."""
    metadata = pod["metadata"]
    return {metadata["name"], *(owner["name"] for owner in metadata.get("ownerReferences", ()))}


def _in_short(pod: dict[str, Any]) -> str:
    """A pod in few words, for messages."""
    stopped = " and is being stopped" if "deletionTimestamp" in pod["metadata"] else ""
    where = pod["spec"].get("nodeName", "no node")
    return f"{pod['metadata']['name']} ({pod['metadata']['uid']}), {pod['status']['phase']} on {where}{stopped}"


def names_of(objects: Sequence[dict[str, Any]]) -> list[str]:
    """Their names."""
    return [str(one["metadata"]["name"]) for one in objects]
