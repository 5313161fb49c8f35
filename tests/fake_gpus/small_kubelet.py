"""The kubelet's side of the device plugin API: takes registrations, dials back, and keeps what it is told."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import grpc
from grpc import aio

from demo.fake_gpus.kubelet_api import deviceplugin_pb2 as api
from demo.fake_gpus.kubelet_api import deviceplugin_pb2_grpc as rpc

PATIENCE_SECONDS = 120


class Context(Protocol):
    async def abort(self, code: grpc.StatusCode, details: str) -> object: ...


class SmallKubelet(rpc.RegistrationServicer):
    """A kubelet with its folder of device plugins.

    `registered` are all registrations so far; `devices` are, by resource, the lists of the plugins as they came. While
    it is `refusing` it takes none; while it is `silent` it takes them and does not dial back.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.registered: list[api.RegisterRequest] = []
        self.devices: dict[str, dict[str, api.Device]] = {}
        self.refusing = False
        self.refused = 0
        self.silent = False
        self._changed = asyncio.Condition()
        self._server: aio.Server | None = None
        self._watches: list[asyncio.Task[None]] = []
        self._channels: dict[str, aio.Channel] = {}

    async def start(self) -> None:
        """As a kubelet does: nothing of its predecessor stays."""
        for socket in self.folder.iterdir():
            socket.unlink()
        self._server = aio.server()
        rpc.add_RegistrationServicer_to_server(self, self._server)
        self._server.add_insecure_port(f"unix:{self.folder / 'kubelet.sock'}")
        await self._server.start()

    async def stop(self) -> None:
        assert self._server
        await self._server.stop(grace=None)
        for watch in self._watches:
            watch.cancel()
        await asyncio.gather(*self._watches, return_exceptions=True)
        for channel in self._channels.values():
            await channel.close()
        self.devices.clear()
        self._channels.clear()
        self._watches.clear()

    async def Register(self, request: api.RegisterRequest, context: Context) -> api.Empty:  # noqa: N802
        if self.refusing:
            async with self._changed:
                self.refused += 1
                self._changed.notify_all()
            await context.abort(grpc.StatusCode.UNAVAILABLE, "not now")
        if self.silent:
            async with self._changed:
                self.registered.append(request)
                self._changed.notify_all()
            return api.Empty()
        channel = aio.insecure_channel(f"unix:{self.folder / request.endpoint}")
        self._channels[request.resource_name] = channel
        self._watches.append(asyncio.create_task(self._watch(request.resource_name, channel)))
        async with self._changed:
            self.registered.append(request)
            self._changed.notify_all()
        return api.Empty()

    async def forget(self, resource: str) -> None:
        """Know a plugin no more, as after the end of an earlier one with the same path was noticed late."""
        await self._channels[resource].close()
        self.devices.pop(resource, None)

    async def _watch(self, resource: str, channel: aio.Channel) -> None:
        with suppress(aio.AioRpcError, asyncio.CancelledError):
            async for told in rpc.DevicePluginStub(channel).ListAndWatch(api.Empty()):
                async with self._changed:
                    self.devices[resource] = {device.ID: device for device in told.devices}
                    self._changed.notify_all()
        async with self._changed:
            if self._channels.get(resource) is channel:  # the plugin is gone, and its devices with it
                self.devices.pop(resource, None)
                self._changed.notify_all()

    def plugin(self, resource: str) -> "rpc.DevicePluginAsyncStub":
        return rpc.DevicePluginStub(self._channels[resource])

    def health(self) -> dict[str, list[str]]:
        """By resource: the devices that may be given to pods, in order."""
        return {
            resource: [uuid for uuid, device in devices.items() if device.health == "Healthy"]
            for resource, devices in self.devices.items()
        }

    async def until(self, health: dict[str, list[str]]) -> None:
        """Wait until these devices are healthy, of all that are offered."""
        await self._wait(lambda: self.health() == health, f"the healthy devices are {health}")

    async def until_registered(self, times: int) -> None:
        await self._wait(lambda: len(self.registered) >= times, f"there were {times} registrations")

    async def until_refused(self, times: int) -> None:
        await self._wait(lambda: self.refused >= times, f"{times} registrations were refused")

    async def _wait(self, condition: Callable[[], bool], what: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS), self._changed:
                await self._changed.wait_for(condition)
        except TimeoutError:
            message = f"not within {PATIENCE_SECONDS} s: {what}; they are {self.health()}"
            raise AssertionError(message) from None
