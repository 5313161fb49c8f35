"""A resource's socket beside the kubelet's, and its registration with whatever kubelet there is.

    served ─▶ registered ─▶ the kubelet dials back and asks for the list of devices ─▶ the list ends: all over again

That a kubelet has taken a registration says little: it tells a plugin by the path of its socket, and where it had known
one of the same path it may forget the new one when it notices the end of the old one. So each registration is for a
socket of its own, and only a kubelet that keeps a list of the devices open counts as one that knows of them.
"""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

import grpc
from grpc import aio

from demo.fake_gpus.kubelet_api import deviceplugin_pb2 as api
from demo.fake_gpus.kubelet_api import deviceplugin_pb2_grpc as rpc
from demo.fake_gpus.plugin import Plugin, options
from demo.fake_gpus.watching import identity

VERSION: Final = "v1beta1"
LOG = logging.getLogger("fake_gpus")
_REGISTRATION_SECONDS: Final = 12
"""The kubelet answers when it has dialled back, for which it takes ten seconds at the most."""
LIST_SECONDS: Final = 10.0
"""So long after it has answered it may take to ask for the list."""
_GRACE_SECONDS: Final = 1
_ALONE: Final = (("grpc.use_local_subchannel_pool", 1),)
"""Channels to one address share their connection otherwise, and how long they wait after it failed."""


class Endpoint:
    """See the module.

    Args:
        resource: such as `nvidia.com/gpu`.
        folder: the kubelet's folder of device plugins.
        make: makes what answers, for each socket anew.
    """

    def __init__(self, resource: str, folder: Path, make: Callable[[], Plugin]) -> None:
        self._resource = resource
        self._folder = folder
        self._kubelet = folder / "kubelet.sock"
        self._make = make
        self._plugin: Plugin | None = None
        self._socket: Path | None = None
        self._server: aio.Server | None = None
        self._served = 0
        self._known_to: tuple[int, ...] | None = None
        """The kubelet that has taken a registration of this socket, or may have."""
        self._since = 0.0
        self._said = ""

    async def keep(self) -> None:
        """Serve and register, if that is not so already.

        A kubelet that starts removes the sockets of all plugins and makes a new one of its own.
        """
        kubelet = identity(self._kubelet)
        if kubelet is None or self._is_known_to(kubelet):
            return
        if self._known_to is not None or self._socket is None or not self._socket.exists():
            await self._serve()
        assert self._socket is not None
        self._known_to, self._since = kubelet, asyncio.get_running_loop().time()
        try:
            await self._register(self._socket.name)
        except aio.AioRpcError as problem:
            self._say(f"the kubelet took no registration: {problem.code().name}: {problem.details()}")
            if problem.code() is not grpc.StatusCode.DEADLINE_EXCEEDED:
                self._known_to = None
            return
        self._since = asyncio.get_running_loop().time()
        self._said = ""
        self._say("registered")

    def _is_known_to(self, kubelet: tuple[int, ...]) -> bool:
        if self._plugin is None or self._socket is None or kubelet != self._known_to or not self._socket.exists():
            return False
        if self._plugin.listed:
            return self._plugin.lists > 0
        return asyncio.get_running_loop().time() - self._since < LIST_SECONDS

    async def _register(self, endpoint: str) -> None:
        request = api.RegisterRequest(
            version=VERSION, endpoint=endpoint, resource_name=self._resource, options=options()
        )
        async with aio.insecure_channel(f"unix:{self._kubelet}", options=_ALONE) as channel:
            await rpc.RegistrationStub(channel).Register(request, timeout=_REGISTRATION_SECONDS)

    async def _serve(self) -> None:
        await self.close()
        self._served += 1
        self._known_to = None
        self._socket = self._folder / f"fake-{self._resource.replace('/', '-')}-{self._served}.sock"
        self._plugin, self._server = self._make(), aio.server()
        rpc.add_DevicePluginServicer_to_server(self._plugin, self._server)
        self._server.add_insecure_port(f"unix:{self._socket}")
        await self._server.start()

    async def close(self) -> None:
        """End the server; the kubelet then knows that the devices are gone."""
        if self._plugin is not None:
            await self._plugin.end()
        if self._server is not None:
            await self._server.stop(grace=_GRACE_SECONDS)
        if self._socket is not None:
            self._socket.unlink(missing_ok=True)
        self._plugin = self._server = self._socket = None

    def _say(self, what: str) -> None:
        if what != self._said:
            LOG.info("%s: %s", self._resource, what)
            self._said = what
