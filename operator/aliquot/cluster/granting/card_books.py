"""What there is of each shared GPU: on pods, and what was decided and is on no pod yet."""

from collections.abc import Iterable

from aliquot import names
from aliquot.clock import Clock
from aliquot.cluster.gpu_health import Broken
from aliquot.contracts.kubernetes import Pod
from aliquot.core.grants import Card, Hold, Reservation, Sharer, recorded_devices, reservation_of, reserved_gpu
from aliquot.core.intake import state_of, trouble_in_words, unix_seconds
from aliquot.core.scheduling import Granted


class CardBooks:
    """Keeps account of shared GPUs, by the scheduler's ids.

    Args:
        clock: tells how long a reservation has been there.
        device_seconds: for so long nobody need say which device one has.
        broken: knows the GPUs that cannot be used; None: nobody does.
    """

    def __init__(self, clock: Clock, device_seconds: float, broken: Broken | None = None) -> None:
        self._broken = broken
        self._clock = clock
        self._device_seconds = device_seconds
        self._sharers: dict[str, dict[str, Pod]] = {}
        self._reservations: dict[str, Pod] = {}
        self._making: dict[str, Pod] = {}
        self._leaving: set[str] = set()
        self._decided: dict[str, Granted] = {}
        self._decided_on: dict[str, set[str]] = {}

    def changed(self, old: Pod | None, new: Pod | None) -> set[str]:
        """A pod has come, has changed, or is gone; returns the GPUs that this concerns."""
        pod = new or old
        assert pod is not None
        uid, touched = pod.metadata.uid, {*_shared_by(old), *_shared_by(new)}
        for gpu in touched:
            self._sharers.get(gpu, {}).pop(uid, None)
        for gpu in _shared_by(new):
            assert new is not None
            self._sharers.setdefault(gpu, {})[uid] = new
        for gpu in touched:
            if not self._sharers.get(gpu):
                self._sharers.pop(gpu, None)
        if gpu := reserved_gpu(pod):
            touched.add(gpu)
            held = self._reservations.get(gpu)
            if new is not None:
                self._reservations[gpu] = new
            elif held is not None and held.metadata.uid == uid:
                del self._reservations[gpu]
            if new is None:
                self._leaving.discard(uid)
        return touched

    def decided(self, grant: Granted) -> None:
        """A pod is to get parts of GPUs."""
        self._decided[grant.task] = grant
        for gpu in grant.devices:
            self._decided_on.setdefault(gpu, set()).add(grant.task)

    def settled(self, uid: str) -> tuple[str, ...]:
        """Nothing more is to be done for the pod; returns the GPUs that it was to get parts of."""
        grant = self._decided.pop(uid, None)
        for gpu in () if grant is None else grant.devices:
            waiting = self._decided_on.get(gpu, set())
            waiting.discard(uid)
            if not waiting:
                self._decided_on.pop(gpu, None)
        return () if grant is None else grant.devices

    def is_decided(self, uid: str) -> bool:
        """Whether the pod is to get parts of GPUs."""
        return uid in self._decided

    def node_of(self, uid: str) -> str:
        """Where a pod is to go for which that is decided."""
        return self._decided[uid].node

    def making(self, gpu: str, pod: Pod) -> None:
        """A reservation is about to be made, which is to be this pod: the GPU is held, whatever comes of it."""
        self._making[gpu] = pod

    def no_longer_made(self, gpu: str) -> Pod | None:
        """It is known what came of it; returns what was given to `making`, None where it was known before."""
        return self._making.pop(gpu, None)

    def being_made(self, gpu: str) -> Pod | None:
        """The reservation of which it is not known whether it is there; None: there is none."""
        return self._making.get(gpu)

    def leaves(self, uid: str) -> None:
        """A reservation is about to be deleted: nobody gets a part of its GPU who was decided for it meanwhile."""
        self._leaving.add(uid)

    def stays(self, uid: str) -> None:
        """A reservation was not deleted, as far as is known."""
        self._leaving.discard(uid)

    def reservation(self, gpu: str) -> Pod | None:
        """The pod that holds the GPU; None: there is none."""
        return self._reservations.get(gpu)

    def card(self, gpu: str) -> Card:
        """All that there is of a GPU."""
        pod = self._reservations.get(gpu)
        sharers = tuple(
            Sharer(
                uid,
                recorded_devices(sharer.metadata.annotations).get(gpu, ""),
                stopping=sharer.metadata.deletion_timestamp is not None,
            )
            for uid, sharer in sorted(self._sharers.get(gpu, {}).items())
        )
        # Where it is shared its device was known before.
        overdue = pod is not None and not sharers and self.age(pod) > self._device_seconds
        reservation = None if pod is None else reservation_of(pod, overdue=overdue)
        if pod is not None and pod.metadata.uid in self._leaving:
            reservation = Reservation(Hold.ENDING)
        if pod is None and gpu in self._making:
            reservation = Reservation(Hold.MAKING)
        decided = frozenset(self._decided_on.get(gpu, ()))
        node = pod.spec.node_name if pod is not None else ""
        if self._broken is None or reservation is None or not (troubles := self._broken.troubles(node)):
            return Card(reservation, sharers, decided)
        trouble = troubles.get(reservation.device)
        if trouble is None:
            return Card(reservation, sharers, decided)
        why = trouble_in_words(node, {reservation.device: trouble})
        return Card(reservation, sharers, decided, why, self._broken.still_offered(node))

    def held_on(self, node: str) -> list[str]:
        """The GPUs of the node that reservations hold, sorted."""
        return sorted(gpu for gpu, pod in self._reservations.items() if pod.spec.node_name == node)

    def age(self, pod: Pod) -> float:
        """For how many seconds a pod has been there."""
        return self._clock.now() - unix_seconds(pod.metadata.creation_timestamp)


def _shared_by(pod: Pod | None) -> Iterable[str]:
    """The GPUs of which the pod has parts, by our own record, unless it holds nothing any more."""
    if pod is None or not pod.spec.node_name or pod.metadata.namespace == names.RESERVATION_NAMESPACE:
        return ()
    return recorded_devices(pod.metadata.annotations) if state_of(pod).uses_node else ()
