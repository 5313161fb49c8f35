"""GPUs of which pods have parts: who has them, who is to get them, and the pods that hold them for these.

    Granted, GrantFailed ─┐
    pods of the mirror ───┴─▶ what there is of each GPU ─▶ `core.grants`: the next step ─▶ carried out by `tend`
                                       │
                                       └─▶ jobs: the reservation, as the scheduler is to see it

All of it but what was decided and not carried out is on pods, so a process that starts again knows it from them. What
was decided and lost is decided anew, and gets what an earlier process has left over for it; the rest of that goes.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, Protocol

import msgspec

from aliquot import log, names, naming
from aliquot.clock import Clock
from aliquot.cluster.gpu_health import Broken
from aliquot.cluster.granting.card_books import CardBooks
from aliquot.cluster.jobs import Jobs
from aliquot.cluster.mirror.cache import Key
from aliquot.cluster.mirror.mirror import Mirror, key_of
from aliquot.cluster.work import Task
from aliquot.contracts.kubernetes import Pod
from aliquot.core.grants import (
    Card,
    Hold,
    Step,
    device_of,
    is_idle,
    is_kept,
    next_step,
    reservation_pod,
    reserved_gpu,
)
from aliquot.core.intake import Use, reservation_facts
from aliquot.core.scheduling import Granted, GrantFailed
from aliquot.core.scheduling.events import Event
from aliquot.kube.client import ApiClient
from aliquot.kube.problems import AlreadyExists, ApiProblem, Conflict, NotFound, Refused
from aliquot.kube.resources import PODS
from aliquot.settings import Grants

_log = log.get(__name__)
_POD: Final = msgspec.json.Decoder(Pod)
_NO_NODE: Final = "its node is gone"
_UNKNOWN: Final = Card()


class Add(Protocol):
    """Takes what is to be done, with what, and in how many seconds."""

    def __call__(self, task: Task, key: Key, after_seconds: float = 0) -> None:
        """See the class."""
        ...


class Cards:
    """Keeps the books of shared GPUs; `start` once the mirror is filled.

    Args:
        client: writes.
        mirror: knows the pods.
        clock: tells how long a reservation has been there.
        jobs: is told of reservations, and takes events for the scheduler.
        add: takes work: grants that can go on, and GPUs to be tended.
        withdraw: takes a pod that has to give its part up, and why.
        settings: of reservations.
        broken: knows the GPUs that cannot be used; None: nobody does.
        on_trouble: told the uids of pods for which no GPU can be held, and of those for which one can be again.
    """

    def __init__(
        self,
        client: ApiClient,
        mirror: Mirror,
        clock: Clock,
        jobs: Jobs,
        add: Add,
        withdraw: Callable[[Pod, str], None],
        settings: Grants,
        broken: Broken | None = None,
        on_trouble: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._client = client
        self._mirror = mirror
        self._jobs = jobs
        self._add = add
        self._withdraw = withdraw
        self._settings = settings
        self._broken = broken
        self._on_trouble = on_trouble
        self._troubles: dict[str, str] = {}
        self._books = CardBooks(clock, settings.device_seconds, broken)
        self._refusals: dict[str, str] = {}
        self._known: dict[str, Card] = {}
        self._told: dict[str, tuple[Pod, Use]] = {}
        self._left_over: set[str] = set()

    # What happens

    def start(self) -> None:
        """Learn of what is there, then of every change. What nobody needs is left over for the first round."""
        self._left_over = {gpu for pod in self._mirror.pods if (gpu := reserved_gpu(pod))}
        for pod in self._mirror.pods:
            self._pod_changed(None, pod)
        self._mirror.listeners.pod.append(self._pod_changed)
        if self._broken is not None:
            self._broken.listeners.append(lambda node: self._look_at(self._books.held_on(node)))

    def submit(self, event: Event) -> None:
        """Pass on what granting says to the scheduler, and remember who is to get which GPUs."""
        match event:
            case Granted(devices=gpus) if gpus:
                self._books.decided(event)
                self._look_at(gpus)
            case GrantFailed(task=uid):
                self._look_at(self._settled(uid))
            case _:
                pass
        self._jobs.submit(event)

    def look_at_everything(self) -> None:
        """Have every GPU tended once."""
        for gpu in self._known:
            self._tend_later(gpu)

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        pod = new or old
        assert pod is not None
        uid, touched = pod.metadata.uid, self._books.changed(old, new)
        over = new is None or new.spec.node_name or new.metadata.deletion_timestamp
        if over and self._books.is_decided(uid):
            touched.update(self._settled(uid))
            self._add(Task.GRANT, key_of(pod))
        gpu = reserved_gpu(pod)
        if new is None and gpu:
            self._jobs.gone(uid)
        self._look_at(touched)
        if new is not None and gpu:
            self._no_longer_made(gpu)

    def _settled(self, uid: str) -> tuple[str, ...]:
        """Nothing more is to be done for the pod; returns the GPUs that it was to get parts of."""
        self._refusals.pop(uid, None)
        self._troubles.pop(uid, None)
        return self._books.settled(uid)

    def _look_at(self, gpus: Iterable[str]) -> None:
        """Tell the scheduler how these GPUs are held, and have those tended of which something differs."""
        for gpu in sorted(gpus):
            card, pod = self._tell(gpu)
            if card == self._known.get(gpu, _UNKNOWN):
                continue
            if pod is None and is_idle(card):
                self._known.pop(gpu, None)
                continue
            self._known[gpu] = card
            self._tend_later(gpu)

    def _tell(self, gpu: str) -> tuple[Card, Pod | None]:
        """Tell the scheduler how a GPU is held; returns what there is of it, and what holds it."""
        card, pod = self._books.card(gpu), self._books.reservation(gpu) or self._books.being_made(gpu)
        if pod is None:
            self._told.pop(gpu, None)
            return card, None
        use, told = self._use(gpu, card), self._told.get(gpu)
        if told is None or told[0] is not pod or told[1] is not use:
            self._told[gpu] = (pod, use)
            if (facts := reservation_facts(pod, gpu, use)) is None:
                self._jobs.gone(pod.metadata.uid)
            else:
                self._jobs.here(facts)
        return card, pod

    def _tend_later(self, gpu: str, seconds: float = 0) -> None:
        self._add(Task.SHARED_GPU, Key("", gpu), seconds)

    # What is known

    def devices(self, gpus: tuple[str, ...]) -> tuple[str, ...]:
        """What the device plugin calls the GPUs, for a pod that is to be bound now; empty: not all can be told yet."""
        found = tuple(device_of(self._books.card(gpu)) for gpu in gpus)
        return found if all(found) else ()

    def refusal(self, uid: str) -> str:
        """Why a pod cannot get what was decided for it; empty: it can, or has to wait."""
        return self._refusals.get(uid, "")

    def trouble(self, uid: str) -> str:
        """Why no GPU can be held for a pod that is to get a part of it, as a sentence; empty: one can."""
        return self._troubles.get(uid, "")

    def _use(self, gpu: str, card: Card) -> Use:
        if not is_idle(card):
            return Use.SHARED
        hold = None if card.reservation is None else card.reservation.hold
        if hold is Hold.REFUSED or is_kept(card):
            return Use.REFUSED
        open_to_others = gpu in self._left_over and hold is not Hold.ENDING and not card.broken
        return Use.LEFT_OVER if open_to_others else Use.GOING

    # What is done

    async def tend(self, key: Key) -> None:
        """Do what is to be done next for a GPU, which the key names.

        Raises:
            ApiProblem: it is not done, or not known to be; call again.
        """
        gpu = key.name
        self._left_over.discard(gpu)
        self._look_at((gpu,))  # what only time has changed
        card, pod = self._books.card(gpu), self._books.reservation(gpu)
        following = next_step(card)
        match following.step:
            case Step.MAKE:
                await self._make(gpu, sorted(card.decided))
            case Step.GIVE:
                self._go_on(card.decided)
            case Step.REFUSE:
                self._refuse(card.decided, following.why)
            case Step.WITHDRAW:
                self._withdraw_from(following.whom, gpu, following.why)
            case Step.REMOVE if pod is not None:
                await self._remove(pod)
            case Step.REMOVE_LATER if pod is not None:
                await self._remove_later(gpu, pod)
            case Step.NOTHING if card.reservation is not None and card.reservation.hold is Hold.ASKED:
                self._tend_later(gpu, self._settings.device_seconds + 1)
            case _:
                pass

    def _withdraw_from(self, uids: Iterable[str], gpu: str, why: str) -> None:
        for uid in uids:
            if (sharer := self._mirror.pod(uid)) is not None:
                _log.warning("a part of a GPU is withdrawn", pod=str(key_of(sharer)), gpu=gpu, why=why)
                self._withdraw(sharer, f"stopped, as {why}")

    def _refuse(self, uids: Iterable[str], why: str) -> None:
        self._refusals.update(dict.fromkeys(uids, why))
        self._go_on(uids)

    def _go_on(self, uids: Iterable[str]) -> None:
        for uid in sorted(uids):
            if (pod := self._mirror.pod(uid)) is not None:
                self._add(Task.GRANT, key_of(pod))

    async def _make(self, gpu: str, decided: list[str]) -> None:
        started = self._books.being_made(gpu)
        where = self._books.node_of(decided[0]) if started is None else started.spec.node_name
        node = self._mirror.nodes.get(Key("", where))
        if node is None:
            self._no_longer_made(gpu)
            self._refuse(decided, _NO_NODE)
            return
        manifest = reservation_pod(node.metadata, gpu, self._settings.reservation_image)
        self._books.making(gpu, _as_if_made(manifest, gpu))
        self._tell(gpu)
        try:
            answer = await self._make_or_find(gpu, manifest)
        except Refused as problem:
            if not problem.may_be_done:
                self._no_longer_made(gpu)
            self._note_trouble(decided, _told(problem))
            raise
        self._note_trouble(decided, "")
        self._mirror.pods.put(_POD.decode(answer))
        self._no_longer_made(gpu)

    async def _make_or_find(self, gpu: str, manifest: Mapping[str, object]) -> bytes:
        try:
            answer = await self._client.create(
                PODS, manifest, namespace=names.RESERVATION_NAMESPACE, field_manager=names.SCHEDULER_MANAGER
            )
        except AlreadyExists:
            answer = await self._client.get(PODS, names.RESERVATION_NAMESPACE, naming.reservation_name(gpu))
            if reserved_gpu(_POD.decode(answer.body)) != gpu:
                raise
        return answer.body

    def _no_longer_made(self, gpu: str) -> None:
        """It is known whether the reservation is there: it is counted itself, or nothing is."""
        placeholder = self._books.no_longer_made(gpu)
        if placeholder is not None:
            self._tell(gpu)
            self._jobs.gone(placeholder.metadata.uid)

    def _note_trouble(self, uids: Iterable[str], trouble: str) -> None:
        for uid in uids:
            if self._troubles.get(uid, "") != trouble:
                self._troubles[uid] = trouble
                self._on_trouble(uid)

    async def _remove(self, pod: Pod) -> None:
        key, uid = key_of(pod), pod.metadata.uid
        self._books.leaves(uid)  # a round that is under way may give the GPU to somebody before the API server answers
        try:
            await self._client.delete(PODS, key.namespace, key.name, uid=uid)
        except (NotFound, Conflict):  # it is gone, and there may be another one
            self._mirror.pods.drop(key, uid)
        except ApiProblem:
            self._books.stays(uid)
            raise

    async def _remove_later(self, gpu: str, pod: Pod) -> None:
        """What a node has refused it would refuse again at once: the GPU is left alone for a while."""
        remaining = self._settings.rejected_seconds - self._books.age(pod)
        if remaining > 0:
            self._tend_later(gpu, remaining)
        else:
            _log.warning("a node has refused a GPU", node=pod.spec.node_name, gpu=gpu, message=pod.status.message)
            await self._remove(pod)


def _as_if_made(manifest: Mapping[str, object], gpu: str) -> Pod:
    """The pod of a manifest as the scheduler is to count it until it is there."""
    pod = _POD.decode(msgspec.json.encode(manifest))
    return msgspec.structs.replace(pod, metadata=msgspec.structs.replace(pod.metadata, uid=f"made for {gpu}"))


def _told(problem: Refused) -> str:
    """Why a reservation cannot be made, for people: mostly somebody has deleted the namespace."""
    if isinstance(problem, NotFound):
        return (
            f"there is no namespace {names.RESERVATION_NAMESPACE}, which has the pods that hold GPUs for those who "
            "share them; the chart makes it"
        )
    return f"the pod that is to hold its GPU for those who share it cannot be made: {problem}"
