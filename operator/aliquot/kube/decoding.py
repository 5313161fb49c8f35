"""From the API's bytes to projections, so that one object of the wrong shape does not spoil the others.

A projection is a msgspec struct with the few fields that its reader needs (`aliquot.contracts.kubernetes`). Custom
resources may hold what no projection expects: such an object comes out as `Undecodable`, with its identity.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar, cast

import msgspec

from aliquot.kube.problems import Status


class Identity(msgspec.Struct, frozen=True, rename="camel"):
    """Which object, and which version of it."""

    namespace: str = ""
    name: str = ""
    uid: str = ""
    resource_version: str = ""


class HasIdentity(Protocol):
    """Which object, and which version of it."""

    @property
    def namespace(self) -> str:
        """Empty for cluster-wide kinds."""
        ...

    @property
    def name(self) -> str:
        """Unique in the namespace, at any one time."""
        ...

    @property
    def uid(self) -> str:
        """Unique for ever."""
        ...

    @property
    def resource_version(self) -> str:
        """Changes with every write."""
        ...


class HasMetadata(Protocol):
    """What every projection has."""

    @property
    def metadata(self) -> HasIdentity:
        """Namespace, name, uid and resource version."""
        ...


T = TypeVar("T", bound=HasMetadata)


@dataclass(frozen=True, slots=True)
class Undecodable:
    """An object that does not fit its projection, and why."""

    identity: Identity
    error: str


class MetadataOnly(msgspec.Struct, frozen=True):
    """A projection of any object."""

    metadata: Identity = Identity()


class _PageMetadata(msgspec.Struct, rename={"continue_token": "continue", "resource_version": "resourceVersion"}):
    resource_version: str = ""
    continue_token: str = ""


class _Items(msgspec.Struct, Generic[T]):
    metadata: _PageMetadata
    items: list[T] | None


class _RawItems(msgspec.Struct):
    metadata: _PageMetadata
    items: list[msgspec.Raw] | None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a list, or a whole one.

    Attributes:
        items: objects that fit the projection.
        undecodable: the others.
        resource_version: of the list as a whole.
        continue_token: how to ask for the next part; empty on the last one.
    """

    items: list[T]
    undecodable: list[Undecodable]
    resource_version: str
    continue_token: str


class PageDecoder(Generic[T]):
    """Reads the answers to list requests."""

    def __init__(self, projection: type[T]) -> None:
        self._object = msgspec.json.Decoder(projection)
        generic: Any = _Items
        self._page = cast("msgspec.json.Decoder[_Items[T]]", msgspec.json.Decoder(generic[projection]))

    def decode(self, body: bytes) -> Page[T]:
        """Read a page.

        Raises:
            msgspec.DecodeError: this is no list at all.
        """
        try:
            page = self._page.decode(body)
            return Page(page.items or [], [], page.metadata.resource_version, page.metadata.continue_token)
        except msgspec.ValidationError:
            pass
        raw = msgspec.json.decode(body, type=_RawItems)
        items: list[T] = []
        undecodable: list[Undecodable] = []
        for one in raw.items or []:
            try:
                items.append(self._object.decode(one))
            except msgspec.ValidationError as error:
                undecodable.append(Undecodable(msgspec.json.decode(one, type=MetadataOnly).metadata, str(error)))
        return Page(items, undecodable, raw.metadata.resource_version, raw.metadata.continue_token)


class EventType(StrEnum):
    """Types of watch events."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"
    BOOKMARK = "BOOKMARK"
    ERROR = "ERROR"


class _Event(msgspec.Struct, Generic[T]):
    type: EventType
    object: T


class _BareEvent(msgspec.Struct):
    type: EventType
    object: MetadataOnly


class _ErrorEvent(msgspec.Struct):
    object: Status


class _EventKind(msgspec.Struct):
    type: str


@dataclass(frozen=True, slots=True)
class WatchEvent(Generic[T]):
    """One line of a watch.

    Attributes:
        type: what happened.
        object: the object, where it fits the projection; None for bookmarks and errors.
        identity: its identity; of a bookmark only the resource version.
        error: why `object` is None although it should be there.
        status: of an ERROR.
    """

    type: EventType
    object: T | None
    identity: HasIdentity
    error: str = ""
    status: Status | None = None

    def undecodable(self) -> Undecodable:
        """The event as a report of an object that does not fit."""
        of = self.identity
        return Undecodable(Identity(of.namespace, of.name, of.uid, of.resource_version), self.error)


class EventDecoder(Generic[T]):
    """Reads the lines of a watch."""

    def __init__(self, projection: type[T]) -> None:
        generic: Any = _Event
        self._event = cast("msgspec.json.Decoder[_Event[T]]", msgspec.json.Decoder(generic[projection]))

    def decode(self, line: bytes) -> WatchEvent[T]:
        """Read a line.

        Raises:
            msgspec.DecodeError: this is no watch event at all.
        """
        reason = ""
        try:
            event = self._event.decode(line)
            if event.type in (EventType.ADDED, EventType.MODIFIED, EventType.DELETED):
                return WatchEvent(event.type, event.object, event.object.metadata)
        except msgspec.ValidationError as error:
            reason = str(error)
        # Bookmarks carry no more than a resource version, and errors are no objects of this kind.
        if msgspec.json.decode(line, type=_EventKind).type == EventType.ERROR:
            status = msgspec.json.decode(line, type=_ErrorEvent).object
            return WatchEvent(EventType.ERROR, None, Identity(), status=status)
        bare = msgspec.json.decode(line, type=_BareEvent)
        error = "" if bare.type is EventType.BOOKMARK else reason
        return WatchEvent(bare.type, None, bare.object.metadata, error=error)
