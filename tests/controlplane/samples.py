"""Keeps samples in memory, and computes from them what the Metrics API asks for."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock

from aliquot.controlplane.metrics.store import NotAnsweredError, Samples, Series, Subject, Window

Labels = tuple[tuple[str, str], ...]


@dataclass
class MemoryStore:
    """Points as they were measured; at a moment counts the last one of the step before it.

    Attributes:
        broken: names of metrics of which it says nothing.
    """

    broken: set[str] = field(default_factory=set[str])
    _points: dict[Series, dict[Labels, list[tuple[int, float]]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    _lock: Lock = field(default_factory=Lock)

    def measure(self, subject: Subject, metric: str, points: Mapping[int, float], **labels: str) -> None:
        """Take points, by milliseconds."""
        with self._lock:
            self._points[Series(subject, metric)][tuple(sorted(labels.items()))].extend(points.items())

    def samples(self, series: Series, window: Window) -> Sequence[Samples]:
        """See `MetricStore`."""
        if series.metric in self.broken:
            raise NotAnsweredError(f"{series.metric} is out of order")
        with self._lock:
            parts = {labels: sorted(points) for labels, points in self._points.get(series, {}).items()}
        return [Samples(_at(points, window), dict(labels)) for labels, points in sorted(parts.items())]


def _at(points: Sequence[tuple[int, float]], window: Window) -> list[tuple[int, float]]:
    found: list[tuple[int, float]] = []
    for moment in window.moments:
        recent = [value for at, value in points if moment - window.step_ms < at <= moment]
        if recent:
            found.append((moment, recent[-1]))
    return found


class AnyStore:
    """Has one value for everything: for tests of who may ask."""

    def samples(self, series: Series, window: Window) -> Sequence[Samples]:
        """See `MetricStore`."""
        assert series.subject.cluster_id
        return [Samples([(window.end_ms, 1.0)])]
