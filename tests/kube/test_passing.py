"""What hears of all objects of a kind and keeps none, before a scripted server."""

import asyncio

from prometheus_client import CollectorRegistry

from aliquot.clock import SystemClock
from aliquot.kube.client import ApiClient
from aliquot.kube.informers import Informers
from aliquot.kube.metrics import WatchMetrics
from aliquot.kube.resources import PODS
from tests.kube.eventually import PATIENCE_SECONDS
from tests.kube.scripted_server import Reply, ScriptedServer, stream
from tests.kube.test_informer import GONE, Pod, client, outline, pod, pods, server

__all__ = ["client", "server"]


async def test_each_object_is_told_and_none_is_kept(server: ScriptedServer, client: ApiClient) -> None:
    first = {"metadata": {"resourceVersion": "10", "continue": "more"}, "items": [pod("a", 3)]}
    server.replies += [Reply(first), pods(10, pod("b", 4)), pods(20, pod("a", 12), pod("c", 13))]
    server.watches += [
        stream(("MODIFIED", pod("a", 11)), ("MODIFIED", pod("b", 12, node=7)), ("DELETED", pod("b", 13)), GONE),
        stream(("ADDED", pod("d", 21)), then="silence"),
    ]
    told: asyncio.Queue[str] = asyncio.Queue()
    passing = Informers(client, SystemClock(), WatchMetrics(CollectorRegistry()), 30).passing(PODS, Pod)
    passing.add_handler(lambda old, new: told.put_nowait(outline(old, new)))
    task = asyncio.create_task(passing.run())
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            heard = [await told.get() for _ in range(6)]
    finally:
        task.cancel()
        await asyncio.wait({task})
    assert heard == ["a ->3", "b ->4", "a ->11", "a ->12", "c ->13", "d ->21"], (
        "neither what does not fit nor what is gone"
    )
    assert len(passing) == 0
    assert server.watched_from() == ["10", "20"]
