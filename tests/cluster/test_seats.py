"""Pods and owners in every order of arrival: what the scheduler is told, by the feed, with a mirror and no cluster."""

import itertools

import msgspec
import pytest

from aliquot import names
from aliquot.clock import SystemClock
from aliquot.cluster.feed import Feed
from aliquot.cluster.foreign.seats import Seats
from aliquot.cluster.foreign.tops import Top
from aliquot.cluster.jobs import Jobs
from aliquot.cluster.mirror.cache import Key
from aliquot.cluster.mirror.mirror import Mirror
from aliquot.contracts.kinds.shapes import Metadata as KindMetadata
from aliquot.contracts.kinds.tenancy import Project, ProjectSpec
from aliquot.contracts.kubernetes import Metadata, Namespace, Pod, PodSpec
from aliquot.core.intake import MinRuntimes
from aliquot.core.intake.group_table import table_of
from aliquot.core.scheduling import ClusterState
from aliquot.core.scheduling.events import Event
from tests.support.owners import NAMESPACE, Known, reference


class Stage:
    """A feed over a mirror, and the scheduler's state that comes of what it says."""

    def __init__(self) -> None:
        self.known = Known()
        self.mirror = Mirror()
        self.events: list[Event] = []
        self.held: list[Key] = []
        self.tops: list[Top] = []
        self.seats = Seats(self.mirror, self.known)
        self.seats.on_held.append(self.held.append)
        self.seats.on_top.append(self.tops.append)
        jobs = Jobs(self.events.append, SystemClock(), lambda _: None)
        self.feed = Feed(self.mirror, self.events.append, lambda _: None, jobs, MinRuntimes(), self.seats, self.known)
        self.feed.start()
        self.namespace({names.QUEUE_LABEL: "vision"})
        self.project("vision")
        self._version = 0

    def namespace(self, labels: dict[str, str], annotations: dict[str, str] | None = None) -> None:
        version = str(len(self.events) + 1)
        metadata = Metadata(
            name=NAMESPACE, uid="ns", resource_version=version, labels=labels, annotations=annotations or {}
        )
        self.mirror.namespaces.put(Namespace(metadata=metadata))

    def project(self, name: str) -> None:
        spec = ProjectSpec.model_validate({})
        self.mirror.projects.put(Project(metadata=KindMetadata(name=name, uid=name, resource_version="1"), spec=spec))

    def pod(
        self,
        name: str,
        owner: str = "",
        *,
        labels: dict[str, str] | None = None,
        node: str = "",
        scheduler: str = names.SCHEDULER_NAME,
        phase: str = "Pending",
    ) -> Pod:
        self._version += 1
        pod = Pod(
            metadata=Metadata(
                name=name,
                namespace=NAMESPACE,
                uid=name,
                resource_version=str(self._version),
                creation_timestamp="2026-01-01T00:00:00Z",
                labels=labels or {},
                owner_references=(reference(owner),) if owner else (),
            ),
            spec=PodSpec(scheduler_name=scheduler, node_name=node),
        )
        pod = msgspec.structs.replace(pod, status=msgspec.structs.replace(pod.status, phase=phase))
        self.mirror.pods.put(pod)
        return pod

    def gone(self, name: str) -> None:
        self.mirror.pods.drop(Key(NAMESPACE, name), name)

    def outline(self) -> dict[str, str]:
        """Per pod: job, minimum, queue."""
        state = ClusterState.rebuild(self.events)
        found: dict[str, str] = {}
        for id_, record in state.tasks().items():
            job = state.job(record.fact.job)
            assert job is not None, "a task's job is told before it"
            found[id_] = f"{job.name} {job.min_member} {job.queue}"
        assert {record.fact.job for record in state.tasks().values()} == set(state.jobs()), "no job is left behind"
        return found


ORDERS = list(itertools.permutations(range(3)))
WORKERS = {"pytorchReplicaSpecs": {"Worker": {"replicas": 2}}}


def steps_of_a_gang(stage: Stage) -> list[tuple[str, object]]:
    return [
        ("owner", lambda: stage.known.put("kubeflow.org", "PyTorchJob", "p", spec=WORKERS)),
        ("first pod", lambda: stage.pod("a", "PyTorchJob/p")),
        ("second pod", lambda: stage.pod("b", "PyTorchJob/p")),
    ]


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: "-".join(map(str, order)))
def test_a_gang_is_the_same_in_whatever_order_it_is_heard_of(order: tuple[int, ...]) -> None:
    stage = Stage()
    steps = steps_of_a_gang(stage)
    for number in order:
        step = steps[number][1]
        assert callable(step)
        step()
        assert set(stage.outline().values()) <= {"p 2 vision"}, "never is a pod of the gang by itself"
    assert stage.outline() == {"a": "p 2 vision", "b": "p 2 vision"}


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: "-".join(map(str, order)))
def test_a_chain_of_owners_is_climbed_in_whatever_order_it_is_heard_of(order: tuple[int, ...]) -> None:
    stage = Stage()
    steps = [
        lambda: stage.known.put("apps", "Deployment", "d", spec={"replicas": 1}),
        lambda: stage.known.put("apps", "ReplicaSet", "r", owner="Deployment/d"),
        lambda: stage.pod("a", "ReplicaSet/r"),
    ]
    for number in order:
        steps[number]()
    assert stage.outline() == {"a": "a 1 vision"}
    top = stage.seats.top(stage.mirror.pods.get(Key(NAMESPACE, "a")) or Pod())
    assert top is not None
    assert (top.key.kind, top.key.name) == ("Deployment", "d")


def test_a_pod_waits_for_its_owner_and_no_longer_than_it_must() -> None:
    stage = Stage()
    stage.pod("a", "PyTorchJob/p")
    assert stage.outline() == {}
    assert stage.held == [Key(NAMESPACE, "a")]
    assert stage.known.looked == 1, "the kind may have just been installed"
    stage.pod("a", "PyTorchJob/p", labels={"changed": "yes"})
    assert stage.held == [Key(NAMESPACE, "a")], "it is told once"
    stage.seats.overdue(Key(NAMESPACE, "a"))
    assert stage.outline() == {"a": "p 1 vision"}
    stage.known.put("kubeflow.org", "PyTorchJob", "p", spec=WORKERS)
    assert stage.outline() == {"a": "p 2 vision"}, "better late than never"


def test_overdue_makes_no_difference_to_a_pod_that_has_its_seat() -> None:
    stage = Stage()
    stage.known.put("kubeflow.org", "PyTorchJob", "p", spec=WORKERS)
    stage.pod("a", "PyTorchJob/p")
    events = len(stage.events)
    stage.seats.overdue(Key(NAMESPACE, "a"))
    stage.seats.overdue(Key(NAMESPACE, "nobody"))
    assert len(stage.events) == events


def test_a_pod_that_has_a_node_is_told_of_at_once() -> None:
    stage = Stage()
    stage.pod("a", "PyTorchJob/p", node="n1", phase="Running")
    assert stage.outline() == {"a": "p 1 vision"}
    stage.known.put("kubeflow.org", "PyTorchJob", "p", spec=WORKERS)
    assert stage.outline() == {"a": "p 2 vision"}


def test_nobody_waits_for_a_kind_that_may_not_be_read() -> None:
    stage = Stage()
    stage.known.unreadable.add("PyTorchJob")
    stage.pod("a", "PyTorchJob/p")
    stage.pod("b", "PyTorchJob/p")
    assert stage.outline() == {"a": "p 1 vision", "b": "p 1 vision"}


def test_an_owner_that_asks_for_more_or_less_changes_its_gang() -> None:
    stage = Stage()
    stage.known.put("kubeflow.org", "PyTorchJob", "p", spec=WORKERS)
    stage.pod("a", "PyTorchJob/p")
    stage.known.put("kubeflow.org", "PyTorchJob", "p", spec={"pytorchReplicaSpecs": {"Worker": {"replicas": 5}}})
    assert stage.outline() == {"a": "p 5 vision"}


def test_what_an_owner_says_of_its_state_wakes_no_round() -> None:
    stage = Stage()
    stage.known.put("kubeflow.org", "PyTorchJob", "p", spec=WORKERS)
    stage.pod("a", "PyTorchJob/p")
    events, tops = len(stage.events), len(stage.tops)
    conditions = [{"type": "Running", "status": "True"}]
    stage.known.put("kubeflow.org", "PyTorchJob", "p", spec=WORKERS, status={"conditions": conditions})
    assert len(stage.events) == events
    assert len(stage.tops) == tops + 1, "but its report does"


def test_pods_keep_their_places_when_their_owner_goes_first() -> None:
    stage = Stage()
    stage.known.put("kubeflow.org", "PyTorchJob", "p", spec=WORKERS)
    stage.pod("a", "PyTorchJob/p")
    stage.known.drop("kubeflow.org", "PyTorchJob", "p")
    stage.pod("a", "PyTorchJob/p", node="n1")
    assert stage.outline() == {"a": "p 2 vision"}
    stage.gone("a")
    assert stage.outline() == {}


def test_the_next_owner_of_the_same_name_is_another_one() -> None:
    stage = Stage()
    stage.known.put("kubeflow.org", "PyTorchJob", "p", spec=WORKERS, uid="an earlier one")
    stage.pod("a", "PyTorchJob/p")
    assert stage.outline() == {}
    stage.known.put("kubeflow.org", "PyTorchJob", "p", spec={})
    assert stage.outline() == {"a": "p 1 vision"}


def test_a_pod_owned_by_a_pod_waits_for_it_too() -> None:
    stage = Stage()
    stage.known.put("apps", "StatefulSet", "s", owner="Pod/leader")
    stage.pod("worker", "StatefulSet/s")
    assert stage.outline() == {}
    stage.pod("leader")
    assert stage.outline() == {"leader": "leader 1 vision", "worker": "worker 1 vision"}


def test_pods_of_other_schedulers_are_nobodys_and_wait_for_nothing() -> None:
    stage = Stage()
    stage.pod("a", "PyTorchJob/p", scheduler="default-scheduler")
    assert stage.outline() == {"a": "a 1 None"}
    assert stage.tops == []


def test_another_table_changes_who_belongs_together() -> None:
    stage = Stage()
    stage.known.put("apps", "StatefulSet", "s")
    stage.pod("a", "StatefulSet/s")
    stage.pod("b", "StatefulSet/s")
    assert stage.outline() == {"a": "s 1 vision", "b": "s 1 vision"}
    stage.known.table, _ = table_of([("text", "kinds: [{group: apps, kind: StatefulSet, jobs: pod}]")])
    stage.known.put("apps", "StatefulSet", "s")
    assert stage.outline() == {"a": "a 1 vision", "b": "b 1 vision"}


def test_in_a_shared_namespace_pods_choose_their_project_by_label() -> None:
    """Only from those that whoever may annotate the namespace has named."""
    stage = Stage()
    stage.project("speech")
    stage.pod("a", labels={names.QUEUE_LABEL: "speech"})
    stage.pod("b")
    assert stage.outline() == {"a": "a 1 vision", "b": "b 1 vision"}, "the namespace's own project comes first"
    stage.namespace({})
    assert stage.outline() == {"a": "a 1 namespace/team", "b": "b 1 namespace/team"}
    stage.namespace({}, {names.PROJECTS_ANNOTATION: "text, speech"})
    assert stage.outline() == {"a": "a 1 speech", "b": "b 1 namespace/team"}
    stage.namespace({}, {names.PROJECTS_ANNOTATION: "vision"})
    assert stage.outline() == {"a": "a 1 namespace/team", "b": "b 1 namespace/team"}
    stage.namespace({}, {names.PROJECTS_ANNOTATION: "*"})
    stage.pod("c", labels={names.PROJECT_LABEL: "late"})
    stage.project("late")
    assert stage.outline() == {"a": "a 1 speech", "b": "b 1 namespace/team", "c": "c 1 late"}
