"""Informers on a real API server, also with a proxy in between that breaks watches."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from aliquot.clock import SystemClock
from aliquot.kube.client import ApiClient
from aliquot.kube.decoding import Identity
from aliquot.kube.informers import Informers
from aliquot.kube.metrics import WatchMetrics
from aliquot.kube.resources import CONFIG_MAPS
from aliquot_lab import FaultProxy
from tests.kube.eventually import PATIENCE_SECONDS, eventually

pytestmark = pytest.mark.cluster


class ConfigMap(msgspec.Struct, frozen=True):
    metadata: Identity
    data: dict[str, str] = {}


class Watcher:
    """An informer of the ConfigMaps with the label `watched`, and what adding up its changes gives."""

    def __init__(self, client: ApiClient, namespace: str, silence_seconds: float = 90) -> None:
        self.added_up: dict[str, dict[str, str]] = {}
        self.deletions: list[str] = []
        informers = Informers(client, SystemClock(), WatchMetrics(CollectorRegistry()), silence_seconds)
        self.informer = informers.of(CONFIG_MAPS, ConfigMap, namespace=namespace, label_selector="watched")
        self.informer.add_handler(self._changed)

    def _changed(self, old: ConfigMap | None, new: ConfigMap | None) -> None:
        if new is not None:
            self.added_up[new.metadata.name] = new.data
        elif old is not None:
            del self.added_up[old.metadata.name]
            self.deletions.append(old.metadata.name)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        task = asyncio.create_task(self.informer.run())
        try:
            yield
            assert not task.done()
        finally:
            task.cancel()
            await asyncio.wait({task})


class Maps:
    """ConfigMaps of a namespace."""

    def __init__(self, client: ApiClient, namespace: str) -> None:
        self._client = client
        self._namespace = namespace

    async def create(self, name: str, *, watched: bool = True, **data: str) -> None:
        metadata: dict[str, Any] = {"name": name, "labels": {"watched": "yes"} if watched else {}}
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
        await self._client.create(CONFIG_MAPS, body, namespace=self._namespace)

    async def change(self, name: str, **data: str) -> None:
        await self._client.merge_patch(CONFIG_MAPS, self._namespace, name, {"data": data})

    async def unlabel(self, name: str) -> None:
        patch = {"metadata": {"labels": {"watched": None}}}
        await self._client.merge_patch(CONFIG_MAPS, self._namespace, name, patch)

    async def delete(self, name: str) -> None:
        await self._client.delete(CONFIG_MAPS, self._namespace, name)


async def test_what_is_there_and_what_happens_is_heard_of(lab_client: ApiClient, lab_namespace: str) -> None:
    maps = Maps(lab_client, lab_namespace)
    await maps.create("early", n="1")
    await maps.create("unwatched", watched=False)
    watcher = Watcher(lab_client, lab_namespace)
    async with watcher.running():
        await asyncio.wait_for(watcher.informer.synced.wait(), PATIENCE_SECONDS)
        assert watcher.added_up == {"early": {"n": "1"}}
        await maps.create("later", n="1")
        await maps.change("early", n="2")
        await maps.delete("later")
        await eventually(lambda: watcher.deletions == ["later"])
        assert watcher.added_up == {"early": {"n": "2"}}
        # Whoever loses the label is gone for us.
        await maps.unlabel("early")
        await eventually(lambda: watcher.deletions == ["later", "early"])
        assert len(watcher.informer) == 0


async def test_whether_it_has_caught_up_is_known(lab_client: ApiClient, lab_namespace: str) -> None:
    maps = Maps(lab_client, lab_namespace)
    watcher = Watcher(lab_client, lab_namespace)
    async with watcher.running():
        await asyncio.wait_for(watcher.informer.synced.wait(), PATIENCE_SECONDS)
        await maps.create("a")
        # An event of its own kind may be behind those of others, until the next one or a bookmark.
        waiting = asyncio.create_task(watcher.informer.caught_up(60))
        while not waiting.done():
            await maps.change("a", n=str(asyncio.get_running_loop().time()))
            await asyncio.wait({waiting}, timeout=0.05)
        assert await waiting
        assert "a" in watcher.added_up


BREAKDOWNS: dict[str, Callable[[FaultProxy], object]] = {
    "the server ends it": lambda proxy: proxy.close_watches("configmaps"),
    "the connection is cut": lambda proxy: proxy.cut_watches("configmaps"),
    "the version is too old": lambda proxy: proxy.expire_watches("configmaps"),
    "it falls silent": lambda proxy: proxy.silence_watches("configmaps"),
}


@pytest.mark.parametrize("breakdown", BREAKDOWNS.values(), ids=BREAKDOWNS.keys())
async def test_nothing_is_missed_when_a_watch_breaks(
    lab_client: ApiClient,
    proxied_client: ApiClient,
    fault_proxy: FaultProxy,
    lab_namespace: str,
    breakdown: Callable[[FaultProxy], object],
) -> None:
    maps = Maps(lab_client, lab_namespace)
    for name in ("gone", "changed", "kept"):
        await maps.create(name, n="1")
    watcher = Watcher(proxied_client, lab_namespace, silence_seconds=1)
    async with watcher.running():
        await asyncio.wait_for(watcher.informer.synced.wait(), PATIENCE_SECONDS)
        await eventually(lambda: fault_proxy.watches("configmaps"))
        # While everything stands still in the proxy, the world goes on.
        breakdown(fault_proxy)
        await maps.delete("gone")
        await maps.change("changed", n="2")
        await maps.create("new", n="1")
        expected = {"changed": {"n": "2"}, "kept": {"n": "1"}, "new": {"n": "1"}}
        await eventually(lambda: watcher.added_up == expected)
        assert watcher.deletions == ["gone"]
