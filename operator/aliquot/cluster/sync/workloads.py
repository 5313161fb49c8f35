"""Which workloads there are to tell of, of whatever kind, which pods and Events are theirs, and what is new of them.

    workloads of our own, RunaiJobs, ExternalWorkloads ─┐
    pods, and to what they belong ──────────────────────┼─▶ changed(kind, name) ─▶ look: as it is reported, or nothing
    Events about them, and about what belongs to them ──┘

A pod counts only with a workload of its own namespace: whoever may create pods elsewhere can write any uid into them.
"""

from collections.abc import Callable, Iterable

from aliquot.clock import Clock
from aliquot.cluster.feed import Feed
from aliquot.cluster.foreign.reports import Reports
from aliquot.cluster.foreign.seats import Seats
from aliquot.cluster.jobs import Jobs
from aliquot.cluster.mirror.cache import Key
from aliquot.cluster.mirror.mirror import Mirror, belonging_of, job_name_of
from aliquot.cluster.reconcilers.runai_jobs import RunaiJobs, job_of
from aliquot.cluster.reconcilers.view import Views
from aliquot.cluster.sync.events import Events
from aliquot.cluster.sync.kin import Kin
from aliquot.cluster.sync.reported_workloads import (
    Running,
    Tenancy,
    Whose,
    reported_external,
    reported_job,
    reported_own,
    reported_pod,
)
from aliquot.contracts.cluster_sync import Kind
from aliquot.contracts.cluster_workloads import ReportedEvent, ReportedPod, ReportedWorkload
from aliquot.contracts.kinds.external import ExternalWorkload
from aliquot.contracts.kinds.runaijob import RunaiJob
from aliquot.contracts.kinds.workloads import Workload
from aliquot.contracts.kubernetes import Pod
from aliquot.core.tenancy import department_named
from aliquot.kube.informers import Informers

Subject = Workload | RunaiJob | ExternalWorkload
Changed = Callable[[Kind, str], None]


class Workloads:
    """See the module.

    Args:
        informers: makes what hears of Events.
        mirror: workloads of our own, and all pods.
        views: what those ask for.
        runai_jobs: the RunaiJobs.
        reports: what is said of workloads of other kinds.
        seats: which pods belong to those.
        feed: what nodes and pods are to the scheduler.
        jobs: the same of pods, as it was told last.
        kin: learns to which workload what belongs.
        clock: for the pace at which Events are told.

    Attributes:
        events: those about workloads, and about what belongs to them.
    """

    def __init__(
        self,
        informers: Informers,
        mirror: Mirror,
        views: Views,
        runai_jobs: RunaiJobs,
        reports: Reports,
        seats: Seats,
        feed: Feed,
        jobs: Jobs,
        kin: Kin,
        clock: Clock,
    ) -> None:
        self._mirror = mirror
        self._views = views
        self._runai_jobs = runai_jobs
        self._reports = reports
        self._seats = seats
        self._feed = feed
        self._jobs = jobs
        self._kin = kin
        self._changed: Changed = lambda _kind, _name: None
        self._subjects: dict[str, Subject] = {}
        self._pods: dict[str, dict[str, None]] = {}
        self.events = Events(informers, mirror, kin, clock, lambda uid: self._changed("event", uid))

    def listen(self, changed: Changed) -> None:
        """Tell of everything that is there, then of every change."""
        self._changed = changed
        for workload in self._mirror.workloads:
            self._own_changed(None, workload)
        for job in self._runai_jobs.jobs:
            self._subject_changed(job.metadata.uid, None, job)
        for report in self._reports.held:
            self._external_changed(None, report)
        for pod in self._mirror.pods:
            self._pod_changed(None, pod)
        self._mirror.listeners.workload.append(self._own_changed)
        self._runai_jobs.listeners.append(self._job_changed)
        self._reports.listeners.append(self._external_changed)
        self._mirror.listeners.pod.append(self._pod_changed)
        self._seats.on_again.append(lambda pod: self._pod_changed(pod, pod))

    # What there is

    def there(self) -> dict[Kind, Iterable[str]]:
        """The names of all that may be told of, by kind."""
        return {"workload": list(self._subjects), "pod": list(self._kin.pods), "event": self.events.there()}

    def look(self, kind: Kind, name: str) -> ReportedWorkload | ReportedPod | ReportedEvent | None:
        """One of them as it is reported; None: there is none, or it is nobody's business."""
        match kind:
            case "workload":
                return self._look_at_workload(name)
            case "pod":
                return self._look_at_pod(name)
            case _:
                return self.events.look(name)

    def _look_at_workload(self, uid: str) -> ReportedWorkload | None:
        subject = self._subjects.get(uid)
        return None if subject is None else self._reported(subject, self._running_of(uid, subject))

    def _look_at_pod(self, uid: str) -> ReportedPod | None:
        pod, subject = self._mirror.pod(uid), self._subject_of(uid)
        if pod is None or subject is None or pod.metadata.namespace != subject.metadata.namespace:
            return None
        return reported_pod(self._running(pod), self._whose_is(subject))

    def _subject_of(self, pod: str) -> Subject | None:
        whose = self._kin.pods.get(pod)
        return None if whose is None else self._subjects.get(whose)

    def _running_of(self, uid: str, subject: Subject) -> list[Running]:
        pods = [pod for each in self._pods.get(uid, ()) if (pod := self._mirror.pod(each)) is not None]
        own = [pod for pod in pods if pod.metadata.namespace == subject.metadata.namespace]
        own.sort(key=lambda pod: (pod.metadata.creation_timestamp, pod.metadata.name))
        return [self._running(pod) for pod in own]

    def _running(self, pod: Pod) -> Running:
        facts = self._jobs.facts_of(pod.metadata.uid) or self._feed.facts_of(pod)
        node = self._feed.nodes.get(pod.spec.node_name)
        return Running(
            pod,
            facts.task.request,
            facts.job.pools,
            facts.job.preemptible,
            None if node is None else node.pool,
            0 if node is None else node.device_memory_mib,
        )

    def _reported(self, subject: Subject, pods: list[Running]) -> ReportedWorkload:
        if isinstance(subject, ExternalWorkload):
            return reported_external(subject, pods)
        whose = self._whose_is(subject)
        held = None if whose.project is None else self._mirror.projects.get(Key("", whose.project))
        tenancy = Tenancy(whose.project, None if held is None else department_named(held))
        if isinstance(subject, RunaiJob):
            return reported_job(subject, tenancy, pods)
        return reported_own(subject, whose.name, self._views.spec_of(subject), tenancy, pods)

    def _whose_is(self, subject: Subject) -> Whose:
        """How a workload is told of with its pods."""
        uid, name = _uid(subject), subject.metadata.name
        if isinstance(subject, ExternalWorkload):
            return Whose(uid, subject.spec.original_workload_name or name, subject.spec.project_name)
        if isinstance(subject, RunaiJob):
            project = self._mirror.project_of(subject.metadata.namespace)
            return Whose(uid, name, None if project is None else project.metadata.name)
        return Whose(uid, job_name_of(subject) or name, subject.status.project)

    # What changes

    def _own_changed(self, old: Workload | None, new: Workload | None) -> None:
        held = new or old
        assert held is not None
        if held.spec.usage != "Template":
            self._subject_changed(held.metadata.uid, old, new)

    def _job_changed(self, old: RunaiJob | None, new: RunaiJob | None) -> None:
        held = new or old
        assert held is not None
        self._subject_changed(held.metadata.uid, old, new)

    def _external_changed(self, old: ExternalWorkload | None, new: ExternalWorkload | None) -> None:
        held = new or old
        assert held is not None
        self._subject_changed(_uid(held), old, new)

    def _subject_changed(self, uid: str, old: Subject | None, new: Subject | None) -> None:
        if new is None:
            self._subjects.pop(uid, None)
            self._kin.workload_is_gone(uid)
        else:
            self._subjects[uid] = new
            self._kin.workload_is_in(uid, new.metadata.namespace)
        self._changed("workload", uid)
        if old is None or new is None or _project(old) != _project(new):
            for pod in self._pods.get(uid, ()):
                self._changed("pod", pod)

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        pod = new or old
        assert pod is not None
        uid, whose = pod.metadata.uid, self._kin.pods
        before, now = whose.get(uid), None if new is None else self._workload_of(new)
        if before is not None and before != now:
            siblings = self._pods[before]
            siblings.pop(uid, None)
            if not siblings:
                del self._pods[before]
            del whose[uid]
            if new is None:
                self._kin.pod_is_gone(uid, before, pod.metadata.namespace)
            self._changed("workload", before)
        if now is not None:
            whose[uid] = now
            self._pods.setdefault(now, {})[uid] = None
            self._changed("workload", now)
        if before is not None or now is not None:
            self._changed("pod", uid)

    def _workload_of(self, pod: Pod) -> str | None:
        """Uid of the workload that a pod belongs to, by what it says; None: none, or it is not known yet."""
        belonging = belonging_of(pod)
        if belonging is not None:
            return belonging.uid
        job = job_of(pod)
        if job is not None:
            return job.uid
        top = self._seats.top(pod)
        return None if top is None else top.uid


def _uid(subject: Subject) -> str:
    if isinstance(subject, ExternalWorkload):
        return subject.spec.original_workload_uid or subject.metadata.uid
    return subject.metadata.uid


def _project(subject: Subject) -> str | None:
    if isinstance(subject, ExternalWorkload):
        return subject.spec.project_name
    return None if isinstance(subject, RunaiJob) else subject.status.project
