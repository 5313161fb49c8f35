"""YAML → plain values, event by event: so it can be bounded, keys that stand twice are seen, and places can be told."""

from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol, cast

import yaml
from yaml.constructor import ConstructorError, SafeConstructor
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from yaml.nodes import ScalarNode
from yaml.resolver import Resolver

from aliquot.core.simulation.bounds import MOST_DIGITS, MOST_LEVELS, MOST_VALUES, refuse, too_deep, too_much

_Loader: Final = cast("type[yaml.SafeLoader]", getattr(yaml, "CSafeLoader", yaml.SafeLoader))
_TAG: Final = "tag:yaml.org,2002:"
_SCALARS: Final = ("null", "bool", "int", "float", "str")


class _Scalars(SafeConstructor, Resolver):
    """What a scalar means. Times stay texts."""

    yaml_implicit_resolvers = {  # noqa: RUF012  PyYAML's way of saying it
        first: [pair for pair in pairs if pair[0] != f"{_TAG}timestamp"]
        for first, pairs in Resolver.yaml_implicit_resolvers.items()
    }

    def __init__(self) -> None:
        SafeConstructor.__init__(self)
        Resolver.__init__(self)
        self._plain: dict[str, object] = {}

    def value(self, event: ScalarEvent) -> object:
        if not event.implicit[0] and event.implicit[1] and event.tag is None:
            return event.value
        if event.tag is None and event.value in self._plain:
            return self._plain[event.value]
        resolve = cast("Callable[[type[ScalarNode], str, tuple[bool, bool]], str]", self.resolve)  # pyright: ignore[reportUnknownMemberType]  untyped in the stubs
        tag = event.tag or resolve(ScalarNode, event.value, (True, False))
        if tag in (f"{_TAG}merge", f"{_TAG}value"):
            tag = f"{_TAG}str"
        if tag not in [_TAG + kind for kind in _SCALARS]:
            refuse(_where(event), event.tag, "values are texts, numbers, true, false or null; other tags are not taken")
        made = self._made(event, tag)
        if event.tag is None:
            self._plain[event.value] = made
        return made

    def _made(self, event: ScalarEvent, tag: str) -> object:
        if len(event.value) > MOST_DIGITS and tag in (f"{_TAG}int", f"{_TAG}float"):
            refuse(_where(event), event.value[:40] + "…", "a number of at most 60 digits")
        construct = cast("Callable[[ScalarNode], object]", getattr(self, f"construct_yaml_{tag.removeprefix(_TAG)}"))
        try:
            return construct(ScalarNode(tag, event.value))
        except (ValueError, KeyError, IndexError, OverflowError, ConstructorError):
            refuse(_where(event), event.value, f"it is no {tag.removeprefix(_TAG)}")


def _where(event: Event) -> str:
    return _position(event.start_mark)


class _Mark(Protocol):
    """A place in the text."""

    line: int
    column: int


def _position(mark: _Mark | None) -> str:
    return "document" if mark is None else f"line {mark.line + 1}, column {mark.column + 1}"


def read_yaml(text: str) -> object:
    """The values of a text.

    Raises:
        SimulationError: it is no YAML, or more than is allowed; the path is the line and column.
    """
    try:
        return _Builder().build(yaml.parse(text, Loader=_Loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = "" if mark is None else next(iter(text.splitlines()[mark.line : mark.line + 1]), "").strip()
        refuse(_position(mark), line[:60], f"it is no YAML: {error.problem or error.context}")
    except yaml.YAMLError as error:
        refuse("document", "a character", f"it is no YAML: {' '.join(str(error).split())[:200]}")


class _Open:
    """A mapping or list that is being read."""

    def __init__(self, anchor: str | None, made: dict[str, object] | list[object]) -> None:
        self.anchor = anchor
        self.made = made
        self.size = 1
        self.key: str | None = None
        self.merge = False
        self.merged: list[dict[str, object]] = []


class _Builder:
    def __init__(self) -> None:
        self._scalars = _Scalars()
        self._anchors: dict[str, tuple[object, int]] = {}
        self._stack: list[_Open] = []
        self._root: object = None
        self._total = 0
        self._documents = 0

    def build(self, events: Iterator[Event]) -> object:
        for event in events:
            match event:
                case ScalarEvent():
                    self._scalar(event)
                case MappingStartEvent() | SequenceStartEvent():
                    self._begin(event)
                case MappingEndEvent() | SequenceEndEvent():
                    self._end(event)
                case AliasEvent():
                    made, size = self._anchors.get(event.anchor or "", (None, 0))
                    if not size:
                        refuse(_where(event), f"*{event.anchor}", "an alias stands for a value that came before it")
                    self._put(event, made, size)
                case DocumentStartEvent():
                    self._documents += 1
                    if self._documents > 1:
                        refuse(_where(event), "---", "a cluster document is one document")
                case _:
                    pass
        return self._root

    def _scalar(self, event: ScalarEvent) -> None:
        top = self._stack[-1] if self._stack else None
        if top is not None and isinstance(top.made, dict) and top.key is None and not top.merge:
            plain = bool(event.implicit[0])
            if plain and event.value == "<<":
                top.merge = True
                return
        made = self._scalars.value(event)
        if event.anchor:
            self._anchors[event.anchor] = (made, 1)
        self._put(event, made, 1)

    def _begin(self, event: MappingStartEvent | SequenceStartEvent) -> None:
        kind = "map" if isinstance(event, MappingStartEvent) else "seq"
        if event.tag not in (None, "!", _TAG + kind):
            refuse(_where(event), event.tag, "values are texts, numbers, true, false or null; other tags are not taken")
        if len(self._stack) >= MOST_LEVELS:
            too_deep(_where(event))
        self._stack.append(_Open(event.anchor, {} if kind == "map" else []))

    def _end(self, event: Event) -> None:
        done = self._stack.pop()
        if isinstance(done.made, dict):
            for base in done.merged:
                for key, value in base.items():
                    done.made.setdefault(key, value)
        if done.anchor:
            self._anchors[done.anchor] = (done.made, done.size)
        self._put(event, done.made, done.size, counted=True)

    def _put(self, event: Event, made: object, size: int, *, counted: bool = False) -> None:
        if not counted:
            self._total += size
            if self._total > MOST_VALUES:
                too_much(_where(event))
        if not self._stack:
            self._root = made
            return
        top = self._stack[-1]
        top.size += size
        if isinstance(top.made, list):
            top.made.append(made)
        elif top.merge:
            self._merge(event, top, made)
        elif top.key is None:
            self._key(event, top, made)
        else:
            top.made[top.key] = made
            top.key = None

    def _merge(self, event: Event, top: _Open, made: object) -> None:
        for base in cast("list[object]", made) if isinstance(made, list) else [made]:
            if not isinstance(base, dict):
                refuse(_where(event), "<<", "it takes mappings over: an alias of a mapping, or a list of such")
            top.merged.append(cast("dict[str, object]", base))
        top.merge = False

    def _key(self, event: Event, top: _Open, made: object) -> None:
        if not isinstance(made, str):
            shown = made if made is None or isinstance(made, (bool, int, float)) else "a list or mapping"
            refuse(_where(event), shown, "keys are texts; put it into quotes")
        if made in cast("dict[str, Any]", top.made):
            refuse(_where(event), made, "a key may stand only once in a mapping")
        top.key = made
