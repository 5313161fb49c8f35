"""A workload with all that is known of it at this moment: what both its next steps and its status are made from."""

from dataclasses import dataclass

from aliquot import names
from aliquot.cluster.mirror.cache import Key
from aliquot.cluster.mirror.mirror import Mirror, job_name_of
from aliquot.contracts.kinds.tenancy import Project
from aliquot.contracts.kinds.workloads import TrainingSpec, TrainingWorkload
from aliquot.core.lifecycle import ObservedPod, Record, Wait, observe, record_of
from aliquot.core.submission import Defaults, InvalidWorkload, ValidSpec, effective
from aliquot.core.tenancy import not_a_projects
from aliquot.errors import UserError


@dataclass(frozen=True, slots=True)
class View:
    """A workload now.

    Attributes:
        spec: what it asks for; None if that is wrong.
        errors: what is wrong.
        project: whose quota it uses; None: nobody's.
        job_name: the name of its pods; None: not chosen yet.
        obstacle: why no pods can be made for it, although its spec is right.
        pods: its pods.
        record: what its status remembers of pods that are gone.
    """

    spec: ValidSpec | None
    errors: tuple[UserError, ...]
    project: Project | None
    job_name: str | None
    obstacle: Wait | None
    pods: tuple[ObservedPod, ...]
    record: Record


@dataclass(frozen=True, slots=True)
class _Reading:
    spec: TrainingSpec
    labels: dict[str, str]
    found: ValidSpec | InvalidWorkload


class Views:
    """Makes views; remembers what reading a spec gave, and what trouble there was with writing.

    Args:
        mirror: what we know.
        defaults: what pods get that do not say.
    """

    def __init__(self, mirror: Mirror, defaults: Defaults) -> None:
        self._mirror = mirror
        self._defaults = defaults
        self._readings: dict[str, _Reading] = {}
        self._troubles: dict[str, Wait] = {}
        mirror.listeners.workload.append(self._workload_changed)

    def of(self, workload: TrainingWorkload) -> View:
        """The workload now."""
        metadata = workload.metadata
        found = self._read(workload)
        project = self._mirror.project_of(metadata.namespace)
        job_name = job_name_of(workload)
        pods = tuple(observed for pod in self._mirror.pods_of(workload) if (observed := observe(pod)) is not None)
        invalid = isinstance(found, InvalidWorkload)
        return View(
            spec=None if invalid else found,
            errors=found.errors if invalid else (),
            project=project,
            job_name=job_name,
            obstacle=self._obstacle(workload, project, job_name),
            pods=pods,
            record=record_of(workload.status),
        )

    def note_trouble(self, uid: str, trouble: Wait | None) -> None:
        """Remember why the API server refused a pod of the workload with the uid; None: it does no more."""
        if trouble is None:
            self._troubles.pop(uid, None)
        else:
            self._troubles[uid] = trouble

    def trouble(self, uid: str) -> Wait | None:
        """What was noted last."""
        return self._troubles.get(uid)

    def _read(self, workload: TrainingWorkload) -> ValidSpec | InvalidWorkload:
        metadata = workload.metadata
        known = self._readings.get(metadata.uid)
        if known is not None and known.labels == metadata.labels and known.spec == workload.spec:
            return known.found
        try:
            found: ValidSpec | InvalidWorkload = effective(workload, self._defaults)
        except InvalidWorkload as problem:
            found = problem
        self._readings[metadata.uid] = _Reading(workload.spec, metadata.labels, found)
        return found

    def _obstacle(self, workload: TrainingWorkload, project: Project | None, job_name: str | None) -> Wait | None:
        metadata = workload.metadata
        if project is None:
            return Wait("NoProject", self._no_project(metadata.namespace))
        if job_name is not None:
            first = self._mirror.workloads_called(metadata.namespace, job_name)[0]
            if first.metadata.uid != metadata.uid:
                return Wait(
                    "NameTaken",
                    f"the name {job_name} is taken by the workload {first.metadata.name}: "
                    "delete one of the two, or submit this one under another name",
                )
        return None

    def _no_project(self, namespace: str) -> str:
        held = self._mirror.namespaces.get(Key("", namespace))
        named = held.metadata.labels.get(names.QUEUE_LABEL) if held is not None else None
        return not_a_projects(namespace, named)

    def _workload_changed(self, old: TrainingWorkload | None, new: TrainingWorkload | None) -> None:
        if new is None:
            assert old is not None
            self._readings.pop(old.metadata.uid, None)
            self._troubles.pop(old.metadata.uid, None)
