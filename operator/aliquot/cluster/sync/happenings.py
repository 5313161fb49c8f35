"""Events of the cluster on their way to the control plane: whose each is, when it is told, and that it is forgotten.

    heard ─▶ whose? ─┬─▶ a workload's ─▶ held ─▶ may be told ─▶ told and taken ─▶ only how often it happened is kept
                     └─▶ not known yet: waits, a minute at most ─▶ what is gone: held, and the control plane knows whose

A kubelet says five things of each pod that starts, and repeats itself for hours when one does not. So there are bounds:
of each workload the latest `MOST_OF_ONE` are held, and so many are told at once, then a few a minute; what is repeated
is told again once in `REPEAT_SECONDS`, with its count; and all together are told at most `PER_SECOND` times a second.
What is pushed out is not missed: the control plane keeps no more of a workload. What speaks of itself as Aliquot has a
budget of its own, so that what others say does not displace it.
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from aliquot.clock import Clock
from aliquot.cluster.sync.reported_workloads import count_of, happened_at, is_ours, reported_event
from aliquot.contracts.cluster_workloads import UID, ReportedEvent
from aliquot.contracts.kubernetes import Event
from aliquot.kube.token_bucket import TokenBucket

MOST_OF_ONE: Final = 100
"""Events of one workload that are held, and that are told of it at once after a pause."""
REPEAT_SECONDS: Final = 60.0
PER_SECOND: Final = 50.0
_OF_ONE_PER_SECOND: Final = 1 / 6
_BURST: Final = 1000
_MOST_HELD: Final = 10_000
_MOST_WAITING: Final = 2000
_WAIT_SECONDS: Final = 60.0
"""What an Event is about may become known so long after it: watches of different kinds do not wait for one another."""
_REMEMBERED: Final = 20_000
"""Events of which is known that they were told, and workloads with a budget; the oldest are forgotten first."""

Place = tuple[str, bool]
"""Whose Events are told on one budget: uid of the workload (empty: not known), and whether Aliquot says so."""


@dataclass(slots=True)
class _Held:
    """An Event that is to be told.

    Attributes:
        event: it.
        place: whose it is.
        happened: when it happened last, in Unix seconds.
        may_be_told: it has its part of the budget.
        looked_at: it is in a report that is on its way, or is to be.
    """

    event: Event
    place: Place
    happened: float
    may_be_told: bool = False
    looked_at: bool = False


class Happenings:
    """See the module.

    Args:
        whose: uid of the workload that an Event is about; None: that is not known.
        concerns: whether there are workloads in a namespace, so that it may become known.
        is_gone: whether what an Event is about was there and is not any more.
        changed: called with the uid of an Event that is to be told, or need not be any more.
        clock: for budgets and waits.
    """

    def __init__(
        self,
        whose: Callable[[Event], str | None],
        concerns: Callable[[str], bool],
        is_gone: Callable[[Event], bool],
        changed: Callable[[str], None],
        clock: Clock,
    ) -> None:
        self._whose = whose
        self._concerns = concerns
        self._is_gone = is_gone
        self._changed = changed
        self._clock = clock
        self._waiting: OrderedDict[str, Event] = OrderedDict()
        self._held: OrderedDict[str, _Held] = OrderedDict()
        self._of: dict[Place, dict[str, _Held]] = {}
        self._told: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._of_one: OrderedDict[Place, TokenBucket] = OrderedDict()
        now = clock.monotonic()
        self._of_all = {ours: TokenBucket(PER_SECOND, _BURST, now) for ours in (False, True)}

    def __len__(self) -> int:
        """How many are kept."""
        return len(self._held) + len(self._waiting)

    # What is to be told

    def there(self) -> Iterable[str]:
        """The uids of all that may be told now."""
        return [uid for uid, held in self._held.items() if held.may_be_told]

    def look(self, uid: str) -> ReportedEvent | None:
        """One as it is reported; None: it is not to be told, or not yet."""
        held = self._held.get(uid)
        if held is None or not held.may_be_told:
            return None
        held.looked_at = True
        self._remember(uid, count_of(held.event))
        return reported_event(held.event, held.place[0] or None)

    def taken(self, uid: str) -> None:
        """Forget one that the control plane has taken, unless it was repeated meanwhile."""
        held = self._held.get(uid)
        if held is not None and held.looked_at:
            self._drop(uid, held)
        self._changed(uid)  # also whoever remembers what was told of it need not any more

    def begin(self) -> None:
        """Count nothing as told: the other side may have lost it. All that there is is heard of once more."""
        self._told.clear()
        for held in self._held.values():
            held.looked_at = False

    # What happens

    def heard(self, event: Event) -> None:
        """Take an Event, or another one of a series."""
        uid = event.metadata.uid
        if not uid or count_of(event) <= self._told.get(uid, (0, 0))[1]:
            return
        workload = self._whose(event)
        if workload is not None:
            self._hold(event, workload)
        elif self._concerns(event.metadata.namespace) and re.fullmatch(UID, event.regarding.uid, re.ASCII):
            self._waiting[uid] = event
            self._waiting.move_to_end(uid)
            if happened_at(event) + _WAIT_SECONDS < self._clock.now():
                self._consider(uid, event)
            elif len(self._waiting) > _MOST_WAITING:
                self._waiting.popitem(last=False)

    def sweep(self) -> None:
        """Look at what waits for its workload or its budget; to be called every few seconds."""
        for uid, event in list(self._waiting.items()):
            self._consider(uid, event)
        for uid, held in list(self._held.items()):
            if not held.may_be_told:
                self._spend(uid, held)

    def _consider(self, uid: str, event: Event) -> None:
        workload = self._whose(event)
        is_over = happened_at(event) + _WAIT_SECONDS < self._clock.now()
        if workload is None and not is_over:
            return
        del self._waiting[uid]
        if workload is not None or self._is_gone(event):
            self._hold(event, workload or "")

    def _hold(self, event: Event, workload: str) -> None:
        uid = event.metadata.uid
        held = _Held(event, (workload, is_ours(event)), happened_at(event))
        before = self._held.get(uid)
        if before is not None:
            held.may_be_told = before.may_be_told and not before.looked_at
            self._drop(uid, before)
        self._waiting.pop(uid, None)
        self._held[uid] = held
        siblings = self._of.setdefault(held.place, {})
        siblings[uid] = held
        if len(siblings) > MOST_OF_ONE:
            oldest = min(siblings, key=lambda each: siblings[each].happened)
            self._push_out(oldest, siblings[oldest], held)
        elif len(self._held) > _MOST_HELD:
            self._drop(*next(iter(self._held.items())))
        if held.may_be_told:
            self._changed(uid)
        elif uid in self._held:
            self._spend(uid, held)

    def _push_out(self, uid: str, held: _Held, new: _Held) -> None:
        """Make room for a new one, which takes over what part of the budget was not used."""
        self._drop(uid, held)
        new.may_be_told = new.may_be_told or (held.may_be_told and not held.looked_at)

    def _spend(self, uid: str, held: _Held) -> None:
        """Let one be told if there is budget for it."""
        now = self._clock.monotonic()
        told = self._told.get(uid)
        if told is not None and now - told[0] < REPEAT_SECONDS:
            return
        if self._bucket(held.place, now).take(now) and self._of_all[held.place[1]].take(now):
            held.may_be_told = True
            self._changed(uid)

    def _bucket(self, place: Place, now: float) -> TokenBucket:
        found = self._of_one.get(place)
        if found is None:
            found = self._of_one[place] = TokenBucket(_OF_ONE_PER_SECOND, MOST_OF_ONE, now)
            if len(self._of_one) > _REMEMBERED:
                self._of_one.popitem(last=False)
        self._of_one.move_to_end(place)
        return found

    def _drop(self, uid: str, held: _Held) -> None:
        del self._held[uid]
        siblings = self._of[held.place]
        del siblings[uid]
        if not siblings:
            del self._of[held.place]

    def _remember(self, uid: str, count: int) -> None:
        self._told[uid] = (self._clock.monotonic(), count)
        self._told.move_to_end(uid)
        if len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)
