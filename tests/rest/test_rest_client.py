"""What becomes of a control plane's answers, of those that are none, and of silence."""

import asyncio
import base64
import gzip
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from aliquot.clock import SystemClock
from aliquot.contracts.cluster_sync import Received
from aliquot.rest.client import Address, AddressError, ControlPlane, wait_seconds
from aliquot.rest.problems import ControlPlaneProblem, NoAnswer, NoSecret, Refused, SessionOver, Unreadable
from tests.cluster.sync.desires import CLUSTER, desired, project

SECRET = "s3cret"
DESIRED = desired(project(), revision="7")


@dataclass(frozen=True)
class Reply:
    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass
class Plane:
    """A control plane that answers as it is told."""

    replies: deque[Reply | None] = field(default_factory=deque[Reply | None])
    seen: list[web.Request] = field(default_factory=list[web.Request])
    ended: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    url: str = ""

    async def handle(self, request: web.Request) -> web.Response:
        await request.read()
        self.seen.append(request)
        reply = self.replies.popleft()
        if reply is None:
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        return web.Response(body=reply.body, status=reply.status, headers=reply.headers)


@asynccontextmanager
async def speaking(*replies: Reply | None, **address: object) -> AsyncGenerator[tuple[ControlPlane, Plane]]:
    plane = Plane(deque(replies))
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", plane.handle)
    server = TestServer(application)
    await server.start_server()
    plane.url = str(server.make_url("")).rstrip("/")
    given = {"url": f"{plane.url}/", "cluster": CLUSTER, "secret": lambda: f"{SECRET}\n", **address}
    client = ControlPlane(
        Address(**given),  # pyright: ignore[reportArgumentType]
        SystemClock(),
        lambda what, outcome, _: plane.ended.append((what, outcome)),
    )
    try:
        async with client:
            yield client, plane
    finally:
        await server.close()


async def test_it_asks_with_the_clusters_credentials_and_what_it_knows() -> None:
    body = DESIRED.model_dump_json().encode()
    async with speaking(Reply(body, headers={"ETag": '"7"'}), Reply(status=304)) as (client, plane):
        wanted = await client.desired("", 0)
        assert wanted is not None
        assert (wanted.desired, wanted.tag) == (DESIRED, '"7"')
        assert await client.desired(wanted.tag, 50) is None
    first, second = plane.seen
    assert first.path == f"/cluster-sync/v1/{CLUSTER}/desired", "a slash at the end of the address does not matter"
    assert (first.query["waitSeconds"], second.query["waitSeconds"]) == ("0", "50")
    assert "If-None-Match" not in first.headers
    assert second.headers["If-None-Match"] == '"7"'
    assert base64.b64decode(first.headers["Authorization"].removeprefix("Basic ")) == f"{CLUSTER}:{SECRET}".encode()
    assert plane.ended == [("desired", "200"), ("desired", "304")]


async def test_a_report_is_taken() -> None:
    async with speaking(Reply(b'{"sequence": 3, "and": "more"}')) as (client, plane):
        assert await client.report(b"{}") == Received(sequence=3)
    assert plane.seen[0].method == "POST"


ANSWERS: dict[str, tuple[Reply | None, type[ControlPlaneProblem], str]] = {
    "an unknown cluster": (Reply(b'{"message": "no"}', 401), Refused, "401: "),
    "an error of a proxy": (Reply(b"<html>Bad\nGateway</html>", 502), Refused, "502: <html>Bad Gateway</html>"),
    "a session that is over": (Reply(b"no", 409), SessionOver, "409: no"),
    "a page": (Reply(b"<html>"), Unreadable, "the answer is no Desired"),
    "something else": (Reply(b'{"revision": 3}'), Unreadable, "revision: Input should be a valid string"),
    "a redirect": (
        Reply(status=302, headers={"Location": "https://evil.example.com/"}),
        Refused,
        "redirects are not followed; give the address to which it leads: https://evil.example.com/",
    ),
    "nothing": (None, NoAnswer, "disconnected"),
    "a bomb": (
        Reply(gzip.compress(bytes(70 * 2**20)), headers={"Content-Encoding": "gzip"}),
        Unreadable,
        "more than 64 MiB",
    ),
}


@pytest.mark.parametrize(("reply", "problem", "says"), ANSWERS.values(), ids=list(ANSWERS))
async def test_what_is_no_answer_is_told_apart(
    reply: Reply | None, problem: type[ControlPlaneProblem], says: str
) -> None:
    async with speaking(reply, None) as (client, plane):
        with pytest.raises(problem, match=r".") as raised:
            await client.desired("", 0)
        assert says in str(raised.value)
        assert type(raised.value) is problem
        assert SECRET not in str(raised.value)
        broken = reply is None  # aiohttp itself asks once more where a connection broke
        assert len(plane.seen) == (2 if broken else 1), "nothing is repeated, and no redirect followed"


async def test_nobody_there_is_no_answer() -> None:
    async with speaking(url="http://127.0.0.1:9") as (client, plane):
        with pytest.raises(NoAnswer):
            await client.desired("", 0)
        assert plane.ended == [("desired", "NoAnswer")]


async def test_what_is_given_up_is_counted_as_that() -> None:
    async with speaking(url="http://127.0.0.1:9", proxy="http://127.0.0.1:9") as (client, _):
        asking = asyncio.create_task(client.desired("", 0))
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking


async def test_the_secret_may_be_replaced_and_may_be_missing_for_a_while(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    async with speaking(Reply(status=304), secret=file.read_text) as (client, plane):
        with pytest.raises(NoSecret, match="secret"):
            await client.desired("", 0)
        file.write_text("another\n")
        await client.desired("", 0)
    assert base64.b64decode(plane.seen[0].headers["Authorization"].removeprefix("Basic ")).endswith(b":another")


def test_authorities_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("no certificate")
    plane, address = Plane(), Address("https://x", CLUSTER, str, ca_file=str(file))
    with pytest.raises(AddressError, match=r"control_plane\.ca_file: .*ca\.pem' cannot be used"):
        ControlPlane(address, SystemClock(), lambda what, how, _: plane.ended.append((what, how)))


async def test_how_long_to_wait_is_heeded_within_reason() -> None:
    replies = [Reply(b"later", 503, {"Retry-After": asked}) for asked in ("7", "86400", "Fri, 01 Jan 2027")]
    waits: list[float] = []
    async with speaking(*replies) as (client, _):
        for _ in replies:
            with pytest.raises(Refused) as raised:
                await client.desired("", 0)
            waits.append(wait_seconds(raised.value, 1, Random(1)))
    assert waits[:2] == [7, 300]
    assert waits[2] <= 0.5


def test_waits_grow_up_to_half_a_minute() -> None:
    chance = Random(1)
    waits = [wait_seconds(NoAnswer("x"), failures, chance) for failures in range(1, 30)]
    assert waits[0] <= 0.5
    assert all(15 <= wait <= 30 for wait in waits[10:])
