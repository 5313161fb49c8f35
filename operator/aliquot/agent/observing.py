"""One look at everything that this node itself can tell: the driver, the kernel, the kubelet.

It blocks, so it is done in a thread of its own; `Observer` keeps what has to be remembered between two looks.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from aliquot import log
from aliquot.agent.attribution import Container
from aliquot.agent.nvml import Device, Session, Snapshot
from aliquot.agent.pod_resources import Assignment, Listing, PodResources, PodResourcesError
from aliquot.agent.processes import owners
from aliquot.clock import Clock

_log = log.get(__name__)


@dataclass(frozen=True, slots=True)
class Observation:
    """What one look saw.

    Attributes:
        snapshot: the GPUs.
        owners: the container of each process on them that runs in one.
        listing: who holds which device.
    """

    snapshot: Snapshot
    owners: Mapping[int, Container]
    listing: Listing


class Observer:
    """Looks, again and again, from one thread at a time.

    Args:
        session: NVML.
        kubelet: the kubelet's list.
        proc: where the host's processes are seen.
        clock: for how long an answer has been in doubt.
    """

    def __init__(self, session: Session, kubelet: PodResources, proc: Path, clock: Clock) -> None:
        self._session = session
        self._kubelet = kubelet
        self._proc = proc
        self._clock = clock
        self._listing = Listing()
        self._trouble = ""

    def observe(self) -> Observation:
        """Look once.

        Raises:
            NvmlError: there is nothing to be read.
        """
        snapshot = self._session.read()
        self._listing = self._listing.heard(self._ask(), self._clock.monotonic())
        return Observation(snapshot, owners(sorted(set(_pids(snapshot))), self._proc), self._listing)

    def _ask(self) -> tuple[Assignment, ...] | None:
        try:
            answer = self._kubelet.list()
        except PodResourcesError as error:
            if not self._trouble:
                _log.warning("no list of devices", reason=str(error))
            self._trouble = str(error)
            return None
        if self._trouble:
            _log.info("the kubelet answers again")
            self._trouble = ""
        return answer


def _pids(snapshot: Snapshot) -> Iterator[int]:
    for device in snapshot.devices:
        yield from _pids_of(device)


def _pids_of(device: Device) -> Iterator[int]:
    yield from (process.pid for process in device.processes)
    for instance in device.mig or ():
        yield from (process.pid for process in instance.processes)
