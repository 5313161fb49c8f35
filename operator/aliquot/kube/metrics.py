"""What the speaking to API servers costs, as Prometheus metrics on a registry that the caller gives."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from aliquot.kube.problems import Request


class RequestMetrics:
    """Requests by verb, resource, subresource and code, their duration in seconds, retries, and how many are in flight.

    One per registry; clients of several purposes may share it.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        which = ("verb", "resource", "subresource")
        self._requests = Counter(
            "aliquot_api_requests",
            "Requests to the API server, each attempt counted; code 0 is no answer.",
            (*which, "code"),
            registry=registry,
        )
        self._seconds = Histogram(
            "aliquot_api_request_duration_seconds",
            "From sending a request to having read its answer; watches are not in it.",
            which,
            buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
            registry=registry,
        )
        self._retries = Counter(
            "aliquot_api_request_retries", "Attempts after the first one of a request.", which, registry=registry
        )
        self.in_flight = Gauge(
            "aliquot_api_requests_in_flight",
            "Requests that wait for an answer; watches are not in it.",
            registry=registry,
        )
        # Finding a child by its labels costs more than counting; the number of combinations is small.
        self._known_requests: dict[tuple[str, str, str, int], Counter] = {}
        self._known_seconds: dict[tuple[str, str, str], Histogram] = {}

    def answered(self, request: Request, code: int, seconds: float | None) -> None:
        """An attempt has ended; `seconds` is None for watches."""
        key = (request.verb, request.resource, request.subresource)
        counter = self._known_requests.get((*key, code))
        if counter is None:
            counter = self._known_requests[*key, code] = self._requests.labels(*key, str(code))
        counter.inc()
        if seconds is None:
            return
        histogram = self._known_seconds.get(key)
        if histogram is None:
            histogram = self._known_seconds[key] = self._seconds.labels(*key)
        histogram.observe(seconds)

    def retried(self, request: Request) -> None:
        """A request is about to be sent again."""
        self._retries.labels(request.verb, request.resource, request.subresource).inc()


class WatchMetrics:
    """What informers receive, and why they start anew."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.events = Counter(
            "aliquot_watch_events",
            "Watch events received, bookmarks included.",
            ("resource", "type"),
            registry=registry,
        )
        self.restarts = Counter(
            "aliquot_watch_restarts",
            "Times a watch was opened anew or a list repeated, by reason.",
            ("resource", "reason"),
            registry=registry,
        )
        self.undecodable = Counter(
            "aliquot_watch_undecodable",
            "Objects that did not have the expected shape.",
            ("resource",),
            registry=registry,
        )
        self.objects = Gauge("aliquot_cached_objects", "Objects in a cache.", ("resource",), registry=registry)


class QueueMetrics:
    """How much work waits, how long, and how it ends; by queue and lane."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.depth = Gauge("aliquot_queue_depth", "Keys that wait for a worker.", ("queue", "lane"), registry=registry)
        self.wait_seconds = Histogram(
            "aliquot_queue_wait_seconds",
            "From adding a key to starting on it.",
            ("queue", "lane"),
            buckets=(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60),
            registry=registry,
        )
        self.work_seconds = Histogram(
            "aliquot_queue_work_seconds",
            "Time spent on a key.",
            ("queue",),
            buckets=(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60),
            registry=registry,
        )
        self.failures = Counter(
            "aliquot_queue_failures", "Times that work on a key failed and was put off.", ("queue",), registry=registry
        )


class EventMetrics:
    """Events of ours: written, waiting, and dropped with the reason."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.written = Counter(
            "aliquot_events_written",
            "Events written: new ones, and new counts of a series.",
            ("write",),
            registry=registry,
        )
        self.dropped = Counter(
            "aliquot_events_dropped",
            "Events that nobody will see: too many waiting, too many about one object, refused, not answered.",
            ("reason",),
            registry=registry,
        )
        self.waiting = Gauge("aliquot_events_waiting", "Events and counts still to be written.", registry=registry)
