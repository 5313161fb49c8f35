"""How the process is doing: probes, and metrics of its requests."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aliquot.clock import Clock
from aliquot.controlplane.database import Unavailable
from aliquot.controlplane.services import services_of

router = APIRouter(include_in_schema=False)


class RequestMetrics:
    """Counts requests, by route: never by path, which has ids in it. A middleware.

    Args:
        app: carries requests out.
        registry: where the metrics are shown.
        clock: the time.
    """

    def __init__(self, app: ASGIApp, registry: CollectorRegistry, clock: Clock) -> None:
        self._app = app
        self._clock = clock
        self._seconds = Histogram(
            "aliquot_control_plane_request_seconds",
            "How long requests took.",
            ["method", "route"],
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
            registry=registry,
        )
        self._answers = Counter(
            "aliquot_control_plane_requests_total", "Requests that were answered.", ["method", "route", "status"],
            registry=registry,
        )  # fmt: skip

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Carry out a request, and count it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = self._clock.monotonic(), 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            method, route = scope["method"], getattr(scope.get("route"), "path", "none")
            self._seconds.labels(method, route).observe(self._clock.monotonic() - began)
            self._answers.labels(method, route, str(status)).inc()


@router.get("/healthz")
def healthz() -> PlainTextResponse:
    """Say that the process answers."""
    return PlainTextResponse("ok\n")


@router.get("/readyz")
def readyz(request: Request) -> PlainTextResponse:
    """Say whether the database answers."""
    try:
        services_of(request).database.answers()
    except Unavailable as error:
        return PlainTextResponse(f"{error}\n", 503)
    return PlainTextResponse("ok\n")


@router.get("/metrics")
def metrics(request: Request) -> Response:
    """Show metrics of the process and of its requests."""
    registry = request.app.state.registry
    assert isinstance(registry, CollectorRegistry)
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
