"""The operator's own HTTP server: probes for the kubelet, metrics for Prometheus.

`/healthz` fails when the process should be restarted, `/readyz` when it cannot do its work yet; both say why.
"""

from collections.abc import Awaitable, Callable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from aliquot import log
from aliquot.settings import Server

_log = log.get(__name__)

Check = Callable[[], str | None]
"""Returns None when all is well, else what is not."""


class Observatory:
    """Serves /healthz, /readyz and /metrics until closed.

    Args:
        settings: where to listen.
        registry: the metrics to show.
        alive: why the process should be restarted, or None.
        ready: what is still missing, or None.
    """

    def __init__(self, settings: Server, registry: CollectorRegistry, alive: Check, ready: Check) -> None:
        self._settings = settings
        self._registry = registry
        self._alive = alive
        self._ready = ready
        self._runner: web.AppRunner | None = None
        self.port = settings.port

    async def start(self) -> None:
        """Begin to serve; `port` is then the port in use."""
        app = web.Application()
        app.router.add_get("/healthz", self._probe(self._alive))
        app.router.add_get("/readyz", self._probe(self._ready))
        app.router.add_get("/metrics", self._metrics)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._settings.host, self._settings.port).start()
        address = self._runner.addresses[0]
        self.port = address[1]
        _log.info("serving probes and metrics", host=address[0], port=self.port)

    async def close(self) -> None:
        """Stop serving."""
        if self._runner is not None:
            await self._runner.cleanup()

    def _probe(self, check: Check) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(_: web.Request) -> web.StreamResponse:
            trouble = check()
            return web.Response(text=trouble or "ok", status=503 if trouble else 200)

        return answer

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
