"""From a request for time series to the store, and back."""

from collections.abc import Sequence
from typing import Any, Final

from fastapi import Request, Response

from aliquot.contracts.administrator_api.metrics import Instant, MetricsResponse
from aliquot.contracts.administrator_api.metrics import Window as AskedWindow
from aliquot.contracts.administrator_api.problems import Problem
from aliquot.contracts.administrator_api.shapes import to_milliseconds, written_time
from aliquot.controlplane.forms import AS_CSV, as_csv, wants_csv
from aliquot.controlplane.metrics.answers import NAMES, answered, lines
from aliquot.controlplane.metrics.store import MetricStore, Subject, Window
from aliquot.controlplane.refusals import BadRequest, NotKept
from aliquot.controlplane.services import services_of

ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {**AS_CSV, "model": MetricsResponse},
    207: {**AS_CSV, "model": MetricsResponse, "description": "Some of what was asked for has no values."},
    503: {"model": Problem, "description": "No time series are kept, or what keeps them does not answer."},
}
"""For the OpenAPI document."""
_NOT_KEPT: Final = "This control plane keeps no time series yet."
_INSTEAD: Final = (
    "Ask the Prometheus of the cluster: the agent of each node tells it what GPUs do, and for whom, and the operator "
    "what projects have (docs/metrics.md). What there is now is told by GET /api/v1/nodes/telemetry and "
    "GET /api/v1/workloads/telemetry."
)


def store_of(request: Request) -> MetricStore:
    """What keeps samples.

    Raises:
        NotKept: nothing does.
    """
    store = services_of(request).metrics
    if store is None:
        raise NotKept(_NOT_KEPT, _INSTEAD)
    return store


def window_of(start: Instant, end: Instant, count: int) -> Window:
    """A window of time as it was asked for.

    Raises:
        BadRequest: it ends before it begins.
    """
    start_ms, end_ms = to_milliseconds(start), to_milliseconds(end)
    if end_ms <= start_ms:
        raise BadRequest(
            f"Bad request - end: {written_time(end)!r} is not allowed: later than start, which is {written_time(start)}"
        )
    return Window(start_ms, end_ms, count)


def answer(request: Request, subject: Subject, asked: Sequence[str], query: AskedWindow) -> Response:
    """Answer with series of something that the caller may see.

    Raises:
        BadRequest: the window of time ends before it begins.
        NotKept: nothing keeps samples.
        NotNow: what does, does not answer.
    """
    window = window_of(query.start, query.end, query.number_of_samples)
    store = store_of(request)
    found = answered(subject, asked, lambda series: store.samples(series, window))
    if wants_csv(request):
        return as_csv(NAMES, lines(found.body), found.status)
    return Response(found.body.model_dump_json(by_alias=True), found.status, media_type="application/json")
