"""Asks the kubelet, over its local socket."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import grpc

from aliquot.agent.pod_resources import podresources_pb2 as api
from aliquot.agent.pod_resources.listing import Assignment
from aliquot.errors import AliquotError

_LIST: Final = "/v1.PodResourcesLister/List"
_OPTIONS: Final = (
    # A kubelet that starts again is found again at once; the default goes up to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    # A node has at most some hundred pods; this is room for thousands, and a bound.
    ("grpc.max_receive_message_length", 16 << 20),
)


class PodResourcesError(AliquotError):
    """The kubelet did not answer, or not as it should."""


class PodResources:
    """The kubelet's pod-resources API.

    Args:
        socket: where the kubelet listens; it need not be there yet.
        timeout_seconds: longest wait for an answer.
    """

    def __init__(self, socket: Path, timeout_seconds: float) -> None:
        self._timeout_seconds = timeout_seconds
        self._channel = grpc.insecure_channel(f"unix:{socket}", options=_OPTIONS)
        self._list = self._channel.unary_unary(
            _LIST,
            request_serializer=api.ListPodResourcesRequest.SerializeToString,
            response_deserializer=api.ListPodResourcesResponse.FromString,
        )

    def list(self) -> tuple[Assignment, ...]:
        """Who holds which devices now.

        Raises:
            PodResourcesError: there was no answer in time, or it cannot be read.
        """
        try:
            answer = self._list(api.ListPodResourcesRequest(), timeout=self._timeout_seconds)
        except grpc.RpcError as error:
            said = error.details() if isinstance(error, grpc.Call) else str(error)
            raise PodResourcesError(f"the kubelet does not say who holds which devices: {said}") from error
        return tuple(assignments(answer.pod_resources))

    def close(self) -> None:
        """Hang up."""
        self._channel.close()


def assignments(pods: Iterable[api.PodResources]) -> Iterable[Assignment]:
    """The answer as values. A container can have several entries of one resource, one for each NUMA node."""
    found: dict[tuple[str, str, str, str], list[str]] = {}
    for pod in pods:
        for container in pod.containers:
            for devices in container.devices:
                key = (pod.namespace, pod.name, container.name, devices.resource_name)
                found.setdefault(key, []).extend(devices.device_ids)
    return (Assignment(*key, tuple(sorted(ids))) for key, ids in sorted(found.items()))
