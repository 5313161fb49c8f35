"""What is sent again and what is not, over real sockets."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from aliquot.backoff import Backoff
from aliquot.kube.client import ApiClient
from aliquot.kube.decoding import MetadataOnly
from aliquot.kube.problems import (
    ApiProblem,
    Conflict,
    Expired,
    ServerError,
    Timeout,
    TooManyRequests,
    Unauthorized,
    Unreachable,
    Unreadable,
)
from aliquot.kube.resources import CONFIG_MAPS, PODS
from aliquot.kube.transport import Answer, Limits
from tests.kube.scripted_server import Drop, Reply, ScriptedServer, Silence, client_of, refusal_body

QUICK = Limits(attempts=4, request_timeout_seconds=60, backoff=Backoff(base_seconds=0.001, cap_seconds=0.01))
QUICK_BUT_RARE = replace(QUICK, requests_per_second=0.0001)
UNAVAILABLE = Reply(refusal_body(503, "ServiceUnavailable"), 503)
Verb = Callable[[ApiClient], Awaitable[Answer]]


def _page(names: list[str], token: str = "") -> Reply:
    items = [{"metadata": {"name": name}} for name in names]
    return Reply({"metadata": {"resourceVersion": "7", "continue": token}, "items": items})


async def _get(client: ApiClient) -> Answer:
    return await client.get(PODS, "ns", "a")


async def _merge_patch(client: ApiClient) -> Answer:
    return await client.merge_patch(PODS, "ns", "a", {})


async def _replace(client: ApiClient) -> Answer:
    return await client.replace(PODS, "ns", "a", {})


async def _apply(client: ApiClient) -> Answer:
    return await client.apply(PODS, "ns", "a", {}, field_manager="m")


async def _delete(client: ApiClient) -> Answer:
    return await client.delete(PODS, "ns", "a")


async def _bind(client: ApiClient) -> Answer:
    return await client.bind("ns", "a", node="n", uid="u")


async def _create(client: ApiClient) -> Answer:
    return await client.create(PODS, {"metadata": {"name": "a"}}, namespace="ns")


async def _json_patch(client: ApiClient) -> Answer:
    return await client.json_patch(PODS, "ns", "a", [])


REPEATED = [_get, _merge_patch, _replace, _apply, _delete, _bind]
NOT_REPEATED = [_create, _json_patch]


@pytest.fixture
async def server() -> AsyncGenerator[ScriptedServer]:
    async with ScriptedServer().running() as running:
        yield running


@pytest.fixture
async def client(server: ScriptedServer, tmp_path: Path) -> AsyncGenerator[ApiClient]:
    async with client_of(server.url, tmp_path, QUICK) as opened:
        yield opened


@pytest.mark.parametrize("verb", REPEATED)
@pytest.mark.parametrize("trouble", [UNAVAILABLE, Drop(), Reply(refusal_body(429, "TooManyRequests"), 429)])
async def test_what_may_be_done_twice_is_sent_again(
    server: ScriptedServer, client: ApiClient, verb: Verb, trouble: Reply | Drop
) -> None:
    server.replies.extend([trouble, trouble, Reply({"done": True})])
    assert (await verb(client)).json() == {"done": True}
    assert len(server.seen) == 3
    assert len({(seen.method, seen.path, seen.body) for seen in server.seen}) == 1


@pytest.mark.parametrize("verb", NOT_REPEATED)
@pytest.mark.parametrize(("trouble", "problem"), [(UNAVAILABLE, ServerError), (Drop(), Unreachable)])
async def test_what_may_have_been_done_already_is_not_sent_again(
    server: ScriptedServer, client: ApiClient, verb: Verb, trouble: Reply | Drop, problem: type[ApiProblem]
) -> None:
    server.replies.append(trouble)
    with pytest.raises(problem):
        await verb(client)
    assert len(server.seen) == 1


@pytest.mark.parametrize("verb", NOT_REPEATED)
async def test_what_was_certainly_not_done_is_sent_again(server: ScriptedServer, client: ApiClient, verb: Verb) -> None:
    server.replies.extend([Reply(refusal_body(429, "TooManyRequests"), 429), Reply({"done": True})])
    assert (await verb(client)).json() == {"done": True}


async def test_after_so_many_attempts_the_last_problem_is_raised(server: ScriptedServer, client: ApiClient) -> None:
    server.replies.extend([UNAVAILABLE] * 10)
    with pytest.raises(ServerError):
        await _get(client)
    assert len(server.seen) == QUICK.attempts


async def test_a_refusal_for_good_is_raised_at_once(server: ScriptedServer, client: ApiClient) -> None:
    server.replies.append(Reply(refusal_body(409, "Conflict"), 409))
    with pytest.raises(Conflict):
        await _merge_patch(client)
    assert len(server.seen) == 1


async def test_warnings_come_with_the_answer(server: ScriptedServer, client: ApiClient) -> None:
    server.replies.append(Reply(headers={"Warning": '299 - "unknown field \\"spec.x\\""'}))
    server.replies.append(Reply(headers={"Warning": "not in the form of the standard"}))
    assert (await _apply(client)).warnings == ('unknown field "spec.x"',)
    assert (await _apply(client)).warnings == ()


async def test_a_server_that_wants_too_long_a_wait_is_not_waited_for(server: ScriptedServer, client: ApiClient) -> None:
    server.replies.append(Reply(refusal_body(429, "TooManyRequests"), 429, {"Retry-After": "3600"}))
    with pytest.raises(TooManyRequests) as raised:
        await _get(client)
    assert raised.value.retry_after_seconds == 3600


async def test_no_answer_in_time_is_a_timeout(server: ScriptedServer, client: ApiClient) -> None:
    impatient = client.with_limits(Limits(attempts=1, request_timeout_seconds=3))
    server.replies.append(Silence())
    with pytest.raises(Timeout) as raised:
        await _get(impatient)
    assert raised.value.sent


async def test_where_nobody_listens_the_request_was_certainly_not_sent(server: ScriptedServer, tmp_path: Path) -> None:
    with socket.socket() as taken:  # so that nobody else will listen there
        taken.bind(("127.0.0.1", 0))
        async with client_of(f"http://127.0.0.1:{taken.getsockname()[1]}", tmp_path, QUICK) as client:
            with pytest.raises(Unreachable) as raised:
                await _create(client)
    assert not raised.value.sent
    assert server.seen == []


async def test_a_list_that_expires_midway_starts_again_in_one_piece(server: ScriptedServer, client: ApiClient) -> None:
    server.replies.extend([_page(["a"], "token"), Reply(refusal_body(410, "Expired"), 410), _page(["a", "b"])])
    found = await client.list(PODS, MetadataOnly, namespace="ns")
    assert [one.metadata.name for one in found.items] == ["a", "b"]
    assert [(seen.query.get("limit"), seen.query.get("continue")) for seen in server.seen] == [
        ("500", None),
        ("500", "token"),
        (None, None),
    ]


async def test_a_list_that_expires_in_one_piece_is_a_problem(server: ScriptedServer, client: ApiClient) -> None:
    server.replies.append(Reply(refusal_body(410, "Expired"), 410))
    with pytest.raises(Expired):
        await client.list(PODS, MetadataOnly, chunk_size=0)


async def test_an_answer_that_is_no_list_is_unreadable(server: ScriptedServer, client: ApiClient) -> None:
    server.replies.append(Reply(b"<html>"))
    with pytest.raises(Unreadable, match="list pods"):
        await client.list(PODS, MetadataOnly)


async def test_names_are_escaped_in_paths(server: ScriptedServer, client: ApiClient) -> None:
    server.replies.append(Reply({}))
    await client.get(CONFIG_MAPS, "ns", "a:b/../c")
    assert server.seen[0].path == "/api/v1/namespaces/ns/configmaps/a:b/../c"


async def test_a_token_that_is_refused_is_read_again_once(server: ScriptedServer, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("first\n")
    async with client_of(server.url, tmp_path, QUICK, user={"tokenFile": str(token)}) as client:
        server.replies.extend([Reply({}), Reply(refusal_body(401, "Unauthorized"), 401), Reply({})])
        await _get(client)
        token.write_text("second\n")
        await _get(client)
        assert [seen.headers["Authorization"] for seen in server.seen] == [
            "Bearer first",
            "Bearer first",
            "Bearer second",
        ]
        server.replies.extend([Reply(refusal_body(401, "Unauthorized"), 401)] * 5)
        with pytest.raises(Unauthorized):
            await _get(client)
        assert len(server.seen) == 4


async def test_a_client_side_limit_makes_requests_wait_except_under_limits_without_one(
    server: ScriptedServer, tmp_path: Path
) -> None:
    limits = Limits(requests_per_second=0.0001, burst=2)
    async with client_of(server.url, tmp_path, limits) as client:
        server.replies.extend([Reply({})] * 4)
        await _get(client)
        await _get(client.with_limits(QUICK_BUT_RARE))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(_get(client), 0.05)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(_get(client.with_limits(QUICK_BUT_RARE)), 0.05)
        await _get(client.with_limits(QUICK))
    assert len(server.seen) == 3


async def test_every_attempt_is_counted(server: ScriptedServer, tmp_path: Path) -> None:
    registry = CollectorRegistry()
    async with client_of(server.url, tmp_path, QUICK, registry=registry) as client:
        server.replies.extend([UNAVAILABLE, Drop(), Reply({})])
        await client.merge_patch(PODS, "ns", "a", {}, subresource="status")
    labels = {"verb": "patch", "resource": "pods", "subresource": "status"}
    counts = {
        code: registry.get_sample_value("aliquot_api_requests_total", {**labels, "code": code})
        for code in ("503", "0", "200")
    }
    assert counts == {"503": 1, "0": 1, "200": 1}
    assert registry.get_sample_value("aliquot_api_request_retries_total", labels) == 2
    assert registry.get_sample_value("aliquot_api_requests_in_flight") == 0


async def test_a_binding_carries_its_preconditions_and_annotations(server: ScriptedServer, client: ApiClient) -> None:
    server.replies.append(Reply({}))
    await client.bind("ns", "a", node="n", uid="u", resource_version="7", annotations={"gpu": "3"})
    (seen,) = server.seen
    assert (seen.method, seen.path) == ("POST", "/api/v1/namespaces/ns/pods/a/binding")
    assert msgspec.json.decode(seen.body) == {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {
            "name": "a",
            "namespace": "ns",
            "uid": "u",
            "resourceVersion": "7",
            "annotations": {"gpu": "3"},
        },
        "target": {"apiVersion": "v1", "kind": "Node", "name": "n"},
    }
