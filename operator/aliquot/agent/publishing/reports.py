"""What is to stand on the node and on its pods by the last reading; keeps what has to be remembered between two."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from aliquot import names
from aliquot.agent.attribution import PodRef
from aliquot.agent.node import OwnNode
from aliquot.agent.pod_resources import Assignment
from aliquot.agent.pods import pod_on_node
from aliquot.agent.publishing import health, overuse
from aliquot.agent.publishing.answers import held_device, waits_for_an_answer
from aliquot.agent.publishing.idleness import idle_annotations
from aliquot.agent.publishing.labels import node_labels
from aliquot.agent.publishing.overuse import Excess, Place, Tolerance
from aliquot.agent.publishing.plan import Patch, difference
from aliquot.agent.settings import Publishing
from aliquot.agent.watching import Findings
from aliquot.contracts.agent_reports import Overuse, health_text, overuse_text, read_health, read_overuse
from aliquot.contracts.kubernetes import Pod

_ENDED = ("Succeeded", "Failed")


@dataclass(slots=True)
class _Time:
    """One moment by both clocks."""

    now: float = 0.0
    monotonic: float = 0.0


@dataclass(slots=True)
class Reports:
    """See the module.

    Args:
        settings: how much is let pass.
    """

    settings: Publishing
    _findings: Findings | None = None
    _time: _Time = field(default_factory=_Time)
    _health: health.Health | None = None
    _excess: dict[Place, Excess] = field(default_factory=dict[Place, Excess])

    def take(
        self,
        findings: Findings | None,
        node: OwnNode,
        pods: Iterable[Pod],
        now: float,
        monotonic: float,
        *,
        resumed: bool,
    ) -> None:
        """Take note of a reading.

        Args:
            findings: what it says; None: there is none, or it is too old.
            node: as the API server has it.
            pods: those on it.
            now: Unix seconds.
            monotonic: the same moment in monotonic seconds.
            resumed: this process goes on where another stopped a moment ago.
        """
        if self._health is None:
            written = read_health(node.metadata.annotations.get(names.GPU_HEALTH_ANNOTATION))
            self._health = health.before_first_look(written, resumed=resumed)
            self._excess = _written_excess(pods, monotonic) if resumed else {}
        self._findings, self._time = findings, _Time(now, monotonic)
        if findings is None:
            self._excess = {}
        else:
            taken = now - (monotonic - findings.monotonic)
            self._health = health.look(self._health, findings.snapshot, findings.devices, taken, now - monotonic)
            settings = self.settings
            tolerance = Tolerance(settings.overuse_percent, settings.overuse_mib, settings.overuse_seconds)
            uses = findings.usage.pods
            self._excess = overuse.follow(self._excess, uses, taken, findings.monotonic, tolerance)

    def for_node(self, node: OwnNode) -> Patch:
        """What is to be written on the node. Nothing is taken back because nothing can be read."""
        if self._findings is None or self._health is None:
            return Patch()
        stands = node.metadata
        told = {names.GPU_HEALTH_ANNOTATION: health_text(self._health.troubles)}
        labels = node_labels(self._findings.snapshot, stands.labels, node.labels_of_the_agent(), node.status.capacity)
        return Patch(difference(told, stands.annotations), difference(labels, stands.labels))

    def for_pod(self, pod: Pod, assignments: Iterable[Assignment] | None = None) -> Patch:
        """What is to be written on a pod. What is not known any more is taken back: nobody is to be stopped for it.

        Args:
            pod: it.
            assignments: what the kubelet has just said; None: what it said at the last reading counts.
        """
        if pod.status.phase in _ENDED or pod.metadata.deletion_timestamp is not None:
            return Patch()
        ref = pod_on_node(pod).ref
        wanted: dict[str, str | None] = {
            **self._idle(ref, pod),
            names.GPU_OVERUSE_ANNOTATION: overuse_text(self._overuse(ref)),
        }
        if waits_for_an_answer(pod):
            known = self._findings.assignments if assignments is None and self._findings is not None else assignments
            device = held_device(pod, known or ())
            if device is not None:
                wanted[names.RESERVED_GPU_ANNOTATION] = device
        return Patch(difference(wanted, pod.metadata.annotations))

    def _idle(self, ref: PodRef, pod: Pod) -> dict[str, str | None]:
        last = None if self._findings is None else self._findings.last_work.get(ref)
        time = self._time
        since = None if last is None else time.now - (time.monotonic - last)
        return idle_annotations(since, pod, time.now, self.settings.idle_seconds)

    def _overuse(self, ref: PodRef) -> dict[str, Overuse]:
        return {
            unit: excess.told for (pod, unit), excess in self._excess.items() if pod == ref and excess.told is not None
        }


def _written_excess(pods: Iterable[Pod], monotonic: float) -> dict[Place, Excess]:
    return {
        (pod_on_node(pod).ref, device): Excess(monotonic, told)
        for pod in pods
        for device, told in read_overuse(pod.metadata.annotations.get(names.GPU_OVERUSE_ANNOTATION)).items()
    }
