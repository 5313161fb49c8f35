"""Headers on the answers of routes that are deprecated; also on refusals, as these are read as well."""

from collections.abc import Iterable
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aliquot.contracts.administrator_api.deprecations import Deprecation
from aliquot.controlplane.deprecation.rules import headers


class DeprecationHeaders:
    """Tells callers of deprecated routes so.

    Args:
        app: answers requests.
        deprecations: all there are.
    """

    def __init__(self, app: ASGIApp, deprecations: Iterable[Deprecation]) -> None:
        self._app = app
        self._by_route = {each.what: each for each in deprecations}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have a request answered."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                found = self._by_route.get(f"{scope['method']} {_path(scope)}")
                if found is not None:
                    sent = MutableHeaders(scope=message)
                    for name, value in headers(found, scope.get("path_params", {})):
                        sent.append(name, value)
            await send(message)

        await self._app(scope, receive, sending if scope["type"] == "http" else send)


def _path(scope: Scope) -> Any:
    return getattr(scope.get("route"), "path", None)
