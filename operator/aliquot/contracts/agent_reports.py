"""What a node's agent tells in annotations, as values and as text: GPUs that cannot be used, memory beyond a part.

    aliquot.dev/gpu-health          {"GPU-8d8c…": {"reason": "lost", "since": "2026-01-31T12:00:00Z"}}
    aliquot.dev/gpu-memory-overuse  {"GPU-8d8c…": {"usedMib": 9000, "limitMib": 8192, "since": "2026-01-31T12:00:00Z"}}

Keys are what the device plugin calls a GPU; times are Unix seconds here and RFC 3339 there. Others may write
annotations, too: of a text that is not in order nothing at all is believed. Members that are not known are skipped.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, Literal, TypeVar

import msgspec

from aliquot.clock import timestamp

TroubleReason = Literal["lost", "reset_required", "failed"]
"""Fallen off the bus; usable after a reset only; it reported an error that is not a program's fault."""

IDLE_RENEWAL_SECONDS: Final = 300
"""After so long an agent says again that it still sees a pod's GPUs idle; for twice as long it is believed."""
LONGEST_TEXT: Final = 64 << 10
"""Characters of one such annotation; all of an object's together may have four times as many bytes."""
MOST_DEVICES: Final = 256
"""On one node, MIG devices counted."""
MOST_MIB: Final = 1 << 30
"""Of one device: a pebibyte."""

_END_OF_TIME: Final = 253_402_300_799
"""The last second of the year 9999."""
_DEVICE: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z._:/-]{0,126}", re.ASCII)
_TIME: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})$"
_Since = Annotated[str, msgspec.Meta(pattern=_TIME, max_length=40)]
_Mib = Annotated[int, msgspec.Meta(ge=0, le=MOST_MIB)]


@dataclass(frozen=True, slots=True)
class DeviceTrouble:
    """Why a GPU cannot be used, and since when, in Unix seconds."""

    reason: TroubleReason
    since: float


@dataclass(frozen=True, slots=True)
class Overuse:
    """Memory that a pod uses of a GPU, beside what it may use, in MiB; since when it is too much, in Unix seconds.

    `burst_mib` is what it may use while nobody else needs it, where others do; 0: it may not go beyond `limit_mib`.
    """

    used_mib: int
    limit_mib: int
    since: float
    burst_mib: int = 0


class _Trouble(msgspec.Struct, frozen=True):
    reason: TroubleReason
    since: _Since


class _Use(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    used_mib: _Mib
    limit_mib: _Mib
    since: _Since
    burst_mib: _Mib = 0


T = TypeVar("T")
_troubles: Final = msgspec.json.Decoder(dict[str, _Trouble])
_uses: Final = msgspec.json.Decoder(dict[str, _Use])


def health_text(troubles: Mapping[str, DeviceTrouble]) -> str | None:
    """The annotation of a node; None: all its GPUs are well, so it has none. The same values give the same text."""
    return _text({device: _Trouble(each.reason, _written(each.since)) for device, each in troubles.items()})


def read_health(text: str | None) -> dict[str, DeviceTrouble]:
    """Which GPUs cannot be used, by name and in that order; empty: all can, or the text is not in order."""
    try:
        return {
            device: DeviceTrouble(each.reason, _seconds(each.since)) for device, each in _read(text, _troubles).items()
        }
    except ValueError:
        return {}


def overuse_text(uses: Mapping[str, Overuse]) -> str | None:
    """The annotation of a pod; None: it keeps within what it was given, so it has none. As `health_text` otherwise."""
    return _text(
        {
            device: _Use(each.used_mib, each.limit_mib, _written(each.since), each.burst_mib)
            for device, each in uses.items()
        }
    )


def read_overuse(text: str | None) -> dict[str, Overuse]:
    """On which GPUs a pod uses too much, by name and in that order; empty: on none, or the text is not in order."""
    try:
        return {
            device: Overuse(each.used_mib, each.limit_mib, _seconds(each.since), each.burst_mib)
            for device, each in _read(text, _uses).items()
        }
    except ValueError:
        return {}


def _text(members: Mapping[str, msgspec.Struct]) -> str | None:
    """Only what `_read` takes is written: a device with an impossible name, or one too many, is left out."""
    told = [device for device in sorted(members) if _DEVICE.fullmatch(device)][:MOST_DEVICES]
    return msgspec.json.encode({device: members[device] for device in told}).decode() if told else None


def _read(text: str | None, decoder: "msgspec.json.Decoder[dict[str, T]]") -> dict[str, T]:
    """The members of a text.

    Raises:
        ValueError: it is not in order.
    """
    if not text or len(text) > LONGEST_TEXT:
        return {}
    try:
        found = decoder.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise ValueError(str(error)) from error
    if len(found) > MOST_DEVICES or not all(_DEVICE.fullmatch(device) for device in found):
        raise ValueError("names of devices")
    return {device: found[device] for device in sorted(found)}


def _written(seconds: float) -> str:
    return timestamp(min(max(seconds, 0), _END_OF_TIME))


def _seconds(written: str) -> float:
    """Read a time.

    Raises:
        ValueError: no calendar has it.
    """
    seconds = datetime.fromisoformat(written).timestamp()
    if not 0 <= seconds <= _END_OF_TIME:
        raise ValueError(f"{written}: allowed are the years from 1970 to 9999")
    return seconds
