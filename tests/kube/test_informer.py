"""Informers before a scripted server; on a real one see test_informer_cluster."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from aliquot.clock import SystemClock
from aliquot.kube.client import ApiClient
from aliquot.kube.decoding import Identity
from aliquot.kube.informers import Informers
from aliquot.kube.metrics import WatchMetrics
from aliquot.kube.problems import Forbidden, Timeout
from aliquot.kube.resources import PODS
from aliquot.kube.transport import Limits
from tests.kube.eventually import PATIENCE_SECONDS, eventually
from tests.kube.scripted_server import Drop, Json, Reply, ScriptedServer, Stream, client_of, refusal_body, stream


class Spec(msgspec.Struct, frozen=True, rename="camel"):
    node_name: str = ""


class Pod(msgspec.Struct, frozen=True):
    metadata: Identity
    spec: Spec = Spec()


def pod(name: str, version: int, *, uid: str = "", node: object = "") -> Json:
    metadata = {"namespace": "ns", "name": name, "uid": uid or f"uid-{name}", "resourceVersion": str(version)}
    return {"metadata": metadata, "spec": {"nodeName": node}}


def pods(version: int, *items: Json) -> Reply:
    return Reply({"metadata": {"resourceVersion": str(version)}, "items": list(items)})


def bookmark(version: int) -> tuple[str, Json]:
    return ("BOOKMARK", {"kind": "Pod", "metadata": {"resourceVersion": str(version)}})


GONE = ("ERROR", refusal_body(410, "Expired", "too old resource version"))


def outline(old: Pod | None, new: Pod | None) -> str:
    def version(one: Pod | None) -> str:
        return "-" if one is None else one.metadata.resource_version

    one = new or old
    assert one is not None
    return f"{one.metadata.name} {version(old)}>{version(new)}"


class Watcher:
    """An informer of pods, and what it told its handler, as `name old-version>new-version`."""

    def __init__(self, client: ApiClient, silence_seconds: float = 30) -> None:
        self.registry = CollectorRegistry()
        self.told: asyncio.Queue[str] = asyncio.Queue()
        informers = Informers(client, SystemClock(), WatchMetrics(self.registry), silence_seconds)
        self.informer = informers.of(PODS, Pod)
        self.informer.add_handler(lambda old, new: self.told.put_nowait(outline(old, new)))

    async def hears(self, *expected: str) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert [await self.told.get() for _ in expected] == list(expected)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[asyncio.Task[None]]:
        task = asyncio.create_task(self.informer.run())
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.wait({task})

    def restarts(self, reason: str) -> float:
        return (
            self.registry.get_sample_value("aliquot_watch_restarts_total", {"resource": "pods", "reason": reason}) or 0
        )


@pytest.fixture
async def server() -> AsyncGenerator[ScriptedServer]:
    async with ScriptedServer().running() as running:
        yield running


@pytest.fixture
async def client(server: ScriptedServer, tmp_path: Path) -> AsyncGenerator[ApiClient]:
    async with client_of(server.url, tmp_path, Limits(attempts=1)) as opened:
        yield opened


async def test_a_list_then_a_watch_from_its_version(server: ScriptedServer, client: ApiClient) -> None:
    server.replies.append(pods(10, pod("a", 3)))
    server.watches.append(
        stream(("ADDED", pod("b", 11)), ("MODIFIED", pod("a", 12)), ("DELETED", pod("b", 13)), then="silence")
    )
    watcher = Watcher(client)
    async with watcher.running():
        await watcher.hears("a ->3", "b ->11", "a 3>12", "b 11>-")
        assert watcher.informer.synced.is_set()
        assert [one.metadata.name for one in watcher.informer] == ["a"]
        assert watcher.informer.resource_version == "13"
        assert server.watched_from() == ["10"]
        assert server.seen[-1].query["allowWatchBookmarks"] == "true"


async def test_when_the_server_ends_a_watch_the_next_begins_where_it_ended(
    server: ScriptedServer, client: ApiClient
) -> None:
    server.replies.append(pods(10))
    server.watches.extend(
        [
            stream(("ADDED", pod("a", 11)), bookmark(20)),
            stream(("ADDED", pod("b", 21))),
            stream(("ADDED", pod("c", 22)), then="silence"),
        ]
    )
    watcher = Watcher(client)
    async with watcher.running():
        await watcher.hears("a ->11", "b ->21", "c ->22")
        assert server.watched_from() == ["10", "20", "21"]
        assert server.lists() == 1
        assert watcher.restarts("ended") == 2


async def test_objects_that_went_while_nobody_watched_are_reported_as_deleted(
    server: ScriptedServer, client: ApiClient
) -> None:
    server.replies.extend(
        [
            pods(10, pod("gone", 1), pod("stays", 2), pod("changed", 3), pod("reborn", 4)),
            pods(50, pod("stays", 2), pod("changed", 40), pod("reborn", 41, uid="another"), pod("new", 42)),
        ]
    )
    server.watches.extend(
        [stream(("ADDED", pod("seen", 11)), GONE), stream(("ADDED", pod("later", 51)), then="silence")]
    )
    watcher = Watcher(client)
    async with watcher.running():
        await watcher.hears("gone ->1", "stays ->2", "changed ->3", "reborn ->4", "seen ->11")
        await watcher.hears("gone 1>-", "seen 11>-", "changed 3>40", "reborn 4>-", "reborn ->41", "new ->42")
        await watcher.hears("later ->51")
        assert server.watched_from() == ["10", "50"]
        assert watcher.restarts("Expired") == 1


async def test_a_watch_that_is_refused_as_too_old_is_a_new_list(server: ScriptedServer, client: ApiClient) -> None:
    server.replies.extend([pods(10), pods(50, pod("a", 40))])
    server.watches.append(Reply(refusal_body(410, "Expired"), 410))
    watcher = Watcher(client)
    async with watcher.running():
        await watcher.hears("a ->40")
        assert server.lists() == 2


async def test_a_kind_that_is_not_served_any_more_has_no_objects(server: ScriptedServer, client: ApiClient) -> None:
    server.replies.extend([pods(10, pod("a", 5)), Reply({}, 404), pods(50, pod("b", 40))])
    server.watches.append(Reply({}, 404))
    watcher = Watcher(client)
    async with watcher.running():
        await watcher.hears("a ->5", "a 5>-", "b ->40")
        assert server.watched_from()[0] == "10"
        assert len(watcher.informer) == 1


async def test_a_server_that_is_behind_what_we_have_heard_is_a_new_list(
    server: ScriptedServer, client: ApiClient
) -> None:
    causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
    server.replies.extend([pods(10, pod("a", 9)), pods(5, pod("a", 4))])
    server.watches.append(Reply(refusal_body(504, "Timeout", causes=causes), 504))
    watcher = Watcher(client)
    async with watcher.running():
        await watcher.hears("a ->9", "a 9>4")


async def test_a_watch_that_falls_silent_is_opened_anew_from_the_last_bookmark(
    server: ScriptedServer, client: ApiClient
) -> None:
    server.replies.append(pods(10))
    server.watches.extend(
        [stream(bookmark(30), then="silence"), stream(("ADDED", pod("a", 31)), then="silence"), Stream((), "silence")]
    )
    watcher = Watcher(client, silence_seconds=1.5)
    async with watcher.running():
        await watcher.hears("a ->31")
        assert server.watched_from()[:2] == ["10", "30"]
        assert server.lists() == 1
        await eventually(lambda: isinstance(watcher.informer.last_problem, Timeout))


@pytest.mark.parametrize(
    "breakdown",
    [
        Drop(),
        stream(then="cut"),
        Reply(refusal_body(429, "TooManyRequests"), 429),
        Reply(refusal_body(503, "ServiceUnavailable"), 503),
        Stream((b"this is no event\n",)),
        stream(("ERROR", refusal_body(500, "InternalError"))),
    ],
)
async def test_after_a_breakdown_the_watch_goes_on_from_where_it_was(
    server: ScriptedServer, client: ApiClient, breakdown: Reply | Drop | Stream
) -> None:
    server.replies.append(pods(10))
    server.watches.extend([breakdown, stream(("ADDED", pod("a", 11)), then="silence")])
    watcher = Watcher(client)
    async with watcher.running():
        await watcher.hears("a ->11")
        assert server.watched_from() == ["10", "10"]
        assert server.lists() == 1
        assert watcher.informer.last_problem is None


async def test_failures_that_nothing_explains_lead_to_a_new_list(server: ScriptedServer, client: ApiClient) -> None:
    server.replies.extend([pods(10), pods(20, pod("a", 15))])
    server.watches.extend([Stream((b"this is no event\n",))] * 3)
    watcher = Watcher(client)
    async with watcher.running():
        await watcher.hears("a ->15")
        assert server.watched_from()[:3] == ["10", "10", "10"]


async def test_a_list_that_is_refused_is_asked_for_again(server: ScriptedServer, client: ApiClient) -> None:
    server.replies.extend([Reply(refusal_body(403, "Forbidden"), 403), Drop(), pods(10, pod("a", 3))])
    watcher = Watcher(client)
    async with watcher.running():
        await eventually(lambda: isinstance(watcher.informer.last_problem, Forbidden))
        assert not watcher.informer.synced.is_set()
        await watcher.hears("a ->3")
        await asyncio.wait_for(watcher.informer.synced.wait(), PATIENCE_SECONDS)


async def test_an_object_that_cannot_be_read_keeps_its_last_good_version(
    server: ScriptedServer, client: ApiClient
) -> None:
    server.replies.append(pods(10, pod("a", 3, node="node-1"), pod("odd", 4, node=7)))
    server.watches.append(
        stream(("MODIFIED", pod("a", 11, node=["?"])), ("ADDED", pod("b", 12)), then="silence"),
    )
    watcher = Watcher(client)
    async with watcher.running():
        await watcher.hears("a ->3", "b ->12")
        kept = watcher.informer.get("ns", "a")
        assert kept is not None
        assert kept.spec.node_name == "node-1"
        assert set(watcher.informer.undecodable) == {("ns", "a"), ("ns", "odd")}
        assert watcher.informer.resource_version == "12"


async def test_a_handler_that_comes_late_is_told_what_is_there(server: ScriptedServer, client: ApiClient) -> None:
    server.replies.append(pods(10, pod("a", 3)))
    watcher = Watcher(client)
    told: list[str] = []
    async with watcher.running():
        await watcher.hears("a ->3")
        watcher.informer.add_handler(lambda old, new: told.append(outline(old, new)))
        assert told == ["a ->3"]


async def test_a_handler_that_raises_ends_the_run(server: ScriptedServer, client: ApiClient) -> None:
    server.replies.append(pods(10, pod("a", 3)))
    watcher = Watcher(client)

    def fail(_: Pod | None, __: Pod | None) -> None:
        raise LookupError("a mistake of ours")

    watcher.informer.add_handler(fail)
    with pytest.raises(LookupError, match="a mistake of ours"):
        await watcher.informer.run()


async def test_whether_it_has_caught_up_is_known_by_comparing_with_the_server(
    server: ScriptedServer, client: ApiClient
) -> None:
    server.replies.append(pods(10))
    server.watches.append(stream(bookmark(40), then="silence"))
    watcher = Watcher(client)
    async with watcher.running():
        await eventually(lambda: watcher.informer.resource_version == "40")
        server.replies.append(pods(40))
        assert await watcher.informer.caught_up(PATIENCE_SECONDS)
        server.replies.append(pods(41))
        assert not await watcher.informer.caught_up(0.05)


async def test_who_waits_for_it_to_catch_up_is_woken_by_the_event(server: ScriptedServer, client: ApiClient) -> None:
    server.replies.extend([pods(10), pods(12)])
    watcher = Watcher(client, silence_seconds=1)
    server.watches.extend([Stream((), "silence"), stream(("ADDED", pod("a", 12)), then="silence")])
    async with watcher.running():
        await asyncio.wait_for(watcher.informer.synced.wait(), PATIENCE_SECONDS)
        assert await watcher.informer.caught_up(PATIENCE_SECONDS)
        assert watcher.informer.get("ns", "a") is not None
