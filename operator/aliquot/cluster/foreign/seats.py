"""Where each pod belongs, as soon as its owners are known.

    pod ──▶ owners known? ──yes──▶ seat
                │ no
                └──▶ held until the owner is heard of, or has let itself be waited for too long

Watches of different kinds do not wait for one another: a pod may be heard of before its owner. Until then it is not
scheduled by itself, as that would tear its gang apart. A pod that has a node gets a seat at once, as it uses room. One
that has its seat keeps it when its owner goes. Pods are looked at anew whenever something of their owners changes that
matters.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from aliquot import log
from aliquot.cluster.foreign.owners import OwnerListeners
from aliquot.cluster.foreign.tops import Top, top_of
from aliquot.cluster.mirror.cache import Key
from aliquot.cluster.mirror.mirror import Mirror, key_of, owner_of
from aliquot.contracts.kubernetes import Pod
from aliquot.core.intake import Topologies, is_ours
from aliquot.core.intake.group_table import (
    CORE_POD,
    Chain,
    OwnerKey,
    OwnerObject,
    Seat,
    Table,
    chain_of,
    group_of,
    keys_named_by,
    lone_seat,
    pod_object,
    seat_of,
)

_log = log.get(__name__)


class KnownOwners(Protocol):
    """What is asked of `foreign.owners.Owners`."""

    classes: dict[str, int]
    listeners: OwnerListeners

    @property
    def table(self) -> Table:
        """See there."""
        ...

    @property
    def topologies(self) -> Topologies:
        """See there."""
        ...

    @property
    def hears_of_topologies(self) -> bool:
        """See there."""
        ...

    def find(self, key: OwnerKey) -> OwnerObject | None:
        """See there."""
        ...

    def readable(self, group: str, kind: str) -> bool:
        """See there."""
        ...

    def follows(self, group: str, kind: str) -> bool:
        """See there."""
        ...

    def look_for_kinds(self) -> None:
        """See there."""
        ...


@dataclass(frozen=True, slots=True)
class _Seated:
    """A pod that has a seat.

    Attributes:
        chain: its owners.
        seat: where it belongs.
        top: the workload that people made; None: one of our own kinds, or none of our business.
    """

    chain: Chain
    seat: Seat
    top: Top | None


class Seats:
    """Finds the seats of pods.

    Args:
        mirror: knows the pods.
        owners: knows what owns them.

    Attributes:
        on_held: told of each pod that begins to wait for its owner.
        on_again: told of each pod that may have another seat now.
        on_top: told of each workload whose pods have changed, or that has changed itself.
    """

    def __init__(self, mirror: Mirror, owners: KnownOwners) -> None:
        self.on_held: list[Callable[[Key], None]] = []
        self.on_again: list[Callable[[Pod], None]] = []
        self.on_top: list[Callable[[Top], None]] = []
        self._mirror = mirror
        self._owners = owners
        self._seated: dict[str, _Seated] = {}
        self._held: set[str] = set()
        self._overdue: set[str] = set()
        self._watching: dict[OwnerKey, set[str]] = {}
        self._watched: dict[str, tuple[OwnerKey, ...]] = {}
        self._under: dict[str, set[str]] = {}
        owners.listeners.owner.append(self._owner_changed)
        owners.listeners.everything.append(self._everything_changed)

    # Seats

    def find(self, pod: Pod) -> Seat | None:
        """Where the pod belongs; None: it has to wait for its owner."""
        uid = pod.metadata.uid
        if not is_ours(pod) or owner_of(pod) is not None:
            return lone_seat(pod)
        before = self._seated.get(uid)
        chain = chain_of(pod, self._owners.table, self._find)
        self._watch(uid, self._keys(pod, chain))
        if not chain.complete:
            if before is not None:
                chain = before.chain
            elif self._must_wait(pod, chain):
                self._hold(pod, chain)
                return None
        self._held.discard(uid)
        kept = before is not None and chain is before.chain
        seat = before.seat if before is not None and kept else seat_of(pod, chain, self._owners.table, self._find)
        self._seated[uid] = _Seated(chain, seat, top_of(pod, chain))
        self._is_under(uid, None if before is None else before.top, self._seated[uid].top)
        return seat

    def known(self, pod: Pod) -> Seat | None:
        """Where the pod belongs, as was found last; None: it has no seat yet."""
        seated = self._seated.get(pod.metadata.uid)
        if seated is not None:
            return seated.seat
        return None if is_ours(pod) and owner_of(pod) is None else lone_seat(pod)

    def gone(self, pod: Pod) -> None:
        """Hear that a pod is gone."""
        uid = pod.metadata.uid
        self._held.discard(uid)
        self._overdue.discard(uid)
        self._watch(uid, ())
        seated = self._seated.pop(uid, None)
        if seated is not None:
            self._is_under(uid, seated.top, None)

    def ripple(self, pod: Pod) -> None:
        """Hear that a pod has changed, which may own others."""
        self._look_again(OwnerKey(*CORE_POD, pod.metadata.namespace, pod.metadata.name))

    def overdue(self, key: Key) -> None:
        """Wait no longer for the owner of a pod."""
        pod = self._mirror.pods.get(key)
        if pod is not None and pod.metadata.uid in self._held:
            chain = chain_of(pod, self._owners.table, self._find)
            _log.warning("a pod's owner is not there", pod=str(key), owner=chain.waits_for())
            self._overdue.add(pod.metadata.uid)
            self._again(pod)

    def _must_wait(self, pod: Pod, chain: Chain) -> bool:
        if pod.spec.node_name or pod.metadata.uid in self._overdue:
            return False
        if chain.missing is not None:
            return self._owners.readable(group_of(chain.missing), chain.missing.kind)
        return chain.named is not None and self._owners.readable(chain.named.group, chain.named.kind)

    def _hold(self, pod: Pod, chain: Chain) -> None:
        uid = pod.metadata.uid
        if uid not in self._held:
            self._held.add(uid)
            for tell in self.on_held:
                tell(key_of(pod))
        kinds = [(group_of(chain.missing), chain.missing.kind)] if chain.missing is not None else []
        kinds += [(chain.named.group, chain.named.kind)] if chain.named is not None else []
        if any(kind != CORE_POD and not self._owners.follows(*kind) for kind in kinds):
            self._owners.look_for_kinds()

    # Workloads

    def top(self, pod: Pod) -> Top | None:
        """The workload of another kind that the pod belongs to."""
        seated = self._seated.get(pod.metadata.uid)
        return None if seated is None else seated.top

    def owner(self, top: Top) -> OwnerObject | None:
        """The workload itself, as far as the table reads it."""
        found = self._find(top.key)
        return found if found is not None and found.uid == top.uid else None

    def would_know(self, top: Top) -> bool:
        """Whether the workload would be known if it were there."""
        name = (top.key.group, top.key.kind)
        return name == CORE_POD or (self._owners.follows(*name) and self._owners.readable(*name))

    def under(self, top: Top) -> list[Pod]:
        """The pods that belong to a workload, oldest first."""
        pods = [pod for uid in self._under.get(top.uid, ()) if (pod := self._mirror.pod(uid)) is not None]
        return sorted(pods, key=lambda pod: (pod.metadata.creation_timestamp, pod.metadata.name))

    def problems(self, top: Top) -> tuple[str, ...]:
        """What the workload, or what is between it and its pods, says and makes no sense."""
        chains = [self._seated[uid].chain for uid in sorted(self._under.get(top.uid, ()))]
        return tuple(dict.fromkeys(problem for chain in chains for each in chain.owners for problem in each.problems))

    def _is_under(self, uid: str, before: Top | None, now: Top | None) -> None:
        """The pod has changed, and belongs to a workload now that may be another one than before."""
        if before is not None and before != now:
            left = self._under[before.uid]
            left.discard(uid)
            if not left:
                del self._under[before.uid]
            self._tell(before)
        if now is not None:
            self._under.setdefault(now.uid, set()).add(uid)
            self._tell(now)

    # Owners

    def _find(self, key: OwnerKey) -> OwnerObject | None:
        if (key.group, key.kind) == CORE_POD:
            pod = self._mirror.pods.get(Key(key.namespace, key.name))
            return None if pod is None else pod_object(pod, self._owners.table)
        return self._owners.find(key)

    def _keys(self, pod: Pod, chain: Chain) -> Iterable[OwnerKey]:
        """Everything whose coming, changing or going may give the pod another seat."""
        yield from (owner.key for owner in chain.owners)
        missing = chain.missing
        if missing is not None:
            yield OwnerKey(group_of(missing), missing.kind, pod.metadata.namespace, missing.name)
        yield from keys_named_by(pod, self._owners.table)

    def _watch(self, uid: str, keys: Iterable[OwnerKey]) -> None:
        now = tuple(keys)
        before = self._watched.get(uid, ())
        if now == before:
            return
        for key in before:
            watching = self._watching[key]
            watching.discard(uid)
            if not watching:
                del self._watching[key]
        if now:
            self._watched[uid] = now
        else:
            self._watched.pop(uid, None)
        for key in now:
            self._watching.setdefault(key, set()).add(uid)

    def _owner_changed(self, old: OwnerObject | None, new: OwnerObject | None) -> None:
        found = new or old
        assert found is not None
        if old is None or new is None or not new.groups_as(old):
            self._look_again(found.key)
        seated = (self._seated.get(uid) for uid in self._watching.get(found.key, ()))
        for top in {each.top for each in seated if each is not None and each.top is not None}:
            self._tell(top)

    def _everything_changed(self) -> None:
        for uid in [*self._seated, *self._held]:
            pod = self._mirror.pod(uid)
            if pod is not None:
                self._again(pod)

    def _look_again(self, key: OwnerKey) -> None:
        for uid in sorted(self._watching.get(key, ())):
            pod = self._mirror.pod(uid)
            if pod is not None:
                self._again(pod)

    def _again(self, pod: Pod) -> None:
        for tell in self.on_again:
            tell(pod)

    def _tell(self, top: Top) -> None:
        for tell in self.on_top:
            tell(top)
