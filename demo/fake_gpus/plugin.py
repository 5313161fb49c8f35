"""The kubelet's device plugin API for one resource, answered from the state file.

The protocol is that of Kubernetes' page on device plugins; like NVIDIA's plugin by default, it names a container's
devices in `NVIDIA_VISIBLE_DEVICES`.
"""

import logging
from collections.abc import AsyncIterator
from typing import Protocol

import grpc

from demo.fake_gpus.kubelet_api import deviceplugin_pb2 as api
from demo.fake_gpus.kubelet_api import deviceplugin_pb2_grpc as rpc
from demo.fake_gpus.offers import VISIBLE_DEVICES, FakeNvml, Offered, offers, preferred
from demo.fake_gpus.watching import WatchedState

LOG = logging.getLogger("fake_gpus")


class _Context(Protocol):
    """What the plugin needs of the context of a call."""

    async def abort(self, code: grpc.StatusCode, details: str) -> object: ...


class Plugin(rpc.DevicePluginServicer):
    """Offers the devices of one resource.

    Args:
        resource: such as `nvidia.com/gpu`.
        watched: the state.
        nvml: what containers get beside the names of their devices; None: nothing.

    Attributes:
        lists: how many lists of the devices are being kept up to date; a kubelet that knows the plugin has one.
        listed: whether anybody ever asked for one.
    """

    def __init__(self, resource: str, watched: WatchedState, nvml: FakeNvml | None) -> None:
        self.lists = 0
        self.listed = False
        self._resource = resource
        self._watched = watched
        self._nvml = nvml
        self._over = False

    async def end(self) -> None:
        """Let all lists end, as they would be cut off otherwise."""
        self._over = True
        await self._watched.nudge()

    def _devices(self) -> tuple[Offered, ...]:
        return offers(self._watched.node).get(self._resource, ())

    async def GetDevicePluginOptions(self, request: api.Empty, context: object) -> api.DevicePluginOptions:  # noqa: N802
        """What the kubelet may call."""
        del request, context
        return options()

    async def ListAndWatch(  # noqa: N802
        self, request: api.Empty, context: object
    ) -> AsyncIterator[api.ListAndWatchResponse]:
        """The devices, and again whenever one of them changed, came or went."""
        del request, context
        self.listed = True
        self.lists += 1
        try:
            async for devices in self._changes():
                yield api.ListAndWatchResponse(devices=[_device(device) for device in devices])
        finally:
            self.lists -= 1

    async def _changes(self) -> AsyncIterator[tuple[Offered, ...]]:
        sent: tuple[Offered, ...] | None = None
        while not self._over:
            version, devices = self._watched.version, self._devices()
            if devices != sent:
                healthy = sum(device.healthy for device in devices)
                LOG.info("%s: %d devices, %d of them healthy", self._resource, len(devices), healthy)
                yield devices
                sent = devices
            await self._watched.change(version, lambda: self._over)

    async def GetPreferredAllocation(  # noqa: N802
        self, request: api.PreferredAllocationRequest, context: object
    ) -> api.PreferredAllocationResponse:
        """The first devices of the file, so that tests can tell beforehand who gets which."""
        del context
        devices = self._devices()
        return api.PreferredAllocationResponse(
            container_responses=[
                api.ContainerPreferredAllocationResponse(
                    deviceIDs=preferred(
                        devices,
                        available=asked.available_deviceIDs,
                        required=asked.must_include_deviceIDs,
                        size=asked.allocation_size,
                    )
                )
                for asked in request.container_requests
            ]
        )

    async def Allocate(self, request: api.AllocateRequest, context: _Context) -> api.AllocateResponse:  # noqa: N802
        """What each container gets; an error for a device that the node does not have."""
        known = [device.uuid for device in self._devices()]
        response = api.AllocateResponse()
        for asked in request.container_requests:
            if unknown := sorted(set(asked.devices_ids) - set(known)):
                await context.abort(
                    grpc.StatusCode.INVALID_ARGUMENT, f"{self._resource}: no such device: {', '.join(unknown)}"
                )
            given = [uuid for uuid in known if uuid in asked.devices_ids]
            LOG.info("%s: a container gets %s", self._resource, ", ".join(given))
            response.container_responses.append(self._container(given))
        return response

    def _container(self, uuids: list[str]) -> api.ContainerAllocateResponse:
        container = api.ContainerAllocateResponse(envs={VISIBLE_DEVICES: ",".join(uuids)})
        if self._nvml:
            container.envs.update(self._nvml.environment())
            for on_node, inside in self._nvml.mounts():
                container.mounts.add(host_path=str(on_node), container_path=str(inside), read_only=True)
        return container

    async def PreStartContainer(  # noqa: N802
        self, request: api.PreStartContainerRequest, context: object
    ) -> api.PreStartContainerResponse:
        """Nothing; the kubelet is told not to ask."""
        del request, context
        return api.PreStartContainerResponse()


def options() -> api.DevicePluginOptions:
    """What the plugin can do beside what all can."""
    return api.DevicePluginOptions(get_preferred_allocation_available=True)


def _device(device: Offered) -> api.Device:
    message = api.Device(ID=device.uuid, health="Healthy" if device.healthy else "Unhealthy")
    if device.numa is not None:
        message.topology.nodes.add(ID=device.numa)
    return message
