"""A process's own HTTP server: probes for the kubelet, metrics for Prometheus.

`/healthz` fails when the process should be restarted, `/readyz` when it cannot do its work yet; both say why.
`/debug/state` is what the scheduler knows of a node pool, as a document that `aliquot simulate` replays.
"""

from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from aliquot import log, names
from aliquot.settings import Server

_log = log.get(__name__)

Document = Callable[[str], Awaitable[dict[str, object] | None]]
"""Makes the document of a node pool; None where another replica leads, or this one has only begun to."""
Check = Callable[[], str | None]
"""Returns None when all is well, else what is not."""


class Observatory:
    """Serves /healthz, /readyz and /metrics until closed.

    Args:
        settings: where to listen.
        registry: the metrics to show.
        alive: why the process should be restarted, or None.
        ready: what is still missing, or None.
        document: what the scheduler knows; None: there is no scheduler in this process.
        before_metrics: what is done before metrics are shown, such as taking a reading of what they tell.
    """

    def __init__(
        self,
        settings: Server,
        registry: CollectorRegistry,
        alive: Check,
        ready: Check,
        document: Document | None = None,
        before_metrics: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._settings = settings
        self._registry = registry
        self._alive = alive
        self._ready = ready
        self._document = document
        self._before_metrics = before_metrics
        self._runner: web.AppRunner | None = None
        self.port = settings.port

    async def start(self) -> None:
        """Begin to serve; `port` is then the port in use."""
        app = web.Application()
        app.router.add_get("/healthz", self._probe(self._alive))
        app.router.add_get("/readyz", self._probe(self._ready))
        app.router.add_get("/metrics", self._metrics)
        if self._document is not None:
            app.router.add_get("/debug/state", self._state(self._document))
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

    def _state(self, make: Document) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(request: web.Request) -> web.StreamResponse:
            document = await make(request.query.get("pool", names.DEFAULT_NODE_POOL))
            if document is None:
                return web.Response(
                    text="another replica leads and knows, or this one has only begun to lead", status=503
                )
            body = msgspec.json.format(msgspec.json.encode(document))
            return web.Response(body=body, content_type="application/json")

        return answer

    async def _metrics(self, _: web.Request) -> web.Response:
        if self._before_metrics is not None:
            await self._before_metrics()
        return web.Response(body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
