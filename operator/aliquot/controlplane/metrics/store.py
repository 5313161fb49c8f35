"""What keeps samples over time, as the door asks for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from aliquot.contracts.administrator_api.metrics import Level


@dataclass(frozen=True, slots=True)
class Subject:
    """Of what samples are.

    Attributes:
        level: what it is.
        cluster_id: its cluster.
        name: its name there; of a cluster empty.
        uid: its uid there; empty: it has none, or the cluster has not told of it.
        namespace: where it is; empty: in none.
        node_pool: the node pool; empty: in whichever.
        department: name of the department that it is, or is in; empty: of whichever.
        project: the same of a project.
        pods: uids of a workload's pods, also of those that are gone, the latest first.
    """

    level: Level
    cluster_id: str
    name: str = ""
    uid: str = ""
    namespace: str = ""
    node_pool: str = ""
    department: str = ""
    project: str = ""
    pods: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Series:
    """What is asked for.

    Attributes:
        subject: of what.
        metric: name of a metric of its level (`aliquot.contracts.administrator_api.metrics.METRICS`), no alias.
    """

    subject: Subject
    metric: str


@dataclass(frozen=True, slots=True)
class Window:
    """At which moments, in milliseconds since 1970 UTC.

    Attributes:
        start_ms: the first one is a step after this.
        end_ms: the last one.
        count: how many there are, at equal distances.
    """

    start_ms: int
    end_ms: int
    count: int

    @property
    def step_ms(self) -> float:
        """Distance of two."""
        return (self.end_ms - self.start_ms) / self.count

    @property
    def moments(self) -> list[int]:
        """They, the earliest first."""
        return [self.end_ms - round(self.step_ms * left) for left in range(self.count - 1, -1, -1)]


@dataclass(frozen=True, slots=True)
class Samples:
    """Samples of a series, or of a part of it.

    Attributes:
        values: a value in the metric's unit for each moment, and when; what was not measured is left out.
        labels: what tells the part from others; of a series that has no parts there are none.
    """

    values: Sequence[tuple[int, float]]
    labels: Mapping[str, str] = field(default_factory=dict[str, str])


class NotAnsweredError(Exception):
    """The store does not say what it was asked for, or not in time; it may later."""


class MetricStore(Protocol):
    """What keeps samples."""

    def samples(self, series: Series, window: Window) -> Sequence[Samples]:
        """The samples of a series at the moments of a window; nothing: it has none. Called from several threads.

        Raises:
            NotAnsweredError: it cannot say.
        """
        ...
