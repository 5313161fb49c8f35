"""From samples to answers (control-plane-api.md 3.1). Pure.

each type has values                        200
some have, others have none                 207: the others are there with `values: null`
the store does not say anything             503
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aliquot.contracts.administrator_api.metrics import ALIASES, Measurement, MeasurementValue, MetricsResponse
from aliquot.contracts.administrator_api.shapes import from_milliseconds, written_number, written_time
from aliquot.controlplane.metrics.store import NotAnsweredError, Samples, Series, Subject
from aliquot.controlplane.refusals import NotNow

NAMES: Final = ("type", "labels", "timestamp", "value")
"""Columns of the form as CSV; labels are written `gpu=3`, with semicolons between."""
_RETRY_SECONDS: Final = 10


@dataclass(frozen=True, slots=True)
class Answered:
    """What is answered.

    Attributes:
        body: it.
        is_whole: whether each type has values.
    """

    body: MetricsResponse
    is_whole: bool

    @property
    def status(self) -> int:
        """The status."""
        return 200 if self.is_whole else 207


def answered(subject: Subject, asked: Sequence[str], samples: Callable[[Series], Sequence[Samples]]) -> Answered:
    """Ask for each type, and put together what is said.

    Args:
        subject: of what.
        asked: names of metrics as they were asked for.
        samples: asks the store.

    Raises:
        NotNow: the store says nothing at all.
    """
    found: list[Measurement] = []
    has_values: list[bool] = []
    failures = 0
    for name in asked:
        try:
            parts = [
                each for part in samples(Series(subject, ALIASES.get(name, name))) if (each := _finite(part)).values
            ]
        except NotAnsweredError:
            failures += 1
            parts = []
        has_values.append(bool(parts))
        found.extend(_measurement(name, part) for part in parts)
        if not parts:
            found.append(Measurement(type=name, labels=None, values=None))
    if failures == len(asked):
        raise not_answered()
    return Answered(MetricsResponse(measurements=found), all(has_values))


def not_answered() -> NotNow:
    """Refuse, as what keeps samples says nothing at all."""
    return NotNow("Please try again in few minutes.", _RETRY_SECONDS)


def lines(body: MetricsResponse) -> list[tuple[str, str, str | None, str | None]]:
    """The same as lines of CSV."""
    found: list[tuple[str, str, str | None, str | None]] = []
    for each in body.measurements:
        labels = _label_text(each.labels)
        if each.values is None:
            found.append((each.type, labels, None, None))
            continue
        found.extend((each.type, labels, _time(value), value.value) for value in each.values)
    return found


def _finite(part: Samples) -> Samples:
    """What of it are numbers: a quotient of nothing by nothing is none."""
    return Samples([each for each in part.values if math.isfinite(each[1])], part.labels)


def _measurement(name: str, part: Samples) -> Measurement:
    values = [
        MeasurementValue(value=written_number(value), timestamp=from_milliseconds(at)) for at, value in part.values
    ]
    return Measurement(type=name, labels=dict(part.labels) or None, values=values)


def _time(value: MeasurementValue) -> str | None:
    return None if value.timestamp is None else written_time(value.timestamp)


def _label_text(labels: Mapping[str, str] | None) -> str:
    return ";".join(f"{name}={value}" for name, value in (labels or {}).items())
