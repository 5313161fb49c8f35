"""What the agent knows: the last reading, whose work it is, and since when there is none.

The edge between readings, pods and what is shown; everything that decides is in `attribution`.
"""

from collections.abc import Iterable
from typing import Protocol

from aliquot import names
from aliquot.agent.attribution import IdleTimes, PodRef, Usage, attribute
from aliquot.agent.exporter.view import Health, View
from aliquot.agent.nvml import Ledger
from aliquot.agent.observing import Observation
from aliquot.agent.pods import idle_since, pod_on_node
from aliquot.agent.readings import Readings, Taken
from aliquot.agent.settings import AgentSettings
from aliquot.clock import Clock
from aliquot.contracts.kubernetes import Pod


class Flag(Protocol):
    """Says whether something has happened."""

    def is_set(self) -> bool:
        """Whether it has."""
        ...


class Pods(Iterable[Pod], Protocol):
    """The node's pods; an informer is such."""

    @property
    def synced(self) -> Flag:
        """Set once all of them are there."""
        ...


class Knowledge:
    """Follows readings.

    Args:
        settings: of the agent.
        clock: for ages.
        readings: what is followed.
        ledger: what NVML refused.

    Attributes:
        pods: the node's pods; None: nobody is asked for them.
    """

    def __init__(self, settings: AgentSettings, clock: Clock, readings: Readings[Observation], ledger: Ledger) -> None:
        self.pods: Pods | None = None
        self._settings = settings
        self._clock = clock
        self._readings = readings
        self._ledger = ledger
        self._seen: Taken[Observation] | None = None
        self._usage: Usage | None = None
        self._idle = IdleTimes[PodRef]()
        self._last_used: dict[str, float] = {}

    def update(self) -> None:
        """Take note of a new reading, if there is one."""
        taken = self._readings.last
        if taken is None or taken is self._seen:
            return
        self._seen = taken
        seen = taken.value
        pods = self._pods()
        known = None if pods is None else [pod_on_node(pod) for pod in pods]
        usage = attribute(seen.snapshot, seen.owners, known, seen.listing.assignments, names.RESERVATION_NAMESPACE)
        self._usage = usage
        self._idle.look(usage.activity(), taken.done, self._idle_before(pods or ()))
        now = self._clock.now()
        busy = {use.device.uuid for use in usage.pods if use.utilization_percent}
        busy.update(use.device.uuid for use in usage.devices if use.device.utilization_percent)
        there = {device.uuid for device in seen.snapshot.devices}
        self._last_used = {uuid: when for uuid, when in self._last_used.items() if uuid in there}
        self._last_used.update(dict.fromkeys(busy & there, now))

    def missing(self) -> str | None:
        """Why nothing can be shown yet, or any more; None: it can."""
        if self._readings.error is not None:
            return str(self._readings.error)
        if self._readings.hung_seconds() > 0:
            return "the driver does not answer"
        if self._readings.last is None:
            return "no reading yet"
        if self.pods is not None and not self.pods.synced.is_set():
            return "the node's pods are not known yet"
        return None

    def view(self) -> View:
        """What there is to be shown now."""
        identity, readings = self._settings.identity, self._readings
        age = None if self._seen is None else self._clock.monotonic() - self._seen.done
        health = Health(
            nvml_up=readings.error is None and readings.last is not None and readings.hung_seconds() == 0,
            age_seconds=age,
            duration_seconds=None if self._seen is None else self._seen.done - self._seen.begun,
            hung_seconds=readings.hung_seconds(),
            failed_readings=readings.failures,
            errors=dict(self._ledger.errors),
            refused=dict(self._ledger.refused),
            kubelet_answering=self._seen is not None and self._seen.value.listing.answering,
            pods_known=self._pods() is not None,
        )
        if self._seen is None or self._usage is None or age is None or age > self._settings.readings.stale_seconds:
            return View(identity.node, identity.cluster, health)
        idle = {pod: self._idle.seconds(pod) for pod in sorted(self._usage.activity())}
        return View(
            identity.node,
            identity.cluster,
            health,
            self._seen.value.snapshot.driver_version,
            self._usage,
            {pod: seconds for pod, seconds in idle.items() if seconds is not None},
            self._last_used,
        )

    def _pods(self) -> list[Pod] | None:
        return None if self.pods is None or not self.pods.synced.is_set() else list(self.pods)

    def _idle_before(self, pods: Iterable[Pod]) -> dict[PodRef, float]:
        """For how many seconds pods have been idle by what stands on them: written before this process began."""
        now = self._clock.now()
        begun = {pod_on_node(pod).ref: idle_since(pod) for pod in pods}
        return {ref: max(0.0, now - since) for ref, since in begun.items() if since is not None}
