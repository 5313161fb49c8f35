"""The file that says what a node has: written at once by tests and demos, read by the fake library and device plugin.

One `key value` a line; `unsupported` where NVML shall say so; `yes` and `no`. A line `gpu UUID` begins a GPU, and in it
`instance UUID`, `process PID` and `event SEQUENCE` begin its parts. Indentation is for readers, `#` begins a line of
comment. `fail FUNCTION[:GPU] CODE` and `hang FUNCTION[:GPU] SECONDS` stand before the first GPU. The library reads the
same format in `nvml/state.c`.
"""

import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

from pydantic import ValidationError

from demo.fake_gpus.model import Device, Failure, GpuEvent, GpuProcess, Hang, NodeState, Part

VARIABLE = "FAKE_NVML_STATE"
DEFAULT_PATH = Path("/run/fake-nvml/state")
_UNSUPPORTED = "unsupported"

# Section → the list that it is an element of, the field that its first line gives, the sections it may stand in.
_SECTIONS = {
    "gpu": ("gpus", "uuid", ("",)),
    "instance": ("instances", "uuid", ("gpu",)),
    "process": ("processes", "pid", ("gpu", "instance")),
    "event": ("events", "sequence", ("gpu", "instance")),
}
_FAULTS = {"fail": ("failures", "code"), "hang": ("hangs", "seconds")}
_LISTS = {listed for listed, *_ in (*_SECTIONS.values(), *_FAULTS.values())}
# What a text says, before anything is known to be right.
_Fields: TypeAlias = "dict[str, str | list[_Fields] | None]"


class StateError(ValueError):
    """The file is missing or says what it may not say; the message names file, field, value and what is allowed."""


def read(path: Path) -> NodeState:
    """What the file says.

    Raises:
        StateError: it cannot be read, or is not in order.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        message = f"{path}: cannot be read: {problem}"
        raise StateError(message) from problem
    try:
        return parse(text)
    except StateError as problem:
        message = f"{path}: {problem}"
        raise StateError(message) from problem


def write(path: Path, state: NodeState) -> None:
    """Replace the file: a reader finds the old text or the new one, never a part of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(render(state))
            file.flush()
            os.fchmod(file.fileno(), 0o644)  # containers of other users read it
            # Readers tell a new file by inode, size and time; the kernel's own time goes in steps of milliseconds.
            os.utime(file.fileno(), ns=(now := time.time_ns(), now))
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def render(state: NodeState) -> str:
    """The text of the file."""
    lines = [*_scalars(state, "")]
    lines += [_fault("fail", failure, failure.code) for failure in state.failures]
    lines += [_fault("hang", hang, hang.seconds) for hang in state.hangs]
    for gpu in state.gpus:
        lines += ["", *_section("gpu", gpu, "")]
        for instance in gpu.instances:
            lines += _section("instance", instance, "  ")
    return "\n".join(lines) + "\n"


def changed(node: NodeState, gpu: int, fields: Sequence[str]) -> NodeState:
    """The node with other readings of a GPU, each written as `KEY=VALUE` in the words of the file.

    Raises:
        StateError: there is no such GPU or key, or it may not have the value.
    """
    if gpu >= len(node.gpus):
        message = f"GPU {gpu}: there are {len(node.gpus)}, counted from 0"
        raise StateError(message)
    changes: _Fields = {}
    for field in fields:
        key, equals, value = field.partition("=")
        if not equals:
            message = f"{field!r} is not KEY=VALUE"
            raise StateError(message)
        changes[key] = None if value == _UNSUPPORTED else value
    try:
        return node.with_gpu(gpu, **changes)
    except ValidationError as problem:
        raise StateError("; ".join(_told(problem, changes))) from problem


def _section(word: str, part: Device | GpuProcess | GpuEvent, indent: str) -> Iterator[str]:
    key = _SECTIONS[word][1]
    yield f"{indent}{word} {getattr(part, key)}"
    yield from _scalars(part, indent + "  ", without=key)
    if isinstance(part, Device):
        for process in part.processes:
            yield from _section("process", process, indent + "  ")
        for event in part.events:
            yield from _section("event", event, indent + "  ")


def _scalars(part: Part, indent: str, *, without: str = "") -> Iterator[str]:
    for key, value in part:
        if key == without or isinstance(value, tuple):
            continue
        yield f"{indent}{key} {_word(value)}"


def _word(value: object) -> str:
    match value:
        case None:
            return _UNSUPPORTED
        case bool():
            return "yes" if value else "no"
        case _:
            return str(value)


def _fault(word: str, fault: Failure | Hang, much: float) -> str:
    return f"{word} {fault.function}{f':{fault.gpu}' if fault.gpu else ''} {much}"


def parse(text: str) -> NodeState:
    """What a text says that `render` made, or a person.

    Raises:
        StateError: it is not in order; the message names line, or field, value and what is allowed.
    """
    top: _Fields = {}
    # The sections in which the present line stands, outermost first.
    open_sections: list[tuple[str, _Fields]] = [("", top)]
    for number, line in enumerate(text.split("\n"), start=1):
        words = line.strip()
        if not words or words.startswith("#"):
            continue
        try:
            _take(words, open_sections)
        except StateError as problem:
            message = f"line {number}: {problem}"
            raise StateError(message) from problem
    try:
        return NodeState.model_validate(top)
    except ValidationError as problem:
        raise StateError("; ".join(_told(problem, top))) from problem


def _take(words: str, open_sections: list[tuple[str, _Fields]]) -> None:
    key, _, value = words.partition(" ")
    value = value.strip()
    if not value:
        message = f"{key}: there is no value"
        raise StateError(message)
    if key in _SECTIONS:
        _begin(key, value, open_sections)
        return
    word, fields = open_sections[-1]
    if key in _FAULTS:
        if word:
            message = f"{key}: stands before the first 'gpu' line"
            raise StateError(message)
        _add(fields, _FAULTS[key][0], _parse_fault(key, value))
        return
    if key in _LISTS:
        message = f"{key}: there is no such key"
        raise StateError(message)
    if key in fields:
        message = f"{key}: is there twice"
        raise StateError(message)
    fields[key] = None if value == _UNSUPPORTED else value


def _begin(word: str, value: str, open_sections: list[tuple[str, _Fields]]) -> None:
    listed, key, allowed = _SECTIONS[word]
    while open_sections and open_sections[-1][0] not in allowed:
        open_sections.pop()
    if not open_sections:
        message = f"{word}: stands only within {' or '.join(allowed)}"
        raise StateError(message)
    section: _Fields = {key: value}
    _add(open_sections[-1][1], listed, section)
    open_sections.append((word, section))


def _add(fields: _Fields, listed: str, part: _Fields) -> None:
    parts = fields.setdefault(listed, [])
    assert isinstance(parts, list)
    parts.append(part)


def _parse_fault(key: str, value: str) -> _Fields:
    words = value.split()
    if len(words) != 2:
        message = f"{key}: {value!r} is not 'FUNCTION[:GPU] {_FAULTS[key][1].upper()}'"
        raise StateError(message)
    function, colon, gpu = words[0].partition(":")
    return {"function": function, _FAULTS[key][1]: words[1], **({"gpu": gpu} if colon else {})}


def _told(problem: ValidationError, top: _Fields) -> Iterator[str]:
    """What pydantic found, in the words of the file."""
    for error in problem.errors():
        where = _where(top, error["loc"])
        match error["type"]:
            case "extra_forbidden":
                yield f"{where}: there is no such key"
            case "missing":
                yield f"{where}: is missing"
            case _:
                found = "" if error["input"] is top else f"{_word(error['input'])!r}: "
                why = str(error.get("ctx", {}).get("error", error["msg"]))
                yield f"{where}: {found}{why}" if where else why


def _where(top: _Fields, location: Sequence[int | str]) -> str:
    """A path into the document; an element of a list is called by the line that begins it."""
    beginnings = {listed: (word, key) for word, (listed, key, _) in _SECTIONS.items()}
    fields, words, listed = top, list[str](), ""
    for step in location:
        if isinstance(step, str):
            listed = step
            if not isinstance(fields.get(step), list):
                words.append(step)
        elif isinstance(parts := fields.get(listed), list):
            fields = parts[step]
            word, key = beginnings.get(listed, (listed, ""))
            words.append(f"{word} {fields.get(key, step)}")
    return ": ".join(words)
