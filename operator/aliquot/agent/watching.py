"""What the agent knows: the last reading, whose work it is, and since when there is none.

The edge between readings, pods and what is shown; everything that decides is in `attribution`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from aliquot import names
from aliquot.agent.attribution import IdleTimes, PodRef, Usage, attribute
from aliquot.agent.exporter.view import Health, View
from aliquot.agent.last_look import Devices, LastLook
from aliquot.agent.nvml import Ledger, Snapshot
from aliquot.agent.observing import Observation
from aliquot.agent.pod_resources import Assignment
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


@dataclass(frozen=True, slots=True)
class Findings:
    """What one reading says, with the node's pods known.

    Attributes:
        snapshot: the GPUs.
        usage: whose work it is.
        assignments: who holds which device, by the kubelet.
        last_work: when each pod's GPUs last had work, in monotonic seconds.
        monotonic: when the reading was done.
        devices: of each GPU what the device plugin offered when it could last be read.
    """

    snapshot: Snapshot
    usage: Usage
    assignments: tuple[Assignment, ...]
    last_work: Mapping[PodRef, float]
    monotonic: float
    devices: Devices


class Knowledge:
    """Follows readings.

    Args:
        settings: of the agent.
        clock: for ages.
        readings: what is followed.
        ledger: what NVML refused.
        last_look: of this process and of the one before; None: nobody remembers.

    Attributes:
        pods: the node's pods; None: nobody is asked for them.
        resumed: whether this process goes on where another stopped; None: the pods were never known yet.
        devices: of each GPU what the device plugin offered when it could last be read, also before this process began.
    """

    def __init__(
        self,
        settings: AgentSettings,
        clock: Clock,
        readings: Readings[Observation],
        ledger: Ledger,
        last_look: LastLook | None = None,
    ) -> None:
        self.pods: Pods | None = None
        self.resumed: bool | None = None
        self.devices: Devices = {} if last_look is None else last_look.devices
        self._last_look = last_look
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
        self.devices = {**self.devices, **_offered(seen.snapshot)}
        pods = self._pods()
        known = None if pods is None else [pod_on_node(pod) for pod in pods]
        usage = attribute(seen.snapshot, seen.owners, known, seen.listing.assignments, names.RESERVATION_NAMESPACE)
        self._usage = usage
        self._idle.look(usage.activity(), taken.done, self._begin(pods) if pods is not None else None)
        now = self._clock.now()
        busy = {use.device.uuid for use in usage.pods if use.utilization_percent}
        busy.update(use.device.uuid for use in usage.devices if use.device.utilization_percent)
        there = {device.uuid for device in seen.snapshot.devices}
        self._last_used = {uuid: when for uuid, when in self._last_used.items() if uuid in there}
        self._last_used.update(dict.fromkeys(busy & there, now))

    def findings(self) -> Findings | None:
        """What the last reading says; None: it is too old, or which pods there are is not known."""
        seen, usage = self._seen, self._usage
        if seen is None or usage is None or self.resumed is None:
            return None
        if self._clock.monotonic() - seen.done > self._settings.readings.stale_seconds:
            return None
        last_work = {pod: self._idle.last_work(pod) for pod in usage.activity()}
        return Findings(
            seen.value.snapshot,
            usage,
            seen.value.listing.assignments,
            {pod: when for pod, when in last_work.items() if when is not None},
            seen.done,
            self.devices,
        )

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

    def _begin(self, pods: Iterable[Pod]) -> dict[PodRef, float] | None:
        """For how many seconds pods were idle before this process began, at its first look; None: that does not count.

        What was written before tells it, if the gap between the two processes was short: what was not seen is work.
        """
        before = None
        if self.resumed is None:
            self.resumed = self._last_look is not None and self._last_look.is_recent()
            now = self._clock.now()
            since = {pod_on_node(pod).ref: idle_since(pod) for pod in pods} if self.resumed else {}
            before = {ref: max(0.0, now - when) for ref, when in since.items() if when is not None}
        if self._last_look is not None:
            self._last_look.note(self.devices)
        return before


def _offered(snapshot: Snapshot) -> Devices:
    """What the device plugin offers of each GPU that can be read."""
    return {
        device.uuid: tuple(each.uuid for each in device.mig or () if each.uuid) or (device.uuid,)
        for device in snapshot.devices
        if device.is_told
    }
