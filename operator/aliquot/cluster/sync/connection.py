"""Whether the control plane can be spoken to: told once per change, in the log, by metrics and in a condition."""

from collections.abc import Callable, Iterator
from typing import Final, Literal

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from aliquot import log
from aliquot.clock import Clock
from aliquot.contracts.kinds.conditions import Condition
from aliquot.core.conditions import condition
from aliquot.rest.client import AddressError
from aliquot.rest.problems import ControlPlaneProblem

_log = log.get(__name__)
CONNECTED: Final = "ControlPlaneConnected"
Way = Literal["pull", "push"]


class SyncMetrics(Collector):
    """Counts requests to the control plane, and shows whether it answers; of the latter nothing while nobody syncs.

    Args:
        registry: what `/metrics` shows.

    Attributes:
        source: whose connection it is.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.source: Connection | None = None
        self._requests = Counter(
            "aliquot_control_plane_requests",
            "Requests to the control plane, by what was asked and the outcome: a status, or what went wrong.",
            ("request", "outcome"),
            registry=registry,
        )
        registry.register(self)

    def answered(self, request: str, outcome: str, _seconds: float) -> None:
        """A request has ended."""
        self._requests.labels(request, outcome).inc()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """See the class."""
        if self.source is not None:
            connected = self.source.trouble is None
            yield GaugeMetricFamily(
                "aliquot_control_plane_connected", "1 while the control plane answers as it should.", value=connected
            )
            yield GaugeMetricFamily(
                "aliquot_control_plane_silence_seconds",
                "Since the control plane last answered as it should, or since this process began to ask.",
                value=self.source.silence_seconds,
            )


class Connection:
    """Follows how requests to the control plane end.

    Args:
        url: of the control plane.
        clock: for how long it has been silent.
        changed: called when the trouble is another one than before, or over.
    """

    def __init__(self, url: str, clock: Clock, changed: Callable[[], None]) -> None:
        self._url = url
        self._clock = clock
        self._tell = changed
        self._since = clock.monotonic()
        self._troubles: dict[Way, tuple[str, str]] = {"pull": ("Connecting", "it has not answered yet")}

    @property
    def trouble(self) -> str | None:
        """What stands in the way; None: nothing."""
        return next((message for _, message in self._troubles.values()), None)

    @property
    def silence_seconds(self) -> float:
        """How long ago it answered as it should."""
        return self._clock.monotonic() - self._since

    @property
    def condition(self) -> Condition:
        """The same, for statuses."""
        for reason, message in self._troubles.values():
            return condition(CONNECTED, holds=False, reason=reason, message=f"{self._url}: {message}")
        return condition(CONNECTED, holds=True, reason="Connected", message=f"{self._url} answers")

    def went_well(self, way: Way) -> None:
        """Learn of an answer."""
        self._since = self._clock.monotonic()
        if self._troubles.pop(way, None) is not None and not self._troubles:
            _log.info("the control plane answers", url=self._url)
            self._tell()

    def failed(self, way: Way, problem: ControlPlaneProblem | AddressError) -> None:
        """Learn of a problem."""
        now = (type(problem).__name__, str(problem))
        before = self._troubles.get(way)
        self._troubles[way] = now
        if before is None or before[0] != now[0]:
            _log.warning("the control plane cannot be spoken to", url=self._url, way=way, problem=str(problem))
            self._tell()
