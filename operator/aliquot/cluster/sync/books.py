"""What a session has told of a cluster's objects, and what it is to tell next. No I/O.

Of each object a digest of what was told last is kept, and of what changed only that it did: so what is kept grows with
the cluster, and not with the time for which nobody can be told.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final

from aliquot.contracts.cluster_sync import KINDS, MOST_BYTES, MOST_OBJECTS, Kind

_MOST_LOOKS: Final = 100
"""So many objects are looked at before others get a turn."""
_DIGEST_BYTES: Final = 16
_NEVER_GONE: Final = frozenset[Kind](("event", "order"))
"""Kinds of which nobody says that an object is gone: Events outlive themselves on the other side, and what became of an
order is forgotten here when it is known there."""

Look = Callable[[Kind, str], bytes | None]
"""Gives an object as it is reported, as JSON; None: there is none, or it is not to be told of."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A part of what is to be told.

    Attributes:
        objects: those that are there, as JSON.
        gone: kind and name of those that are not any more.
        complete: kinds of which everything has been told with it, for the first time.
        names: kind and name of `objects`.
    """

    objects: tuple[bytes, ...] = ()
    gone: tuple[tuple[Kind, str], ...] = ()
    complete: tuple[Kind, ...] = ()
    names: tuple[tuple[Kind, str], ...] = field(default=(), compare=False)

    @property
    def says_nothing(self) -> bool:
        """Whether there is nothing to be told."""
        return not (self.objects or self.gone or self.complete)


class Books:
    """See the module."""

    def __init__(self) -> None:
        self._told: dict[Kind, dict[str, bytes]] = {kind: {} for kind in KINDS}
        self._changed: dict[Kind, dict[str, None]] = {kind: {} for kind in KINDS}
        self._complete: set[Kind] = set()
        self._draft = _Draft()

    def begin(self, there: Mapping[Kind, Iterable[str]]) -> None:
        """Begin a session, which has told nothing yet, with the names of all objects."""
        for kind in KINDS:
            self._told[kind].clear()
            self._changed[kind] = dict.fromkeys(there[kind])
        self._complete.clear()
        self._draft = _Draft()

    def changed(self, kind: Kind, name: str) -> None:
        """Note that an object came, went or may have changed."""
        self._changed[kind][name] = None

    @property
    def has_more(self) -> bool:
        """Whether there may be something to be told."""
        return len(self._complete) < len(KINDS) or any(self._changed.values()) or bool(self._draft.names)

    def next(self, look: Look) -> Batch:
        """What is to be told next, of a size that a report may have; it counts as told from then on.

        It may say nothing although there is more: others are to have a turn meanwhile.
        """
        draft = self._draft
        draft.looks = 0
        for kind in KINDS:
            if not self._fill(draft, kind, look):
                if not draft.is_full:
                    return Batch()  # it is gone on with in the next turn
                break
            if kind not in self._complete:
                self._complete.add(kind)
                draft.complete.append(kind)
        self._draft = _Draft()
        return Batch(tuple(draft.objects), tuple(draft.gone), tuple(draft.complete), tuple(draft.told))

    def _fill(self, draft: "_Draft", kind: Kind, look: Look) -> bool:
        """Add what is new of a kind; whether that was all of it."""
        told, changed = self._told[kind], self._changed[kind]
        while changed:
            name = next(iter(changed))
            if not draft.may_look_at(kind, name):
                return False
            now = look(kind, name)
            draft.looks += 1
            if now is None:
                if told.pop(name, None) is not None and kind not in _NEVER_GONE:
                    draft.remove(kind, name)
            elif told.get(name) != (digest := blake2b(now, digest_size=_DIGEST_BYTES).digest()):
                if not draft.has_room_for(now):
                    return False
                draft.add(kind, name, now)
                told[name] = digest
            del changed[name]
        return True


class _Draft:
    """A batch in the making, of which each object is a part once: who reads it removes first, and then adds."""

    def __init__(self) -> None:
        self.objects: list[bytes] = []
        self.told: list[tuple[Kind, str]] = []
        self.gone: list[tuple[Kind, str]] = []
        self.complete: list[Kind] = []
        self.names: set[tuple[Kind, str]] = set()
        self.looks = 0
        self.is_full = False
        self._bytes = 0

    def may_look_at(self, kind: Kind, name: str) -> bool:
        """Whether one more may be looked at in this turn."""
        self.is_full = len(self.names) >= MOST_OBJECTS or (kind, name) in self.names
        return not self.is_full and self.looks < _MOST_LOOKS

    def has_room_for(self, encoded: bytes) -> bool:
        """Whether one more fits; the first one always does."""
        self.is_full = bool(self.objects) and self._bytes + len(encoded) > MOST_BYTES
        return not self.is_full

    def add(self, kind: Kind, name: str, encoded: bytes) -> None:
        self.names.add((kind, name))
        self.told.append((kind, name))
        self.objects.append(encoded)
        self._bytes += len(encoded)

    def remove(self, kind: Kind, name: str) -> None:
        self.names.add((kind, name))
        self.gone.append((kind, name))
