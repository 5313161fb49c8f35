"""The fault proxy before a real API server."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from aliquot_lab import Act, Answer, ApiRequest, Cluster, Cut, Delay, FaultProxy, Hold, LabError, Rule, dedicated
from aliquot_lab.api import Api, ApiError
from aliquot_lab.control_plane import API_SERVER
from aliquot_lab.kubeconfig import read
from aliquot_lab.processes import eventually

pytestmark = [
    pytest.mark.cluster,
    # A client's end of a connection that was cut on purpose may be collected only after its event loop has gone.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
SECONDS = 120.0


def config_maps(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/configmaps"


def named(name: str) -> dict[str, Any]:
    return {"metadata": {"name": name}}


def exists(lab: Cluster, namespace: str, name: str) -> bool:
    return lab.api.answers(f"{config_maps(namespace)}/{name}")


@pytest.fixture
def through(fault_proxy: FaultProxy) -> Api:
    return Api(fault_proxy.access)


@asynccontextmanager
async def watching(proxy: FaultProxy, path: str) -> AsyncGenerator[asyncio.StreamReader | aiohttp.StreamReader]:
    """The lines of an open watch."""
    connector = aiohttp.TCPConnector(ssl=proxy.access.ssl_context())
    async with aiohttp.ClientSession(connector=connector) as session, session.get(f"{proxy.url}{path}") as response:
        assert response.status == 200
        try:
            yield response.content
        finally:
            if response.connection is not None and response.connection.transport is not None:
                response.connection.transport.abort()  # closing in order takes longer than the loop lives


async def event(stream: asyncio.StreamReader | aiohttp.StreamReader) -> dict[str, Any]:
    async with asyncio.timeout(SECONDS):
        return json.loads(await stream.readline())


async def until(condition: Callable[[], bool]) -> None:
    assert await asyncio.to_thread(eventually, condition, seconds=SECONDS)


def test_without_rules_it_is_not_there(through: Api, fault_proxy: FaultProxy, lab_namespace: str) -> None:
    path = config_maps(lab_namespace)
    made = through.call("POST", path, {**named("plain"), "data": {"text": "ä" * 300_000}})
    assert through.call("GET", f"{path}/plain") == made
    with pytest.raises(ApiError) as refusal:
        through.call("GET", f"{path}/missing")
    assert (refusal.value.status, refusal.value.reason) == (404, "NotFound")
    counts = fault_proxy.counts()
    assert counts["create", "configmaps"] == 1
    assert counts["get", "configmaps"] == 2


def test_a_query_goes_through_as_it_was_written(through: Api, lab_namespace: str) -> None:
    through.call("POST", config_maps(lab_namespace), {"metadata": {"name": "a", "labels": {"k": "v"}}})
    selected = through.call("GET", f"{config_maps(lab_namespace)}?labelSelector=k%20in%20%28v%2Cw%29")
    assert [item["metadata"]["name"] for item in selected["items"]] == ["a"]


def test_a_token_keeps_its_own_rights(lab: Cluster, fault_proxy: FaultProxy, lab_namespace: str) -> None:
    file = lab.kubeconfig_for("default", lab_namespace, server=fault_proxy.url, authority=fault_proxy.authority)
    with pytest.raises(ApiError) as refusal:
        Api(read(file)).call("GET", config_maps(lab_namespace))
    assert refusal.value.status == 403
    assert f"system:serviceaccount:{lab_namespace}:default" in str(refusal.value)


@pytest.mark.parametrize(("after", "done"), [(False, False), (True, True)])
def test_a_connection_is_cut_before_or_after_the_work(
    lab: Cluster, fault_proxy: FaultProxy, through: Api, lab_namespace: str, after: bool, done: bool
) -> None:
    rule = Rule(Cut(after=after), verb="create", resource="configmaps")
    fault_proxy.add(rule)
    with pytest.raises(OSError):  # noqa: PT011 - reset, closed or cut short: all of them are "no answer"
        through.call("POST", config_maps(lab_namespace), named("cut"))
    assert exists(lab, lab_namespace, "cut") is done
    assert fault_proxy.strikes(rule) == 1


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("status", [409, 410, 429, 500])
def test_an_error_is_answered_in_the_api_servers_place(
    lab: Cluster, fault_proxy: FaultProxy, through: Api, lab_namespace: str, status: int, after: bool
) -> None:
    fault_proxy.add(Rule(Answer(status, after=after), verb="create", times=1))
    with pytest.raises(ApiError) as refusal:
        through.call("POST", config_maps(lab_namespace), named("refused"))
    assert refusal.value.status == status
    assert exists(lab, lab_namespace, "refused") is after
    if not after:
        through.call("POST", config_maps(lab_namespace), named("refused"))


async def test_too_many_requests_says_how_long_to_wait(fault_proxy: FaultProxy) -> None:
    fault_proxy.add(Rule(Answer(429, retry_after_seconds=7)))
    connector = aiohttp.TCPConnector(ssl=fault_proxy.access.ssl_context())
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.get(f"{fault_proxy.url}/api/v1/pods") as answer,
    ):
        assert (answer.status, answer.headers["Retry-After"]) == (429, "7")


async def test_a_delayed_request_waits_and_others_do_not(lab: Cluster, lab_namespace: str) -> None:
    path = config_maps(lab_namespace)
    with FaultProxy(lab.access) as proxy:
        through = Api(proxy.access)
        proxy.add(Rule(Delay(3600), verb="create", times=1))
        slow = asyncio.create_task(asyncio.to_thread(through.call, "POST", path, named("slow")))
        await until(lambda: ("create", "configmaps") in proxy.counts())
        await asyncio.to_thread(through.call, "POST", path, named("quick"))
        assert not slow.done()
        assert not exists(lab, lab_namespace, "slow")
    with pytest.raises(OSError):  # noqa: PT011 - as above
        await slow


def test_the_test_may_act_before_and_after_the_nth_write(
    lab: Cluster, fault_proxy: FaultProxy, through: Api, lab_namespace: str
) -> None:
    seen: list[tuple[str, str, bool]] = []

    def look(when: str) -> Act:
        def act(request: ApiRequest) -> None:
            seen.append((when, str(request.name or request.resource), exists(lab, lab_namespace, "second")))

        return Act(act, after=when == "after")

    fault_proxy.add(
        *(Rule(look(when), when=lambda request: request.writes, nth=2, times=1) for when in ("before", "after"))
    )
    for name in ("first", "second", "third"):
        through.call("POST", config_maps(lab_namespace), named(name))
        through.call("GET", config_maps(lab_namespace))
    assert seen == [("before", "configmaps", False), ("after", "configmaps", True)]


def test_an_act_and_a_cut_together_lose_the_request(
    lab: Cluster, fault_proxy: FaultProxy, through: Api, lab_namespace: str
) -> None:
    acted: list[ApiRequest] = []
    fault_proxy.on_request(acted.append, when=lambda request: request.writes)
    fault_proxy.add(Rule(Cut(), verb="create"))
    with pytest.raises(OSError):  # noqa: PT011 - as above
        through.call("POST", config_maps(lab_namespace), named("lost"))
    assert [json.loads(request.body)["metadata"]["name"] for request in acted] == ["lost"]
    assert not exists(lab, lab_namespace, "lost")


def test_what_an_act_raises_is_raised_when_the_proxy_closes(lab: Cluster) -> None:
    def fail(request: ApiRequest) -> None:
        message = f"no {request.verb} was expected"
        raise AssertionError(message)

    def use() -> None:
        with FaultProxy(lab.access) as proxy:
            proxy.on_request(fail)
            Api(proxy.access).call("GET", "/api/v1/namespaces")

    with pytest.raises(AssertionError, match="no list was expected"):
        use()


def test_an_act_may_change_the_rules(fault_proxy: FaultProxy, through: Api, lab_namespace: str) -> None:
    fault_proxy.on_request(lambda _: (fault_proxy.clear(), fault_proxy.close_watches()), times=1)
    fault_proxy.add(Rule(Answer(500), nth=2))
    for _ in range(3):
        through.call("GET", config_maps(lab_namespace))


async def test_a_watch_brings_events_while_they_happen(
    lab: Cluster, fault_proxy: FaultProxy, lab_namespace: str
) -> None:
    async with watching(fault_proxy, f"{config_maps(lab_namespace)}?watch=true") as stream:
        await event(stream)  # every namespace has kube-root-ca.crt
        for name in ("one", "two"):
            lab.api.call("POST", config_maps(lab_namespace), named(name))
            assert (await event(stream))["object"]["metadata"]["name"] == name


async def test_a_watch_that_the_client_leaves_is_left_at_the_server_too(
    fault_proxy: FaultProxy, lab_namespace: str
) -> None:
    async with watching(fault_proxy, f"{config_maps(lab_namespace)}?watch=true") as stream:
        await event(stream)
        assert [watch.resource for watch in fault_proxy.watches("configmaps")] == ["configmaps"]
    await until(lambda: not fault_proxy.watches())


async def test_closed_watches_end_without_an_error(fault_proxy: FaultProxy, lab_namespace: str) -> None:
    async with watching(fault_proxy, f"{config_maps(lab_namespace)}?watch=true") as stream:
        await event(stream)
        assert fault_proxy.close_watches("pods") == 0
        assert fault_proxy.close_watches() == 1
        assert await stream.readline() == b""


async def test_cut_watches_end_with_an_error(fault_proxy: FaultProxy, lab_namespace: str) -> None:
    async with watching(fault_proxy, f"{config_maps(lab_namespace)}?watch=true") as stream:
        await event(stream)
        assert fault_proxy.cut_watches("configmaps") == 1
        with pytest.raises((aiohttp.ClientError, OSError)):
            await stream.readline()


async def test_an_expired_watch_says_so_and_ends(fault_proxy: FaultProxy, lab_namespace: str) -> None:
    async with watching(fault_proxy, f"{config_maps(lab_namespace)}?watch=true") as stream:
        await event(stream)
        assert fault_proxy.expire_watches() == 1
        last = await event(stream)
        assert (last["type"], last["object"]["code"], last["object"]["reason"]) == ("ERROR", 410, "Expired")
        assert await stream.readline() == b""


async def test_a_silent_watch_stays_open_and_a_later_one_speaks(
    lab: Cluster, fault_proxy: FaultProxy, lab_namespace: str
) -> None:
    path = f"{config_maps(lab_namespace)}?watch=true"
    async with watching(fault_proxy, path) as silent:
        await event(silent)
        assert fault_proxy.silence_watches() == 1
        async with watching(fault_proxy, path) as speaking:
            await event(speaking)
            lab.api.call("POST", config_maps(lab_namespace), named("unheard"))
            assert (await event(speaking))["object"]["metadata"]["name"] == "unheard"
            assert len(fault_proxy.watches()) == 1
        fault_proxy.close_watches()
        assert await silent.readline() == b""  # not a byte of what happened


async def test_a_silent_watch_does_not_even_hear_its_servers_end(fault_proxy: FaultProxy, lab_namespace: str) -> None:
    # Long enough for it to be silenced before, on a busy machine, too.
    path = f"{config_maps(lab_namespace)}?watch=true&timeoutSeconds=30"
    async with watching(fault_proxy, path) as silent, watching(fault_proxy, path) as speaking:
        await event(silent)
        await event(speaking)
        silence = asyncio.create_task(silent.readline())
        fault_proxy.silence_watches()
        async with watching(fault_proxy, path) as third:  # begun later, so it ends later
            await event(third)
            async with asyncio.timeout(SECONDS):
                assert await third.readline() == b""
        assert not silence.done()
        fault_proxy.close_watches()
        assert await silence == b""


async def test_a_black_hole_swallows_everything_until_it_is_healed(
    lab: Cluster, fault_proxy: FaultProxy, through: Api, lab_namespace: str
) -> None:
    path = config_maps(lab_namespace)
    async with watching(fault_proxy, f"{path}?watch=true") as stream:
        await event(stream)
        fault_proxy.black_hole()
        write = asyncio.create_task(asyncio.to_thread(through.call, "POST", path, named("swallowed")))
        await until(lambda: ("create", "configmaps") in fault_proxy.counts())
        lab.api.call("POST", path, named("behind"))
        assert not write.done()
        fault_proxy.heal()
        with pytest.raises(OSError):  # noqa: PT011 - as above
            await write
        assert not exists(lab, lab_namespace, "swallowed")
        await asyncio.to_thread(through.call, "POST", path, named("afterwards"))
        await until(lambda: not fault_proxy.watches())
        fault_proxy.close_watches()
        assert await stream.readline() == b""


async def test_a_held_request_is_cut_when_the_proxy_is_healed(
    lab: Cluster, fault_proxy: FaultProxy, through: Api, lab_namespace: str
) -> None:
    rule = Rule(Hold(), verb="create")
    fault_proxy.add(rule)
    write = asyncio.create_task(asyncio.to_thread(through.call, "POST", config_maps(lab_namespace), named("held")))
    await until(lambda: fault_proxy.strikes(rule) == 1)
    fault_proxy.heal()
    with pytest.raises(OSError):  # noqa: PT011 - as above
        await write
    assert not exists(lab, lab_namespace, "held")


def test_outside_its_block_it_says_so(lab: Cluster) -> None:
    with pytest.raises(LabError, match="inside its `with` block"):
        FaultProxy(lab.access).close_watches()


@pytest.mark.crashes
def test_an_api_server_that_is_away_is_a_cut_connection_and_comes_back() -> None:
    with dedicated() as cluster, FaultProxy(cluster.access) as proxy:
        through = Api(proxy.access)
        assert through.answers("/readyz")
        cluster.stop(API_SERVER, kill=True)
        with pytest.raises(OSError):  # noqa: PT011 - as above
            through.call("GET", "/api/v1/namespaces")
        cluster.start(API_SERVER)
        assert through.call("GET", "/api/v1/namespaces")["items"]
