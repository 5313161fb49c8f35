"""Events for people: what happened to their workloads and pods, with numbers."""

from collections.abc import Sequence

from aliquot.cluster.foreign.tops import Top
from aliquot.cluster.mirror.mirror import Mirror, owner_of
from aliquot.cluster.reconcilers.pod_conditions import INVALID_REQUEST
from aliquot.cluster.resources import RUNAI_JOBS, WORKLOADS
from aliquot.contracts.kinds.runaijob import RunaiJob
from aliquot.contracts.kinds.workloads import Workload
from aliquot.contracts.kubernetes import Metadata, Node, Pod
from aliquot.core.lifecycle import Happening, Wait
from aliquot.core.scheduling import Bind
from aliquot.core.tenancy import in_words
from aliquot.kube.recorder import ObjectReference, Recorder
from aliquot.kube.resources import NODES, PODS, Resource

_CREATING = "Creating"
_EVICTED = "Evicted"
_SCHEDULED = "Scheduled"
_NOT_FOLLOWED = "NotFollowed"
_INVALID_TABLE = "InvalidTable"
_INVALID_TOPOLOGY = "InvalidTopology"
_INVALID_LABELS = "InvalidLabels"
_OVERHELD = "DevicesOverheld"
_GPUS_BROKEN = "GpusBroken"
_SCHEDULING = "Scheduling"


class Announcer:
    """Says what happened; the recorder writes it when there is time.

    Args:
        recorder: takes events.
        mirror: knows whose pod it is.
    """

    def __init__(self, recorder: Recorder, mirror: Mirror) -> None:
        self._recorder = recorder
        self._mirror = mirror

    def bound(self, pod: Pod, bind: Bind) -> None:
        """A pod got its node; for all pods of a workload it is one event with a count."""
        workload = self._mirror.workload_of(pod)
        if workload is not None:
            self._record(workload, Happening("Normal", _SCHEDULED, _scheduled(pod, bind)), key=_SCHEDULED)

    def evicted(self, pod: Pod, why: str) -> None:
        """A pod is being stopped for somebody else's sake."""
        workload, note = self._mirror.workload_of(pod), f"Pod {pod.metadata.name} was {why}"
        if workload is not None:
            self._record(workload, Happening("Warning", _EVICTED, note), key=f"{_EVICTED} {pod.metadata.uid}")
        elif owner_of(pod) is None:
            self._recorder.record(_pod(pod), "Warning", _EVICTED, note, _EVICTED)

    def happened(self, workload: Workload, happening: Happening) -> None:
        """The status of a workload has changed in a way that is worth telling."""
        if happening.reason != _EVICTED:  # that was told when it happened, with more to say
            self._record(workload, happening, key=f"{happening.reason} {happening.message}")

    def job_trouble(self, job: RunaiJob, reason: str, why: str) -> None:
        """A pod of a RunaiJob cannot be made."""
        metadata = job.metadata
        regarding = ObjectReference(
            RUNAI_JOBS.api_version, RUNAI_JOBS.kind, metadata.namespace, metadata.name, metadata.uid
        )
        self._recorder.record(regarding, "Warning", reason, why, _CREATING, key=f"{reason} {why}")

    def waits(self, pod: Pod, wait: Wait) -> None:
        """A pod of nobody's workload waits: there is no status of ours that could say why."""
        if wait.code != INVALID_REQUEST:  # that is told once, with the condition on the pod
            self._recorder.record(_pod(pod), "Warning", wait.code, wait.sentence, _SCHEDULING, key=wait.code)

    def misunderstood(self, pod: Pod, why: str) -> None:
        """What a pod asks for makes no sense."""
        self._recorder.record(_pod(pod), "Warning", INVALID_REQUEST, why, _SCHEDULING)

    def mislabelled(self, node: Node, problems: Sequence[str]) -> None:
        """What a node says of itself makes no sense."""
        metadata = node.metadata
        regarding = ObjectReference(NODES.api_version, NODES.kind, name=metadata.name, uid=metadata.uid)
        self._recorder.record(regarding, "Warning", _INVALID_LABELS, "; ".join(problems), _SCHEDULING)

    def overheld(self, node: Node, problems: Sequence[str]) -> None:
        """Pods have more of a node's GPUs than there is."""
        metadata = node.metadata
        regarding = ObjectReference(NODES.api_version, NODES.kind, name=metadata.name, uid=metadata.uid)
        self._recorder.record(regarding, "Warning", _OVERHELD, "; ".join(problems), _SCHEDULING)

    def gpus_broken(self, node: Node, problem: str) -> None:
        """The agent of a node says that some of its GPUs cannot be used."""
        metadata = node.metadata
        regarding = ObjectReference(NODES.api_version, NODES.kind, name=metadata.name, uid=metadata.uid)
        self._recorder.record(regarding, "Warning", _GPUS_BROKEN, problem, _SCHEDULING)

    def gpu_trouble(self, pod: Pod, reason: str, why: str) -> None:
        """A GPU that a pod has cannot be used, or the pod uses more of one than it was given: both are told."""
        self._recorder.record(_pod(pod), "Warning", reason, why, _SCHEDULING)
        workload = self._mirror.workload_of(pod)
        if workload is not None:
            note = f"Pod {pod.metadata.name}: {why}"
            self._record(workload, Happening("Warning", reason, note), key=f"{reason} {pod.metadata.uid}")

    def workload_waits(self, top: Top, wait: Wait) -> None:
        """Pods of a workload of another kind that are scheduled together wait: it is told on the workload."""
        self._recorder.record(_reference(top), "Warning", wait.code, wait.sentence, _SCHEDULING, key=wait.code)

    def makes_no_sense(self, top: Top, problem: str) -> None:
        """A workload of another kind says something that cannot be followed."""
        self._recorder.record(_reference(top), "Warning", _NOT_FOLLOWED, problem, _SCHEDULING, key=problem)

    def wrong_table(self, config_map: Metadata, problem: str) -> None:
        """A ConfigMap that adds to the table of kinds is wrong somewhere."""
        regarding = ObjectReference("v1", "ConfigMap", config_map.namespace, config_map.name, config_map.uid)
        self._recorder.record(regarding, "Warning", _INVALID_TABLE, problem, _INVALID_TABLE, key=problem)

    def wrong_topology(self, resource: Resource, topology: Metadata, problem: str) -> None:
        """A Topology object cannot be followed as it is."""
        regarding = ObjectReference(resource.api_version, resource.kind, name=topology.name, uid=topology.uid)
        self._recorder.record(regarding, "Warning", _INVALID_TOPOLOGY, problem, _INVALID_TOPOLOGY, key=problem)

    def _record(self, workload: Workload, happening: Happening, *, key: str) -> None:
        where, metadata = WORKLOADS[type(workload).__name__], workload.metadata
        regarding = ObjectReference(where.api_version, where.kind, metadata.namespace, metadata.name, metadata.uid)
        self._recorder.record(regarding, happening.type, happening.reason, happening.message, happening.reason, key=key)


def _reference(top: Top) -> ObjectReference:
    return ObjectReference(top.api_version, top.key.kind, top.key.namespace, top.key.name, top.uid)


def _pod(pod: Pod) -> ObjectReference:
    metadata = pod.metadata
    return ObjectReference(PODS.api_version, PODS.kind, metadata.namespace, metadata.name, metadata.uid)


def _scheduled(pod: Pod, bind: Bind) -> str:
    """What the event of a grant says: where, how much, and whose share it is."""
    where = f"Pod {pod.metadata.name} runs on node {bind.node}"
    if not bind.gpu_percent:
        return f"{where}."
    gpus = in_words("gpu", bind.gpu_percent)
    holds = in_words("gpu", bind.queue_gpu_percent)
    deserved = in_words("gpu", bind.queue_deserved_gpu_percent)
    over = ", beyond its quota: they may be taken back" if bind.over_quota else ""
    return f"{where} with {gpus}. The project holds {holds} and deserves {deserved}{over}."
