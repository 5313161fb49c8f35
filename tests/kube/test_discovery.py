"""Which kinds are served: asked of a server that says what a test wants, and of a real one."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from aliquot.kube.client import ApiClient
from aliquot.kube.discovery import find_served, served_names, served_versions
from aliquot.kube.problems import Refused
from aliquot.kube.resources import PODS, Resource
from tests.kube.scripted_server import Json, Reply, ScriptedServer, client_of, refusal_body


def group(name: str, *versions: str, preferred: str) -> Json:
    return {
        "name": name,
        "versions": [{"groupVersion": f"{name}/{version}", "version": version} for version in versions],
        "preferredVersion": {"groupVersion": f"{name}/{preferred}", "version": preferred},
    }


def kinds(*names: str, verbs: tuple[str, ...] = ("get", "list", "watch")) -> Reply:
    listed = [{"name": f"{kind.lower()}s", "kind": kind, "namespaced": True, "verbs": list(verbs)} for kind in names]
    return Reply({"kind": "APIResourceList", "resources": [*listed, {"name": "crews/status", "kind": "Crew"}]})


@asynccontextmanager
async def scripted(tmp_path: Path, replies: list[Reply]) -> AsyncGenerator[ApiClient]:
    async with ScriptedServer().running() as server, client_of(server.url, tmp_path) as client:
        server.replies.extend(replies)
        yield client


async def served(tmp_path: Path, wanted: list[tuple[str, str]], *replies: Reply) -> tuple[object, list[str]]:
    async with ScriptedServer().running() as server, client_of(server.url, tmp_path) as client:
        server.replies.extend(replies)
        found = await find_served(client, wanted)
        return found, [seen.path for seen in server.seen]


async def test_of_several_versions_it_is_the_preferred_one_that_has_the_kind(tmp_path: Path) -> None:
    found, asked = await served(
        tmp_path,
        [("a.com", "Crew"), ("a.com", "Ship"), ("b.com", "Crew")],
        Reply(
            {"groups": [group("a.com", "v2", "v1", "v1beta1", preferred="v1"), group("c.com", "v1", preferred="v1")]}
        ),
        kinds("Crew"),
        kinds("Crew", "Ship"),
    )
    assert found == {
        ("a.com", "Crew"): Resource("a.com", "v1", "crews", "Crew"),
        ("a.com", "Ship"): Resource("a.com", "v2", "ships", "Ship"),
    }
    assert asked == ["/apis", "/apis/a.com/v1", "/apis/a.com/v2"], "what nobody wants is not asked for"


async def test_what_cannot_be_watched_is_not_served(tmp_path: Path) -> None:
    found, _ = await served(
        tmp_path,
        [("a.com", "Crew")],
        Reply({"groups": [group("a.com", "v1", preferred="v1")]}),
        kinds("Crew", verbs=("create",)),
    )
    assert found == {}


async def test_a_version_that_has_just_gone_has_no_kinds(tmp_path: Path) -> None:
    gone = Reply(refusal_body(404, "NotFound"), 404)
    found, _ = await served(
        tmp_path, [("a.com", "Crew")], Reply({"groups": [group("a.com", "v1", preferred="v1")]}), gone
    )
    assert found == {}


async def test_a_server_that_does_not_say_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(Refused):
        await served(tmp_path, [("a.com", "Crew")], Reply(refusal_body(403, "Forbidden"), 403))


async def test_of_one_kind_every_version_is_told(tmp_path: Path) -> None:
    replies = [Reply(group("a.com", "v1", "v2beta1", preferred="v1")), kinds("Crew", "Ship"), kinds("Crew")]
    async with scripted(tmp_path, replies) as client:
        found = await served_versions(client, "a.com", "Crew")
    assert found == (Resource("a.com", "v1", "crews", "Crew"), Resource("a.com", "v2beta1", "crews", "Crew"))


async def test_of_a_group_all_names_are_told(tmp_path: Path) -> None:
    async with scripted(tmp_path, [Reply(group("a.com", "v1", preferred="v1")), kinds("Crew", "Ship")]) as client:
        assert await served_names(client, "a.com") == {"crews", "crews/status", "ships"}


async def test_a_group_that_is_not_there_serves_nothing(tmp_path: Path) -> None:
    gone = Reply(refusal_body(404, "NotFound"), 404)
    async with scripted(tmp_path, [gone, gone]) as client:
        assert await served_versions(client, "a.com", "Crew") == ()
        assert await served_names(client, "a.com") == frozenset()


@pytest.mark.cluster
async def test_a_real_server_says_where_its_kinds_are(lab_client: ApiClient) -> None:
    found = await find_served(
        lab_client, [("", "Pod"), ("apps", "Deployment"), ("apps", "Crew"), ("nobody.com", "Crew")]
    )
    assert found == {("", "Pod"): PODS, ("apps", "Deployment"): Resource("apps", "v1", "deployments", "Deployment")}
